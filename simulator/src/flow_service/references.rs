//! Who uses what.

use serde_json::{Value, json};

use super::entity;
use crate::world::Sandbox;

/// The ids of the flows that read or write through a base connection.
pub(super) fn flows_of_connection(sandbox: &Sandbox, connection: &str) -> Vec<String> {
    let uses = |flow: &Value| {
        let inherited = &flow["inheritedAttributes"];
        let ends =
            ["sourceConnections", "targetConnections"].map(|side| inherited[side].as_array());
        ends.into_iter()
            .flatten()
            .flatten()
            .any(|end| end["baseConnection"]["id"] == connection)
    };
    ids(entity::all(sandbox, "flows").filter(|flow| uses(flow)))
}

/// The ids of the flows that name a source or target connection.
pub(super) fn flows_of_end(sandbox: &Sandbox, end: &str) -> Vec<String> {
    let names = |list: &Value| {
        list.as_array()
            .is_some_and(|ids| ids.iter().any(|id| id == end))
    };
    ids(entity::all(sandbox, "flows")
        .filter(|flow| names(&flow["sourceConnectionIds"]) || names(&flow["targetConnectionIds"])))
}

fn ids<'v>(flows: impl Iterator<Item = &'v Value>) -> Vec<String> {
    flows
        .filter_map(|flow| flow["id"].as_str())
        .map(str::to_owned)
        .collect()
}

/// What a source or target connection shows of its base connection.
pub(super) fn base_of(sandbox: &Sandbox, end: &Value) -> Option<Value> {
    let id = end["baseConnectionId"].as_str()?;
    let base = entity::get(sandbox, "connections", id).ok()?;
    Some(json!({ "id": id, "connectionSpec": base["connectionSpec"] }))
}

/// What a flow shows of its ends.
pub(super) fn inherited(sandbox: &Sandbox, flow: &Value) -> Value {
    let side = |resource: &'static str, ids: &Value| -> Vec<Value> {
        let ids = ids
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let ends = ids.filter_map(|id| entity::get(sandbox, resource, id).ok());
        ends.map(|end| {
            let mut shown = json!({ "id": end["id"], "connectionSpec": end["connectionSpec"] });
            if let Some(base) = base_of(sandbox, end) {
                shown["baseConnection"] = base;
            }
            shown
        })
        .collect()
    };
    json!({
        "properties": { "isSourceFlow": true },
        "sourceConnections": side("sourceConnections", &flow["sourceConnectionIds"]),
        "targetConnections": side("targetConnections", &flow["targetConnectionIds"]),
    })
}
