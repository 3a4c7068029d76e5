//! Operations, which finish by themselves.

use serde_json::{Map, Value, json};

use super::entity::{collection, touch};
use super::run_shape::{self, RunOutcome};
use crate::world::{Context, Ids, Pending, Sandbox};

/// Who Adobe's own services are.
const PLATFORM: &str = "acp_foundation_connectors@AdobeID";

/// Stores a new object and answers with its id. Its first version ends by itself a moment later.
pub(super) fn create(
    resource: &'static str,
    mut object: Map<String, Value>,
    states: (&str, &str),
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> String {
    let id = cx.ids.uuid();
    let first = match cx.first_states.get(resource) {
        Some(first) if states.0 != "draft" => first,
        _ => states.0,
    };
    let stamps = json!({
        "id": id, "createdAt": cx.now_ms, "createdBy": cx.client_id, "createdClient": cx.client_id,
        "updatedBy": cx.client_id, "updatedClient": cx.client_id, "imsOrgId": cx.ims_org,
        "sandboxId": sandbox.id(&cx.ims_org), "sandboxName": sandbox.about["name"], "state": first,
    });
    if let Value::Object(stamps) = stamps {
        object.extend(stamps);
    }
    let mut object = Value::Object(object);
    touch(&mut object, cx.now_ms, cx.ids);
    collection(sandbox, resource).insert(id.clone(), object, cx.now_ms);
    finish_later(resource, &id, Some(states.1), sandbox, cx);
    id
}

/// Starts the operation that ends by itself after the transition time.
pub(super) fn finish_later(
    resource: &'static str,
    id: &str,
    state: Option<&str>,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) {
    let due_ms = cx.now_ms + cx.transition_ms;
    sandbox.pending.push(Pending {
        due_ms,
        resource,
        id: id.to_owned(),
        state: state.map(str::to_owned),
    });
    settle(sandbox, cx.now_ms, cx.ids);
}

/// Finishes every operation whose time has come.
pub(crate) fn settle(sandbox: &mut Sandbox, now_ms: i64, ids: &mut Ids) {
    if sandbox
        .pending
        .iter()
        .all(|pending| pending.due_ms > now_ms)
    {
        return;
    }
    let (due, later): (Vec<Pending>, Vec<Pending>) = std::mem::take(&mut sandbox.pending)
        .into_iter()
        .partition(|pending| pending.due_ms <= now_ms);
    sandbox.pending = later;
    for pending in due {
        finish(&pending, sandbox, ids);
    }
}

fn finish(pending: &Pending, sandbox: &mut Sandbox, ids: &mut Ids) {
    if pending.resource == "runs" {
        let outcome = RunOutcome::success(100);
        run_shape::finish(&pending.id, &outcome, pending.due_ms, sandbox, ids);
        return;
    }
    let Some(object) = collection(sandbox, pending.resource).get_mut(&pending.id) else {
        return;
    };
    if object["state"] == "initializing"
        && let Some(params) = object.pointer_mut("/auth/params")
    {
        // The source tells Flow Service something about the account, as Salesforce's does.
        params["orgId"] = json!("00D000000000001EAA");
    }
    if let Some(state) = &pending.state {
        object["state"] = json!(state);
    }
    if let Some(operation) = object.get_mut("lastOperation") {
        operation["updated"] = json!(pending.due_ms);
        operation["percentCompleted"] = json!(100);
        operation["status"] = json!({ "value": "completed", "errors": [] });
    }
    object["updatedBy"] = json!(PLATFORM);
    touch(object, pending.due_ms, ids);
}

/// An operation that has just begun.
pub(super) fn operation(name: &str, ops: &[Value], now_ms: i64) -> Value {
    json!({
        "started": now_ms, "updated": 0, "percentCompleted": 0, "operation": name,
        "status": { "value": "inProgress", "errors": [] }, "ops": ops,
    })
}
