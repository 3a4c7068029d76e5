//! What lies in a sandbox, by the names of its kinds; and changes to it as people in Adobe's UI make them.

use serde_json::{Value, json};

use crate::collection::Collection;
use crate::flow_service;
use crate::registry;
use crate::world::{Ids, Sandbox};

const FLOW: &[&str] = &[
    "connections",
    "sourceConnections",
    "targetConnections",
    "flows",
    "runs",
];
const REGISTRY: &[&str] = &[
    "schemas",
    "classes",
    "fieldgroups",
    "datatypes",
    "descriptors",
];

/// Every kind of object.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    FLOW.iter()
        .chain(REGISTRY)
        .chain(&["dataSets", "mappingSets", "namespaces"])
        .copied()
}

/// The objects of a kind.
pub(crate) fn collection<'s>(sandbox: &'s Sandbox, kind: &str) -> Option<&'s Collection> {
    match kind {
        "dataSets" => Some(&sandbox.data_sets),
        "mappingSets" => Some(&sandbox.mapping_sets),
        "namespaces" => Some(&sandbox.namespaces),
        _ => sandbox
            .flow
            .get(kind)
            .or_else(|| sandbox.registry.get(kind)),
    }
}

fn collection_mut<'s>(sandbox: &'s mut Sandbox, kind: &str) -> Option<&'s mut Collection> {
    match kind {
        "dataSets" => Some(&mut sandbox.data_sets),
        "mappingSets" => Some(&mut sandbox.mapping_sets),
        "namespaces" => Some(&mut sandbox.namespaces),
        _ => sandbox
            .flow
            .get_mut(kind)
            .or_else(|| sandbox.registry.get_mut(kind)),
    }
}

/// The key under which an object lies: resources of the registry lie under their alternate id.
pub(crate) fn key(kind: &str, id: &str) -> String {
    if REGISTRY.contains(&kind) {
        registry::alt_id(id)
    } else {
        id.to_owned()
    }
}

/// One object with its id; of a mapping set, its latest version.
pub(crate) fn shown(id: &str, object: &Value) -> Value {
    let mut shown = object["versions"]
        .as_array()
        .and_then(|versions| versions.last())
        .unwrap_or(object)
        .clone();
    if shown.get("id").is_none() && shown.get("@id").is_none() && shown.get("$id").is_none() {
        shown["id"] = json!(id);
    }
    shown
}

/// Merges a patch into an object and gives it a new version, in the way of its service.
pub(crate) fn edit(
    sandbox: &mut Sandbox,
    kind: &str,
    id: &str,
    patch: &Value,
    now_ms: i64,
    ids: &mut Ids,
) -> Option<Value> {
    let object = collection_mut(sandbox, kind)?.get_mut(&key(kind, id))?;
    match kind {
        "mappingSets" => {
            let versions = object["versions"].as_array_mut()?;
            let mut next = versions.last()?.clone();
            json_patch::merge(&mut next, patch);
            next["version"] = json!(versions.len());
            versions.push(next);
        }
        "dataSets" => {
            json_patch::merge(object, patch);
            bump_data_set(object, now_ms);
        }
        "namespaces" => {
            json_patch::merge(object, patch);
            object["updateTime"] = json!(now_ms);
        }
        _ if FLOW.contains(&kind) => {
            json_patch::merge(object, patch);
            flow_service::touch(object, now_ms, ids);
        }
        _ => {
            json_patch::merge(object, patch);
            bump_resource(object, now_ms, ids);
        }
    }
    Some(shown(id, object))
}

/// Deletes an object at once and without asking who uses it.
pub(crate) fn delete(sandbox: &mut Sandbox, kind: &str, id: &str, now_ms: i64) -> bool {
    sandbox.pending.retain(|pending| pending.id != id);
    collection_mut(sandbox, kind).is_some_and(|objects| objects.remove(&key(kind, id), now_ms))
}

fn bump_data_set(object: &mut Value, now_ms: i64) {
    let version = object["version"].as_str().unwrap_or("1.0.0");
    let (head, patch) = version.rsplit_once('.').unwrap_or(("1.0", "0"));
    let patch = patch.parse::<u32>().unwrap_or(0) + 1;
    object["version"] = json!(format!("{head}.{patch}"));
    object["updated"] = json!(now_ms);
}

fn bump_resource(object: &mut Value, now_ms: i64, ids: &mut Ids) {
    if let Some((major, minor)) = object["version"]
        .as_str()
        .and_then(|version| version.split_once('.'))
    {
        let minor = minor.parse::<u32>().unwrap_or(0) + 1;
        object["version"] = json!(format!("{major}.{minor}"));
    }
    if let Some(metadata) = object.get_mut("meta:registryMetadata") {
        metadata["eTag"] = json!(ids.hex(64));
        metadata["repo:lastModifiedDate"] = json!(now_ms);
    }
}
