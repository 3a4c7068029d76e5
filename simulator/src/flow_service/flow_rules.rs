//! What a flow has to look like.

use serde_json::Value;

use super::entity;
use super::flow_specs::{self, FlowSpec};
use super::problem::Problem;
use crate::connectors::{DATA_LAKE, Reads};
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

type Checked = Result<(), Problem>;

/// Judges a whole flow. A draft may lack its schedule and its transformations.
pub(super) fn check(flow: &Value, draft: bool, sandbox: &Sandbox, cx: &Context<'_>) -> Checked {
    let spec = flow["flowSpec"]["id"].as_str().and_then(flow_specs::find);
    let spec = spec.ok_or_else(|| Problem::bad(1413, "The flow spec id is not valid."))?;
    let source = end(flow, "sourceConnections", sandbox)?;
    let target = end(flow, "targetConnections", sandbox)?;
    if target["connectionSpec"]["id"] != DATA_LAKE && cx.profile == Profile::Strict {
        return Err(Problem::provider(
            1307,
            &format!("The connection spec of the target must be {DATA_LAKE}."),
        ));
    }
    if draft {
        return Ok(());
    }
    for end in [source, target] {
        if end["state"] == "draft" {
            return Err(Problem::bad(
                1422,
                "A source or target connection is a draft: publish it first.",
            ));
        }
    }
    data_set(target, sandbox)?;
    let schedule = &flow["scheduleParams"];
    if !spec.reads.is_streaming() {
        check_schedule(schedule)?;
    }
    check_copy(flow, spec)?;
    check_mapping(flow, target, sandbox)
}

/// The one source or target connection of a flow.
fn end<'s>(
    flow: &Value,
    resource: &'static str,
    sandbox: &'s Sandbox,
) -> Result<&'s Value, Problem> {
    let is_source = resource == "sourceConnections";
    let ids = if is_source {
        &flow["sourceConnectionIds"]
    } else {
        &flow["targetConnectionIds"]
    };
    let [id] = ids.as_array().map(Vec::as_slice).unwrap_or_default() else {
        let code = if is_source { 1320 } else { 1321 };
        return Err(Problem::provider(
            code,
            &format!("A flow needs exactly one id in the list of {resource}."),
        ));
    };
    entity::get(sandbox, resource, id.as_str().unwrap_or_default()).map_err(|_| {
        let code = if is_source { 1395 } else { 1306 };
        Problem::provider(code, &format!("{id} is not found among the {resource}."))
    })
}

/// The data set of a target connection.
fn data_set<'s>(target: &Value, sandbox: &'s Sandbox) -> Result<&'s Value, Problem> {
    let id = target["params"]["dataSetId"].as_str().unwrap_or_default();
    let text = format!("The data set {id} of the target connection is not found.");
    sandbox
        .data_sets
        .get(id)
        .ok_or_else(|| Problem::provider(1325, &text))
}

/// A number, also if it is spelled as a string.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn check_schedule(schedule: &Value) -> Checked {
    if schedule.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(Problem::provider(
            1317,
            "The schedule of the flow is missing.",
        ));
    }
    if number(&schedule["startTime"]).is_none() {
        return Err(Problem::provider(
            1318,
            "The start time of the schedule is missing.",
        ));
    }
    check_interval(schedule)
}

fn check_interval(schedule: &Value) -> Checked {
    let interval = &schedule["interval"];
    let minimum = match schedule["frequency"].as_str() {
        Some("once") if !interval.is_null() => {
            return Err(Problem::provider(
                1361,
                "A flow that runs once has no interval.",
            ));
        }
        Some("once") if !schedule["backfill"].is_null() => {
            return Err(Problem::provider(
                1364,
                "A flow that runs once has no backfill.",
            ));
        }
        Some("once") => return Ok(()),
        Some("minute") => 15,
        Some("hour" | "day" | "week") => 1,
        _ => {
            return Err(Problem::provider(
                1397,
                "The frequency must be once, minute, hour, day or week.",
            ));
        }
    };
    match number(interval) {
        Some(interval) if interval >= minimum => Ok(()),
        _ => Err(Problem::provider(
            1362,
            &format!("The interval must be {minimum} or more."),
        )),
    }
}

/// A new flow must not start in the past, says the letter.
pub(super) fn check_start(schedule: &Value, cx: &Context<'_>) -> Checked {
    let past = number(&schedule["startTime"]).is_some_and(|start| start * 1000 < cx.now_ms);
    if past && cx.profile == Profile::Strict {
        return Err(Problem::provider(1360, "The start time lies in the past."));
    }
    Ok(())
}

/// What cannot change any more once the scheduled start has passed.
pub(super) fn check_started(old_flow: &Value, new_flow: &Value, now_ms: i64) -> Checked {
    let [old, new] = [old_flow, new_flow].map(|flow| &flow["scheduleParams"]);
    let started = number(&old["startTime"]).is_some_and(|start| start * 1000 <= now_ms);
    if !started {
        return Ok(());
    }
    if number(&old["startTime"]) != number(&new["startTime"]) {
        return Err(Problem::provider(
            1366,
            "The start time cannot change after the flow has started.",
        ));
    }
    // The text of 1366 forbids updates in general; for a flow that runs again, changing the mapping is documented.
    let mapping = |flow| transformation(flow, "Mapping");
    let moved = mapping(old_flow) != mapping(new_flow);
    if moved && old["frequency"] == "once" && old_flow["state"] != "draft" {
        return Err(Problem::provider(
            1366,
            "The mapping of a flow that runs once cannot change after it has started.",
        ));
    }
    if new["frequency"] == "once" && old["frequency"] != "once" {
        return Err(Problem::provider(
            1403,
            "The frequency cannot become once after the flow has started.",
        ));
    }
    // `true` and `"true"` are the same.
    let flag = |value: &Value| value.to_string().trim_matches('"').to_lowercase();
    if flag(&old["backfill"]) != flag(&new["backfill"]) && new["frequency"] != "once" {
        return Err(Problem::provider(
            1404,
            "The backfill cannot change after the flow has started.",
        ));
    }
    Ok(())
}

/// The parameters of a transformation.
pub(super) fn transformation<'v>(flow: &'v Value, name: &str) -> Option<&'v Value> {
    let list = flow["transformations"].as_array()?;
    list.iter()
        .find(|one| one["name"] == name)
        .map(|one| &one["params"])
}

fn check_copy(flow: &Value, spec: &FlowSpec) -> Checked {
    let delta = transformation(flow, "Copy").map(|params| &params["deltaColumn"]);
    let once = flow["scheduleParams"]["frequency"] == "once";
    match delta {
        Some(_) if once => Err(Problem::provider(
            1369,
            "A flow that runs once has no delta column.",
        )),
        Some(delta) if delta["name"].is_null() => {
            Err(Problem::provider(1367, "The delta column has no name."))
        }
        None if !once && spec.reads == Reads::Table => Err(Problem::provider(
            1367,
            "A scheduled flow from a table needs a Copy transformation with a delta column.",
        )),
        _ => Ok(()),
    }
}

fn check_mapping(flow: &Value, target: &Value, sandbox: &Sandbox) -> Checked {
    let Some(params) = transformation(flow, "Mapping") else {
        return Ok(());
    };
    let Some(id) = params["mappingId"].as_str() else {
        return Err(Problem::provider(1370, "The mapping id is missing."));
    };
    let Some(set) = sandbox.mapping_sets.get(id) else {
        return Err(Problem::bad(
            1419,
            format!("The mapping {id} is invalid or not permitted."),
        ));
    };
    let versions = set["versions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let version = match &params["mappingVersion"] {
        Value::Null => versions.last(),
        spelled => number(spelled).and_then(|n| versions.get(usize::try_from(n).ok()?)),
    };
    let version = version
        .ok_or_else(|| Problem::bad(1412, format!("The mapping {id} has no such version.")))?;
    let maps_to = &version["outputSchema"]["schemaRef"]["id"];
    let written = &data_set(target, sandbox)?["schemaRef"]["id"];
    let declared = &target["data"]["schema"]["id"];
    if maps_to != written || (!declared.is_null() && declared != maps_to) {
        return Err(Problem::bad(
            1425,
            "The schema of the mapping differs from the schema of the data set.",
        ));
    }
    Ok(())
}
