//! Adobe's own classes, field groups, data types and behaviors, the same in every sandbox.
//!
//! Ids, titles, classes and names of fields are those of the public repository `adobe/xdm` (CC BY 4.0, August 2026), to
//! a small depth: an object of which the table tells no fields may have any.

use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::{alt_id, texts};

const BASE: &str = "https://ns.adobe.com/xdm/";

/// One resource in the table beside this file.
#[derive(Deserialize)]
struct Row {
    /// As in `meta:resourceType`.
    kind: String,
    /// Its `$id`, without [`BASE`] if it starts so.
    path: String,
    title: String,
    /// What it extends.
    #[serde(default)]
    extends: Vec<String>,
    /// The classes that a field group is made for.
    #[serde(default)]
    classes: Vec<String>,
    /// Unless it is stable.
    status: Option<String>,
    /// Dotted paths, each a string unless `:type` follows.
    fields: Vec<String>,
}

/// The resource of this alternate id.
pub(super) fn find(alt_id: &str) -> Option<&'static Value> {
    library().get(alt_id)
}

/// Every resource of a kind.
pub(super) fn all(kind: Kind) -> impl Iterator<Item = &'static Value> {
    library()
        .values()
        .filter(move |r| Kind::of(r) == Some(kind))
}

fn library() -> &'static IndexMap<String, Value> {
    static LIBRARY: OnceLock<IndexMap<String, Value>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let rows: Vec<Row> = serde_json::from_str(include_str!("standard.json"))
            .expect("the table is part of the program and tested");
        rows.iter()
            .map(resource)
            .map(|resource| {
                let key = resource["meta:altId"].as_str().unwrap_or_default();
                (key.to_owned(), resource)
            })
            .collect()
    })
}

fn resource(row: &Row) -> Value {
    let own = id(&row.path);
    let mut properties = Map::new();
    for field in &row.fields {
        let (path, kind) = field.split_once(':').unwrap_or((field, "string"));
        place(&mut properties, path, leaf(kind));
    }
    let ids = |paths: &[String]| -> Vec<String> { paths.iter().map(|path| id(path)).collect() };
    let extends = ids(&row.extends);
    let all_of: Vec<_> = extends.iter().map(|it| json!({ "$ref": it })).collect();
    let mut resource = json!({
        "meta:altId": alt_id(&own),
        "$id": own,
        "meta:resourceType": row.kind,
        "version": "1",
        "title": row.title,
        "type": "object",
        "description": format!("{} as Adobe defines it.", row.title),
        "properties": properties,
        "allOf": all_of,
        "meta:extensible": true,
        "meta:abstract": true,
        "meta:extends": extends,
        "meta:xdmType": "object",
        "meta:containerId": "global",
        "meta:registryMetadata": {
            "repo:createdDate": 0,
            "repo:lastModifiedDate": 0,
            "meta:globalLibVersion": "1.38.2",
        },
    });
    if Kind::of(&resource) == Some(Kind::FieldGroup) {
        resource["meta:intendedToExtend"] = json!(ids(&row.classes));
    }
    if let Some(status) = &row.status {
        resource["meta:status"] = json!(status);
    }
    resource
}

fn id(path: &str) -> String {
    if path.starts_with("https:") {
        path.to_owned()
    } else {
        format!("{BASE}{path}")
    }
}

fn leaf(kind: &str) -> Value {
    match kind {
        "date" | "date-time" => json!({ "type": "string", "format": kind, "meta:xdmType": kind }),
        "integer" => json!({ "type": "integer", "meta:xdmType": "int" }),
        "map" => {
            json!({ "type": "object", "meta:xdmType": "map", "additionalProperties": { "type": "object" } })
        }
        "array" => {
            json!({ "type": "array", "meta:xdmType": "array", "items": { "type": "object" } })
        }
        "identities" => {
            let identity = json!({ "type": "object", "properties": {
                "id": { "type": "string" }, "primary": { "type": "boolean" }, "authenticatedState": { "type": "string" },
            }});
            json!({ "type": "object", "meta:xdmType": "map", "additionalProperties": { "type": "array", "items": identity } })
        }
        kind => match kind.strip_prefix("ref:") {
            Some(path) => {
                json!({ "type": "object", "meta:xdmType": "object", "$ref": id(path) })
            }
            None => json!({ "type": kind, "meta:xdmType": kind }),
        },
    }
}

/// Puts a field at a dotted path, with objects around it.
fn place(fields: &mut Map<String, Value>, path: &str, field: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        fields.insert(path.to_owned(), field);
        return;
    };
    let parent = fields
        .entry(first)
        .or_insert_with(|| json!({ "type": "object", "meta:xdmType": "object", "properties": {} }));
    if let Some(inner) = parent["properties"].as_object_mut() {
        place(inner, rest, field);
    }
}

/// The ids of Adobe's behaviors.
pub(super) fn is_behavior(id: &str) -> bool {
    find(&alt_id(id)).is_some_and(|r| Kind::of(r) == Some(Kind::Behavior))
}

/// Whether a resource is ad hoc, that is describes raw source data.
pub(super) fn is_ad_hoc(resource: &Value) -> bool {
    texts(resource, "meta:extends").any(|id| id == "https://ns.adobe.com/xdm/data/adhoc")
}
