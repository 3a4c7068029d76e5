//! What all stored objects have in common: where they lie, their stamps and their versions.

use serde_json::{Map, Value, json};

use super::problem::Problem;
use crate::collection::Collection;
use crate::http::{Answer, Request};
use crate::world::{Context, Ids, Pending, Sandbox};

/// The live object of a resource by its id.
pub(super) fn get<'s>(
    sandbox: &'s Sandbox,
    resource: &'static str,
    id: &str,
) -> Result<&'s Value, Problem> {
    let object = sandbox
        .flow
        .get(resource)
        .and_then(|objects| objects.get(id));
    object.ok_or_else(|| Problem::not_found(resource, id))
}

/// The object as a read by id finds it: also one whose deletion was accepted and has not finished.
pub(super) fn read<'s>(
    sandbox: &'s Sandbox,
    resource: &'static str,
    id: &str,
) -> Result<&'s Value, Problem> {
    let is_pending = |pending: &Pending| pending.resource == resource && pending.id == id;
    get(sandbox, resource, id).or_else(|absent| {
        let leaving = sandbox.pending.iter().any(is_pending);
        let deleted = sandbox
            .flow
            .get(resource)
            .and_then(|objects| objects.deleted(id));
        deleted.filter(|_| leaving).ok_or(absent)
    })
}

/// The collection of a resource.
pub(super) fn collection<'s>(
    sandbox: &'s mut Sandbox,
    resource: &'static str,
) -> &'s mut Collection {
    sandbox.flow.entry(resource).or_default()
}

/// Every live object of a resource.
pub(super) fn all<'s>(sandbox: &'s Sandbox, resource: &str) -> impl Iterator<Item = &'s Value> {
    sandbox
        .flow
        .get(resource)
        .into_iter()
        .flat_map(Collection::iter)
        .map(|(_, object)| object)
}

/// What listings show of a resource.
pub(super) fn listed<'s>(
    sandbox: &'s Sandbox,
    resource: &str,
    cx: &Context<'_>,
) -> impl Iterator<Item = &'s Value> {
    let (now, lag) = (cx.now_ms, cx.list_lag_ms);
    sandbox
        .flow
        .get(resource)
        .into_iter()
        .flat_map(move |objects| objects.listed(now, lag))
        .map(|(_, object)| object)
}

/// The one-object shape of every read.
pub(super) fn one(object: &Value) -> Answer {
    Answer::json(200, json!({ "items": [object] }))
}

/// The request's body, which has to be an object with something in it.
pub(super) fn body(request: &Request) -> Result<&Map<String, Value>, Problem> {
    let body = request
        .body
        .as_ref()
        .and_then(Value::as_object)
        .filter(|body| !body.is_empty());
    body.ok_or_else(|| Problem::bad(1405, "The request body is empty."))
}

/// A new object made of these members of the body.
pub(super) fn pick(body: &Map<String, Value>, members: &[&str]) -> Map<String, Value> {
    let wanted = body
        .iter()
        .filter(|(name, value)| members.contains(&name.as_str()) && !value.is_null());
    wanted
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether the request asks for a draft.
pub(super) fn is_draft(request: &Request) -> bool {
    request
        .query("mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("draft"))
}

/// Puts a changed object in place of the old one.
pub(super) fn store(
    resource: &'static str,
    id: &str,
    mut object: Value,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) {
    object["updatedBy"] = json!(cx.client_id);
    object["updatedClient"] = json!(cx.client_id);
    touch(&mut object, cx.now_ms, cx.ids);
    if let Some(slot) = collection(sandbox, resource).get_mut(id) {
        *slot = object;
    }
}

/// Answers a change with the id and the etag that is current now.
pub(super) fn changed(status: u16, resource: &'static str, id: &str, sandbox: &Sandbox) -> Answer {
    let etag = sandbox
        .flow
        .get(resource)
        .and_then(|objects| objects.get(id))
        .map(|object| &object["etag"]);
    let answer = Answer::json(status, json!({ "id": id, "etag": etag }));
    match (status, resource) {
        (201, "connections" | "flows") => answer.with_header(
            "location",
            format!("/data/foundation/flowservice/{resource}/{id}"),
        ),
        _ => answer,
    }
}

/// Gives an object a new version, as of this time.
pub(crate) fn touch(object: &mut Value, at_ms: i64, ids: &mut Ids) {
    let etag = json!(format!(
        "\"{}-0000-0200-0000-{:08x}0000\"",
        ids.hex(8),
        at_ms / 1000
    ));
    object["updatedAt"] = json!(at_ms);
    object["version"] = etag.clone();
    object["etag"] = etag;
}

/// Refuses to update or delete an object in a state between two others.
pub(super) fn check_settled(object: &Value, operation: &str) -> Result<(), Problem> {
    let state = object["state"].as_str().unwrap_or_default();
    let code = match (state, operation) {
        ("enabled" | "disabled" | "draft", _) => return Ok(()),
        ("initializing", _) => 1417,
        (_, "update") => 1457,
        _ => 1458,
    };
    let text = format!("The operation {operation} cannot be applied in the state {state}.");
    Err(Problem::bad(code, text))
}

/// The `op` of an action, in lower case with dashes.
pub(super) fn action(request: &Request) -> Result<String, Problem> {
    let op = request
        .query("op")
        .unwrap_or_default()
        .to_lowercase()
        .replace('_', "-");
    match op.as_str() {
        "" => Err(Problem::bad(
            1422,
            "The action needs the query parameter op.",
        )),
        "finalize" | "finalize-update" => Err(Problem::bad(1402, "Only providers may finalize.")),
        _ => Ok(op),
    }
}
