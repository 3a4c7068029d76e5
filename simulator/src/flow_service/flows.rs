//! Flows: from a source connection to a target connection, on a schedule.

use serde_json::{Map, Value, json};

use super::entity::{self, collection};
use super::page::{self, Listing, allow_query};
use super::patch::{check_etag, patched, within};
use super::problem::Problem;
use super::{Outcome, flow_rules, operations, references};
use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

const LISTING: Listing = Listing {
    resource: "flows",
    fields: &[
        "id",
        "name",
        "description",
        "flowSpec",
        "sourceConnectionIds",
        "targetConnectionIds",
        "scheduleParams",
        "transformations",
        "state",
        "labels",
        "policy",
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
        "inheritedAttributes",
        "lastOperation",
        "lastRunDetails",
        "runs",
        "providerRefId",
        "attributes",
    ],
    paged: true,
};
const RESOURCE: &str = LISTING.resource;
const SETTABLE: &[&str] = &[
    "name",
    "description",
    "flowSpec",
    "sourceConnectionIds",
    "targetConnectionIds",
    "transformations",
    "scheduleParams",
    "labels",
    "policy",
];
const PATCHABLE: &[&str] = &[
    "/name",
    "/description",
    "/scheduleParams",
    "/transformations",
    "/sourceConnectionIds",
    "/labels",
    "/policy",
];

/// Answers one request below `/flows`.
pub(super) fn answer(
    request: &Request,
    rest: &[&str],
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let visible = |flow: &&Value| {
                !flow["id"]
                    .as_str()
                    .is_some_and(|id| sandbox.hidden_flows.contains(id))
            };
            let flows = entity::listed(sandbox, RESOURCE, cx).filter(visible);
            page::list(request, LISTING, flows, cx.profile, Value::clone)
        }
        ("POST", []) => create(request, sandbox, cx),
        ("GET", [id]) if sandbox.hidden_flows.contains(*id) => {
            Err(Problem::not_found(RESOURCE, id))
        }
        ("GET", [id]) => Ok(entity::one(entity::read(sandbox, RESOURCE, id)?)),
        (_, [id, ..]) if sandbox.hidden_flows.contains(*id) => Err(Problem::new(
            403,
            2120,
            "The caller lacks a permission on the labels of this flow.",
        )),
        ("PATCH", [id]) => update(request, id, sandbox, cx),
        ("DELETE", [id]) => delete(id, sandbox, cx),
        ("POST", [id, "action"]) => act(request, id, sandbox, cx),
        ("GET", [id, "runs"]) => super::runs::of_flow(request, id, sandbox, cx),
        _ => Ok(Answer::html_not_found()),
    }
}

fn create(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    allow_query(request, &["mode"])?;
    let body = entity::body(request)?;
    if body.contains_key("state") {
        return Err(Problem::bad(1410, "A new flow cannot name its state."));
    }
    if body.contains_key("mode") {
        return Err(Problem::provider(1368, "mode belongs in the query."));
    }
    let draft = entity::is_draft(request);
    let mut flow = Value::Object(entity::pick(body, SETTABLE));
    flow_rules::check(&flow, draft, sandbox, cx)?;
    flow_rules::check_start(&flow["scheduleParams"], cx)?;
    check_policy(&flow)?;
    flow["inheritedAttributes"] = references::inherited(sandbox, &flow);
    flow["lastOperation"] = operations::operation("create", &[], cx.now_ms);
    let members = flow.as_object().cloned().unwrap_or_else(Map::new);
    let states = if draft {
        ("draft", "draft")
    } else {
        ("enabling", "enabled")
    };
    let id = operations::create(RESOURCE, members, states, sandbox, cx);
    if let Some(flow) = collection(sandbox, RESOURCE).get_mut(&id) {
        flow["runs"] = json!(format!("/runs?property=flowId=={id}"));
    }
    Ok(entity::changed(201, RESOURCE, &id, sandbox))
}

fn check_policy(flow: &Value) -> Result<(), Problem> {
    let empty = flow["policy"].as_object().is_some_and(|policy| {
        policy.is_empty()
            || policy
                .values()
                .any(|refs| refs.as_array().is_some_and(Vec::is_empty))
    });
    if empty {
        Err(Problem::bad(1431, "The fields of the policy are empty."))
    } else {
        Ok(())
    }
}

/// Whether an operation on the flow is still running.
fn is_moving(flow: &Value) -> bool {
    let settled = ["enabled", "disabled", "draft"].map(Value::from);
    flow["lastOperation"]["percentCompleted"] != 100 || !settled.contains(&flow["state"])
}

fn update(request: &Request, id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    allow_query(request, &[])?;
    let old = entity::get(sandbox, RESOURCE, id)?;
    check_etag(request, old, cx.profile, true)?;
    if is_moving(old) {
        return Err(Problem::bad(
            1420,
            format!("The flow is {} and cannot be updated now.", old["state"]),
        ));
    }
    let (mut new, ops) = patched(old, request, |path| {
        let known = PATCHABLE.iter().any(|member| within(path, member));
        if known {
            Ok(())
        } else {
            Err(Problem::provider(
                1365,
                &format!("The path {path} cannot be patched."),
            ))
        }
    })?;
    flow_rules::check_started(old, &new, cx.now_ms)?;
    let touches = |members: &[&str]| members.iter().any(|member| new[*member] != old[*member]);
    if touches(&["scheduleParams", "transformations", "sourceConnectionIds"]) {
        flow_rules::check(&new, old["state"] == "draft", sandbox, cx)?;
    }
    check_policy(&new)?;
    new["inheritedAttributes"] = references::inherited(sandbox, &new);
    let state = old["state"].as_str().unwrap_or_default().to_owned();
    if state != "draft" {
        new["state"] = json!("updating");
    }
    begin("update", &ops, id, new, &state, sandbox, cx);
    Ok(entity::changed(200, RESOURCE, id, sandbox))
}

/// Stores a flow whose new operation ends in the given state.
fn begin(
    name: &str,
    ops: &[Value],
    id: &str,
    mut flow: Value,
    state: &str,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) {
    flow["lastOperation"] = operations::operation(name, ops, cx.now_ms);
    entity::store(RESOURCE, id, flow, sandbox, cx);
    operations::finish_later(RESOURCE, id, Some(state), sandbox, cx);
}

/// Lets go at once of what the flow uses; reads by id still find the flow until the deletion has finished.
fn delete(id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    let flow = entity::get(sandbox, RESOURCE, id)?;
    if is_moving(flow) {
        return Err(Problem::bad(
            1458,
            format!("The flow is {} and cannot be deleted now.", flow["state"]),
        ));
    }
    collection(sandbox, RESOURCE).remove(id, cx.now_ms);
    operations::finish_later(RESOURCE, id, None, sandbox, cx);
    Ok(Answer::empty(204))
}

fn act(request: &Request, id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    let flow = entity::get(sandbox, RESOURCE, id)?;
    check_etag(request, flow, cx.profile, false)?;
    let op = entity::action(request)?;
    if is_moving(flow) {
        return Err(Problem::bad(
            1421,
            format!(
                "The flow is {} and cannot change its state now.",
                flow["state"]
            ),
        ));
    }
    let state = flow["state"].as_str().unwrap_or_default();
    let (passing, end) = match (op.as_str(), state) {
        ("enable", "disabled") | ("publish", "draft") => ("enabling", "enabled"),
        ("disable", "enabled") => ("disabling", "disabled"),
        _ => {
            return Err(Problem::bad(
                1422,
                format!("The action {op} cannot be applied to a flow that is {state}."),
            ));
        }
    };
    let mut flow = flow.clone();
    if op == "publish" {
        flow_rules::check(&flow, false, sandbox, cx)?;
    }
    flow["state"] = json!(passing);
    begin(&op, &[], id, flow, end, sandbox, cx);
    Ok(entity::changed(200, RESOURCE, id, sandbox))
}
