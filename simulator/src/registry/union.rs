//! Unions: all schemas of one class that take part in Real-Time Customer Profile, seen as one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::accept;
use super::errors::{not_found, refusal};
use super::{alt_id, find as find_resource, listing, resolve, standard, text, texts, view};
use crate::collection::Collection;
use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

const TITLE: &str = "Union descriptor validation error";

/// Whether a schema carries the `union` tag.
pub(super) fn is_enabled(schema: &Value) -> bool {
    texts(schema, "meta:immutableTags").any(|tag| tag == "union")
}

/// Lists the unions.
pub(super) fn list(
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let view = accept::list(request, cx)?;
    let classes: BTreeSet<_> = members(sandbox)
        .map(|schema| text(schema, "meta:class"))
        .collect();
    let unions: Vec<_> = classes
        .into_iter()
        .map(|class| of_class(sandbox, class))
        .collect();
    let page = listing::page(request, unions.iter().collect(), "meta:altId", |union| {
        view::shown(sandbox, union, view)
    });
    Ok(Answer::json(200, page))
}

/// Looks one union up.
pub(super) fn look_up(
    id: &str,
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let (view, major) = accept::lookup(request, cx)?;
    match find(sandbox, id).filter(|_| major == "1") {
        Some(union) => Ok(Answer::json(200, view::shown(sandbox, &union, view))),
        None => Err(not_found(cx, "XDM-1015-404", id, &major)),
    }
}

/// The union of this id, which exists as soon as one schema of its class takes part.
pub(super) fn find(sandbox: &Sandbox, any_id: &str) -> Option<Value> {
    let alt = alt_id(any_id);
    let class_alt = alt.strip_suffix("__union")?;
    let member = members(sandbox).find(|schema| alt_id(text(schema, "meta:class")) == class_alt)?;
    Some(of_class(sandbox, text(member, "meta:class")))
}

fn of_class(sandbox: &Sandbox, class: &str) -> Value {
    let schemas: Vec<_> = members(sandbox)
        .filter(|schema| text(schema, "meta:class") == class)
        .map(|schema| text(schema, "$id"))
        .collect();
    let id = format!("{class}__union");
    let definition = find_resource(sandbox, class);
    let title = definition.map_or(class, |c| text(c, "title"));
    let inherited = definition
        .into_iter()
        .flat_map(|c| texts(c, "meta:extends"));
    let extends: Vec<_> = schemas
        .iter()
        .copied()
        .chain([class])
        .chain(inherited)
        .collect();
    json!({
        "meta:altId": alt_id(&id),
        "$id": id,
        "meta:resourceType": "unions",
        "version": "1.0",
        "title": title,
        "type": "object",
        "description": definition.map_or("", |c| text(c, "description")),
        "allOf": schemas.iter().map(|id| json!({ "$ref": id })).collect::<Vec<_>>(),
        "meta:class": class,
        "meta:extends": extends,
        "meta:extensible": false,
        "meta:abstract": false,
        "meta:xdmType": "object",
        "meta:containerId": "tenant",
    })
}

fn members(sandbox: &Sandbox) -> impl Iterator<Item = &Value> {
    let schemas = sandbox.registry.get("schemas");
    schemas
        .into_iter()
        .flat_map(Collection::iter)
        .map(|(_, schema)| schema)
        .filter(|schema| is_enabled(schema))
}

/// Checks that a schema may join its class's union.
pub(super) fn admit(schema: &Value, sandbox: &Sandbox, cx: &mut Context<'_>) -> Result<(), Answer> {
    if standard::is_ad_hoc(schema) {
        let detail = "An ad hoc schema cannot participate in a union";
        return Err(refusal(cx, "XDM-SIM-UNION-400", TITLE, detail));
    }
    let fields = resolve::properties(sandbox, schema);
    let primary = descriptors(sandbox, schema, "xdm:descriptorIdentity")
        .any(|d| d["xdm:isPrimary"] == json!(true));
    if !primary && !fields.contains_key("identityMap") {
        let detail = "To participate in a union, a schema must include an identityMap fieldgroup or a primary identity descriptor.";
        return Err(refusal(cx, "XDM-1528-400", TITLE, detail));
    }
    relationships(schema, sandbox, cx)?;
    let class = text(schema, "meta:class");
    for member in members(sandbox).filter(|m| text(m, "meta:class") == class) {
        if let Some((path, known, new)) =
            conflict(&resolve::properties(sandbox, member), &fields, "")
        {
            let id = text(member, "$id");
            let detail = format!(
                "Merge Schema Error: Cannot merge incompatible data types. The path {path} has already been defined \
                 in schema (id={id}) using a different data type. Types: {known}, {new}"
            );
            return Err(refusal(cx, "XDM-1413-400", "Merge Schema Error", &detail));
        }
    }
    Ok(())
}

/// A relationship needs a reference identity on its field, with the namespace of the destination's identity.
fn relationships(schema: &Value, sandbox: &Sandbox, cx: &mut Context<'_>) -> Result<(), Answer> {
    for relationship in descriptors(sandbox, schema, "xdm:descriptorOneToOne") {
        let property = &relationship["xdm:sourceProperty"];
        let reference = descriptors(sandbox, schema, "xdm:descriptorReferenceIdentity")
            .find(|d| d["xdm:sourceProperty"] == *property);
        let Some(reference) = reference else {
            let detail = format!(
                "The relationship on {property} needs a reference identity descriptor on the same field"
            );
            return Err(refusal(cx, "XDM-1526-400", TITLE, &detail));
        };
        let destination = find_resource(sandbox, text(relationship, "xdm:destinationSchema"));
        let primary = destination.and_then(|schema| {
            descriptors(sandbox, schema, "xdm:descriptorIdentity")
                .find(|d| d["xdm:isPrimary"] == json!(true))
        });
        if primary.is_some_and(|p| p["xdm:namespace"] != reference["xdm:identityNamespace"]) {
            let detail =
                format!("The namespaces of both ends of the relationship on {property} must match");
            return Err(refusal(cx, "XDM-1527-400", TITLE, &detail));
        }
    }
    Ok(())
}

fn descriptors<'a>(
    sandbox: &'a Sandbox,
    schema: &'a Value,
    kind: &'a str,
) -> impl Iterator<Item = &'a Value> {
    let all = sandbox
        .registry
        .get("descriptors")
        .into_iter()
        .flat_map(Collection::iter);
    all.map(|(_, d)| d).filter(move |d| {
        text(d, "@type") == kind && text(d, "xdm:sourceSchema") == text(schema, "$id")
    })
}

/// The first path that two schemas define with different types.
fn conflict(
    known: &Map<String, Value>,
    new: &Map<String, Value>,
    parent: &str,
) -> Option<(String, String, String)> {
    known.iter().find_map(|(name, before)| {
        let after = new.get(name)?;
        let path = format!("{parent}/{name}");
        let types = (text(before, "type"), text(after, "type"));
        if types.0 != types.1 {
            return Some((path, types.0.to_owned(), types.1.to_owned()));
        }
        let inner = |field: &Value| field.get("properties").and_then(Value::as_object).cloned();
        conflict(&inner(before)?, &inner(after)?, &path)
    })
}
