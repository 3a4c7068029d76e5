//! Runs of flows: on demand, again, and as they come.

use serde_json::{Value, json};

use super::entity::{self, collection};
use super::flow_rules::{number, transformation};
use super::page::{self, Listing, allow_query};
use super::problem::Problem;
use super::run_shape::{RunOutcome, activities, metrics, tell_flow};
use super::{Outcome, flow_specs, operations};
use crate::connectors::Reads;
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

const LISTING: Listing = Listing {
    resource: "runs",
    fields: &[
        "id",
        "flowId",
        "flowSpec",
        "state",
        "metrics",
        "activities",
        "createdAt",
        "updatedAt",
        "createdBy",
        "updatedBy",
        "createdClient",
        "updatedClient",
        "sandboxId",
        "sandboxName",
        "imsOrgId",
        "version",
        "etag",
        "providerRefId",
        "params",
    ],
    paged: true,
};
const RESOURCE: &str = LISTING.resource;

/// Answers one request below `/runs`.
pub(super) fn answer(
    request: &Request,
    rest: &[&str],
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    match (request.method.as_str(), rest) {
        ("GET", []) => page::list(
            request,
            LISTING,
            entity::listed(sandbox, RESOURCE, cx),
            cx.profile,
            Value::clone,
        ),
        ("POST", []) => create(request, sandbox, cx),
        ("GET", [id]) => Ok(entity::one(entity::get(sandbox, RESOURCE, id)?)),
        ("PUT", [_]) => Err(Problem::bad(1427, "This token may not write runs.")),
        ("POST", [id, "action"]) => act(request, id, sandbox, cx),
        _ => Ok(Answer::html_not_found()),
    }
}

/// The runs of one flow.
pub(super) fn of_flow(request: &Request, id: &str, sandbox: &Sandbox, cx: &Context<'_>) -> Outcome {
    entity::get(sandbox, "flows", id)?;
    let runs = entity::listed(sandbox, RESOURCE, cx).filter(|run| run["flowId"] == id);
    page::list(request, LISTING, runs, cx.profile, Value::clone)
}

fn create(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    allow_query(request, &[])?;
    let body = entity::body(request)?;
    let Some(flow_id) = body.get("flowId").and_then(Value::as_str) else {
        return Err(Problem::bad(1446, "The flow id is empty."));
    };
    let unknown = |_| Problem::bad(1430, format!("The flow {flow_id} is not found."));
    let flow = entity::get(sandbox, "flows", flow_id).map_err(unknown)?;
    let params = body.get("params").unwrap_or(&Value::Null);
    check_on_demand(flow, params)?;
    let delta = &params["deltaColumn"];
    if !delta.is_null() && transformation(flow, "Copy").is_none() {
        remember_delta(flow_id, delta, sandbox);
    }
    let id = start(flow_id, &RunOutcome::running(), sandbox, cx);
    operations::finish_later(RESOURCE, &id, None, sandbox, cx);
    let answer = entity::changed(201, RESOURCE, &id, sandbox);
    // The guides wrap the answer, the reference does not.
    Ok(match answer.body {
        crate::http::Body::Json(run) if cx.profile == Profile::Lenient => {
            Answer::json(201, json!({ "items": [run] }))
        }
        body => Answer { body, ..answer },
    })
}

fn check_on_demand(flow: &Value, params: &Value) -> Result<(), Problem> {
    if flow["state"] != "enabled" {
        return Err(Problem::bad(1444, "The flow is not in the expected state."));
    }
    if flow["scheduleParams"]["frequency"] != "once" {
        return Err(Problem::provider(
            1386,
            "Only flows that run once can be run on demand.",
        ));
    }
    let times = ["startTime", "windowStartTime", "windowEndTime"].map(|name| number(&params[name]));
    let [Some(_), Some(from), Some(to)] = times else {
        return Err(Problem::provider(
            1384,
            "The parameters of the run are invalid.",
        ));
    };
    if to < from {
        return Err(Problem::provider(1381, "The window ends before it starts."));
    }
    let delta = &params["deltaColumn"]["name"];
    let known = transformation(flow, "Copy").map(|copy| &copy["deltaColumn"]["name"]);
    let table = flow["flowSpec"]["id"].as_str().and_then(flow_specs::find);
    match known {
        Some(known) if !delta.is_null() && delta != known => Err(Problem::provider(
            1382,
            "The delta column differs from the one of the flow.",
        )),
        None if delta.is_null() && table.is_some_and(|spec| spec.reads == Reads::Table) => {
            Err(Problem::provider(
                1383,
                "The first run of a flow from a table needs a delta column.",
            ))
        }
        _ => Ok(()),
    }
}

/// The first run on demand leaves its delta column in the flow.
fn remember_delta(flow_id: &str, delta: &Value, sandbox: &mut Sandbox) {
    let Some(flow) = collection(sandbox, "flows").get_mut(flow_id) else {
        return;
    };
    let copy = json!({ "name": "Copy", "params": { "deltaColumn": delta } });
    match flow["transformations"].as_array_mut() {
        Some(list) => list.insert(0, copy),
        None => flow["transformations"] = json!([copy]),
    }
}

fn act(request: &Request, id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    let run = entity::get(sandbox, RESOURCE, id)?;
    if entity::action(request)? != "re-trigger" {
        return Err(Problem::provider(1333, "The action is not supported."));
    }
    let flow_id = run["flowId"].as_str().unwrap_or_default().to_owned();
    let flow = entity::get(sandbox, "flows", &flow_id)?;
    if flow["state"] != "enabled" {
        return Err(Problem::provider(1388, "The flow is not enabled."));
    }
    let status = run["metrics"]["statusSummary"]["status"]
        .as_str()
        .unwrap_or_default();
    let records = run["metrics"]["recordSummary"]["inputRecordCount"]
        .as_u64()
        .unwrap_or(0);
    if status != "failed" && !(status == "success" && records == 0) {
        return Err(Problem::provider(
            1387,
            "Only a failed run, or one without records, can be repeated.",
        ));
    }
    let again = start(&flow_id, &RunOutcome::running(), sandbox, cx);
    operations::finish_later(RESOURCE, &again, None, sandbox, cx);
    Ok(entity::changed(200, RESOURCE, &again, sandbox))
}

/// Adds a run to a flow that exists, and answers with its id.
pub(crate) fn start(
    flow_id: &str,
    outcome: &RunOutcome,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> String {
    let id = cx.ids.uuid();
    let spec = entity::get(sandbox, "flows", flow_id)
        .map(|flow| flow["flowSpec"].clone())
        .unwrap_or_default();
    let ended = (outcome.status != "inProgress").then_some(cx.now_ms);
    let mut run = json!({
        "id": id, "flowId": flow_id, "flowSpec": spec, "state": outcome.status, "providerRefId": cx.ids.uuid(),
        "createdAt": cx.now_ms, "createdBy": cx.client_id, "createdClient": cx.client_id, "updatedBy": cx.client_id,
        "updatedClient": cx.client_id, "imsOrgId": cx.ims_org,
        "sandboxId": sandbox.id(&cx.ims_org), "sandboxName": sandbox.about["name"],
        "metrics": metrics(outcome, cx.now_ms, ended), "activities": activities(outcome, cx.now_ms, cx.ids),
    });
    entity::touch(&mut run, cx.now_ms, cx.ids);
    tell_flow(&run, sandbox, cx.ids);
    collection(sandbox, RESOURCE).insert(id.clone(), run, cx.now_ms);
    id
}
