//! How much of a resource a caller sees.

use serde_json::{Map, Value, json};

use super::accept::{Shape, View};
use super::{resolve, text};
use crate::collection::Collection;
use crate::world::Sandbox;

/// A resource as a view shows it.
pub(super) fn shown(sandbox: &Sandbox, object: &Value, view: View) -> Value {
    if view.shape == Shape::Brief {
        return summary(object);
    }
    let mut shown = object.as_object().cloned().unwrap_or_default();
    shown.remove("refs");
    if view.shape == Shape::Full {
        shown.remove("allOf");
        shown.remove("definitions");
        let mut fields = resolve::properties(sandbox, object);
        if view.flat {
            fields = flat(&fields);
        }
        shown.insert("properties".to_owned(), fields.into());
    }
    if view.descriptors {
        shown.insert("meta:descriptors".to_owned(), descriptors(sandbox, object));
    }
    let mut shown = Value::Object(shown);
    if view.notext {
        strip_text(&mut shown);
    }
    shown
}

/// Every field that holds a value, by its path. No document describes this view; Adobe's Python client takes the keys for
/// paths with slashes. How elements of arrays are spelled is a guess.
fn flat(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, field) in fields {
        spread(name.clone(), field, &mut found);
    }
    found
}

fn spread(path: String, field: &Value, found: &mut Map<String, Value>) {
    if let Some(items) = field
        .get("items")
        .filter(|it| it.get("properties").is_some())
    {
        return spread(format!("{path}[*]"), items, found);
    }
    match field.get("properties").and_then(Value::as_object) {
        None => {
            found.insert(path, field.clone());
        }
        Some(inner) => {
            for (name, field) in inner {
                spread(format!("{path}/{name}"), field, found);
            }
        }
    }
}

/// Ids, title and version.
pub(super) fn summary(object: &Value) -> Value {
    let members = ["$id", "meta:altId", "title", "version"];
    members
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone())))
        .collect::<Map<_, _>>()
        .into()
}

fn descriptors(sandbox: &Sandbox, object: &Value) -> Value {
    let id = text(object, "$id");
    let all = sandbox
        .registry
        .get("descriptors")
        .into_iter()
        .flat_map(Collection::iter);
    json!(
        all.map(|(_, descriptor)| descriptor)
            .filter(|descriptor| text(descriptor, "xdm:sourceSchema") == id)
            .collect::<Vec<_>>()
    )
}

/// Removes titles and descriptions, but no field that is merely called so: its value is an object.
fn strip_text(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, v| {
                !(matches!(key.as_str(), "title" | "description") && v.is_string())
            });
            members.values_mut().for_each(strip_text);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_text),
        _ => {}
    }
}
