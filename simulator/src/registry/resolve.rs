//! What a resource consists of once its references are followed.

use serde_json::{Map, Value, json};

use super::{find, text};
use crate::world::Sandbox;

/// References nest no deeper than this; it ends cycles.
const DEEPEST: usize = 24;

/// All fields of a resource, its own and those of what it refers to.
pub(crate) fn properties(sandbox: &Sandbox, resource: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    collect(sandbox, resource, resource, &mut fields, 0);
    fields
}

/// Adds the fields of `node`, a part of `root`.
fn collect(
    sandbox: &Sandbox,
    root: &Value,
    node: &Value,
    fields: &mut Map<String, Value>,
    depth: usize,
) {
    if depth > DEEPEST {
        return;
    }
    if let Some((root, part)) = target(sandbox, root, text(node, "$ref")) {
        collect(sandbox, root, part, fields, depth + 1);
    }
    for (name, field) in node
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let resolved = resolved(sandbox, root, field, depth);
        match fields.get_mut(name) {
            Some(known) => merge(known, resolved),
            None => {
                fields.insert(name.clone(), resolved);
            }
        }
    }
    for part in node
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        collect(sandbox, root, part, fields, depth + 1);
    }
}

/// What a reference leads to, a part of the same resource or another one, with the resource it lies in.
fn target<'a>(
    sandbox: &'a Sandbox,
    root: &'a Value,
    reference: &str,
) -> Option<(&'a Value, &'a Value)> {
    match reference.strip_prefix('#') {
        Some(pointer) => Some((root, root.pointer(pointer)?)),
        None => find(sandbox, reference).map(|resource| (resource, resource)),
    }
}

/// One field with the references inside it followed.
fn resolved(sandbox: &Sandbox, root: &Value, field: &Value, depth: usize) -> Value {
    let Some(members) = field.as_object() else {
        return field.clone();
    };
    let mut out = members.clone();
    for inner in ["items", "additionalProperties"] {
        if let Some(part) = members
            .get(inner)
            .filter(|p| p.is_object() && depth <= DEEPEST)
        {
            out.insert(inner.to_owned(), resolved(sandbox, root, part, depth + 1));
        }
    }
    let mut fields = Map::new();
    collect(sandbox, root, field, &mut fields, depth + 1);
    if !fields.is_empty() {
        out.insert("properties".to_owned(), fields.into());
        out.entry("type").or_insert_with(|| json!("object"));
        out.entry("meta:xdmType").or_insert_with(|| json!("object"));
        out.remove("allOf");
    }
    if let Some(reference) = out.remove("$ref") {
        if let Some(target) = reference.as_str().and_then(|id| find(sandbox, id))
            && let Some(kind) = target.get("type")
        {
            out.entry("type").or_insert_with(|| kind.clone());
        }
        out.insert("meta:referencedFrom".to_owned(), reference);
    }
    out.into()
}

/// Merges the fields of two definitions of one object.
fn merge(known: &mut Value, other: Value) {
    let (Some(known), Value::Object(other)) = (known.as_object_mut(), other) else {
        return;
    };
    for (key, value) in other {
        match known.get_mut(&key) {
            Some(inner) => merge(inner, value),
            None => {
                known.insert(key, value);
            }
        }
    }
}

/// A field of an object of which no fields are told.
static UNKNOWN: Value = Value::Null;

/// The field at a path of names. Every element of an array and every key of a map is reached by its parent's schema. An
/// object of which no fields are told may have any.
pub(crate) fn field_at<'a>(fields: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (name, rest) = path.split_first()?;
    let mut field = fields.get(*name)?;
    let mut rest = rest;
    loop {
        if let Some(items) = field.get("items") {
            field = items;
            continue;
        }
        let [next, ..] = rest else {
            return Some(field);
        };
        match (
            field.get("properties").and_then(Value::as_object),
            field.get("additionalProperties"),
        ) {
            (Some(inner), _) if inner.contains_key(*next) => return field_at(inner, rest),
            (_, Some(element)) => {
                field = element;
                rest = &rest[1..];
            }
            (None, None) if text(field, "type") == "object" => return Some(&UNKNOWN),
            _ => return None,
        }
    }
}

/// The field at a path as descriptors write it, such as `/personalEmail/address`.
pub(super) fn field_of_path<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let path = path.strip_prefix('/')?;
    let steps: Vec<_> = path
        .split('/')
        .map(|step| step.trim_end_matches("[*]"))
        .collect();
    field_at(fields, &steps)
}

/// The resources that `allOf` names.
pub(super) fn composed(object: &Value) -> impl Iterator<Item = &str> {
    let parts = object.get("allOf").and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .map(|part| text(part, "$ref"))
        .filter(|id| !id.is_empty() && !id.starts_with('#'))
}

/// Every `$ref` to another resource inside a definition, each once, in order of appearance.
pub(super) fn references(node: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(node, &mut found);
    found
}

fn gather(node: &Value, found: &mut Vec<String>) {
    let reference = text(node, "$ref");
    if !reference.is_empty() && !reference.starts_with('#') && !found.iter().any(|f| f == reference)
    {
        found.push(reference.to_owned());
    }
    match node {
        Value::Object(members) => members.values().for_each(|v| gather(v, found)),
        Value::Array(items) => items.iter().for_each(|v| gather(v, found)),
        _ => {}
    }
}
