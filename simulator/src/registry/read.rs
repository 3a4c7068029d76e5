//! Listings and lookups of schemas, classes, field groups, data types and behaviors.

use serde_json::{Map, Value, json};

use super::accept::{self, Shape, View};
use super::errors;
use super::kind::Kind;
use super::{alt_id, listing, resolve, standard, text, union};
use crate::collection::Collection;
use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Lists one kind.
pub(super) fn list(
    kind: Kind,
    tenant: bool,
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let view = accept::list(request, cx)?;
    let items: Vec<&Value> = if tenant {
        let collection = sandbox.registry.get(kind.collection());
        collection
            .into_iter()
            .flat_map(|c| c.listed(cx.now_ms, cx.list_lag_ms))
            .map(|(_, object)| object)
            .collect()
    } else {
        standard::all(kind).collect()
    };
    let page = listing::page(request, items, "meta:altId", |item| {
        shown(sandbox, item, view)
    });
    Ok(Answer::json(200, page))
}

/// Looks one resource up; a schema's path also finds unions.
pub(super) fn look_up(
    kind: Kind,
    tenant: bool,
    id: &str,
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let (view, major) = accept::lookup(request, cx)?;
    let alt = alt_id(id);
    let union = union::find(sandbox, id).filter(|_| kind == Kind::Schema && tenant);
    let found = if tenant {
        let stored = sandbox.registry.get(kind.collection());
        union.as_ref().or_else(|| stored.and_then(|c| c.get(&alt)))
    } else {
        standard::find(&alt).filter(|object| Kind::of(object) == Some(kind))
    };
    match found.filter(|_| major == "1") {
        Some(object) => Ok(Answer::json(200, shown(sandbox, object, view))),
        None => Err(errors::not_found(cx, kind.not_found_code(), id, &major)),
    }
}

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
        shown.insert(
            "properties".to_owned(),
            resolve::properties(sandbox, object).into(),
        );
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
