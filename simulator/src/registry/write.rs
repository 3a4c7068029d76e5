//! Creating, changing and deleting schemas, classes, field groups and data types.

use json_patch::Patch;
use serde_json::{Value, json};

use super::errors::{in_use, invalid, missing, refusal};
use super::kind::Kind;
use super::{alt_id, breaking, build, checks, resolve, text, union, usage};
use crate::collection::Collection;
use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Answers one writing request below `/tenant/{kind}`.
pub(super) fn route(
    kind: Kind,
    rest: &[&str],
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    match (request.method.as_str(), rest) {
        ("POST", []) => create(kind, definition(request, cx)?, sandbox, cx),
        ("PUT", [id]) => {
            let old = existing(kind, id, sandbox, cx)?;
            put(kind, &old, definition(request, cx)?, sandbox, cx)
        }
        ("PATCH", [id]) => {
            let old = existing(kind, id, sandbox, cx)?;
            patch(kind, &old, request, sandbox, cx)
        }
        ("DELETE", [id]) => {
            let old = existing(kind, id, sandbox, cx)?;
            delete(kind, &old, sandbox, cx)
        }
        _ => Ok(Answer::html_not_found()),
    }
}

fn definition<'a>(request: &'a Request, cx: &mut Context<'_>) -> Result<&'a Value, Answer> {
    match &request.body {
        Some(body) if body.is_object() => Ok(body),
        _ => Err(invalid(cx, "The body must be a JSON object")),
    }
}

fn existing(
    kind: Kind,
    id: &str,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Value, Answer> {
    let found = sandbox
        .registry
        .get(kind.collection())
        .and_then(|c| c.get(&alt_id(id)));
    found.cloned().ok_or_else(|| missing(cx, kind, id))
}

fn create(
    kind: Kind,
    definition: &Value,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let digits = build::new_digits(kind, definition, cx);
    let mut object = build::resource(kind, definition, &digits, sandbox, cx)?;
    checks::title(&object, "", sandbox, cx)?;
    if union::is_enabled(&object) {
        union::admit(&object, sandbox, cx)?;
    }
    object["version"] = json!("1.0");
    build::stamp(&mut object, None, cx);
    collection(kind, sandbox).insert(text(&object, "meta:altId"), object.clone(), cx.now_ms);
    Ok(Answer::json(201, object))
}

fn put(
    kind: Kind,
    old: &Value,
    definition: &Value,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let flat = old.get("properties").is_some() && old.get("definitions").is_none();
    let reusable = matches!(kind, Kind::FieldGroup | Kind::DataType);
    if reusable && flat && definition.get("definitions").is_some() {
        let detail = "The resource is stored with properties; it cannot be replaced with definitions and allOf";
        return Err(refusal(
            cx,
            "XDM-1406-422",
            "Unprocessable resource",
            detail,
        ));
    }
    let mut definition = definition.clone();
    if definition.get("meta:immutableTags").is_none()
        && let Some(tags) = old.get("meta:immutableTags")
    {
        definition["meta:immutableTags"] = tags.clone();
    }
    replace(kind, old, &definition, sandbox, cx)
}

fn patch(
    kind: Kind,
    old: &Value,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let mut operations = request.body.clone().unwrap_or_default();
    for operation in operations.as_array_mut().into_iter().flatten() {
        // Adobe's specification and Python client spell the path so, and it works.
        if text(operation, "path") == "/meta:immutableTags-" {
            operation["path"] = json!("/meta:immutableTags");
        }
    }
    let patch: Patch = serde_json::from_value(operations)
        .map_err(|e| invalid(cx, &format!("The body must be a JSON Patch array: {e}")))?;
    let mut patched = old.clone();
    json_patch::patch(&mut patched, &patch)
        .map_err(|e| invalid(cx, &format!("The patch does not apply: {e}")))?;
    replace(kind, old, &patched, sandbox, cx)
}

/// Stores a new definition in place of an old one, if all rules allow it.
fn replace(
    kind: Kind,
    old: &Value,
    definition: &Value,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let (id, alt) = (text(old, "$id"), text(old, "meta:altId"));
    let digits = id.rsplit('/').next().unwrap_or_default();
    let mut object = build::resource(kind, definition, digits, sandbox, cx)?;
    checks::title(&object, alt, sandbox, cx)?;
    match (union::is_enabled(old), union::is_enabled(&object)) {
        (true, false) => {
            let detail = "The union tag of a schema cannot be removed";
            return Err(refusal(cx, "XDM-SIM-UNION-400", "Immutable tag", detail));
        }
        (false, true) => union::admit(&object, sandbox, cx)?,
        _ => {}
    }
    if usage::is_frozen(sandbox, id, cx.profile) {
        only_additions(old, &object, sandbox, cx)?;
    }
    object["version"] = json!(next_version(old, &object));
    build::stamp(&mut object, Some(old), cx);
    if let Some(stored) = collection(kind, sandbox).get_mut(alt) {
        stored.clone_from(&object);
    }
    Ok(Answer::json(200, object))
}

fn only_additions(
    old: &Value,
    new: &Value,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<(), Answer> {
    let class_changed = old.get("meta:class") != new.get("meta:class");
    let broken = if class_changed {
        Some("The class of a schema in use cannot be changed".to_owned())
    } else {
        let before = resolve::properties(sandbox, old);
        breaking::first(&before, &resolve::properties(sandbox, new))
    };
    match broken {
        None => Ok(()),
        Some(detail) => Err(refusal(
            cx,
            "XDM-SIM-BREAKING-400",
            "Breaking change",
            &detail,
        )),
    }
}

/// The minor version grows when the definition changes; enabling the union alone does not change it.
fn next_version(old: &Value, new: &Value) -> String {
    let definition = |object: &Value| {
        let mut part = build::client_part(object);
        part.remove("meta:immutableTags");
        part
    };
    let version = text(old, "version");
    match version
        .split_once('.')
        .and_then(|(major, minor)| Some((major, minor.parse::<u32>().ok()?)))
    {
        Some((major, minor)) if definition(old) != definition(new) => {
            format!("{major}.{}", minor + 1)
        }
        _ => version.to_owned(),
    }
}

fn delete(
    kind: Kind,
    old: &Value,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let (id, alt) = (text(old, "$id"), text(old, "meta:altId"));
    if union::is_enabled(old) {
        return Err(in_use(
            cx,
            "A schema that is enabled for Profile cannot be deleted",
        ));
    }
    let dependants = usage::dependants(sandbox, id);
    if !dependants.is_empty() {
        let detail = format!("{id} is used by {}", dependants.join(", "));
        return Err(in_use(cx, &detail));
    }
    let data_sets = usage::data_sets(sandbox, id);
    if !data_sets.is_empty() {
        let detail = format!("{id} is used by the data sets {}", data_sets.join(", "));
        return Err(in_use(cx, &detail));
    }
    collection(kind, sandbox).remove(alt, cx.now_ms);
    remove_descriptors(id, sandbox, cx.now_ms);
    Ok(Answer::empty(204))
}

/// Descriptors go with the resource that they describe.
fn remove_descriptors(id: &str, sandbox: &mut Sandbox, now_ms: i64) {
    let descriptors = sandbox.registry.entry("descriptors").or_default();
    let orphans: Vec<_> = descriptors
        .iter()
        .filter(|(_, d)| text(d, "xdm:sourceSchema") == id)
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in orphans {
        descriptors.remove(&key, now_ms);
    }
}

fn collection(kind: Kind, sandbox: &mut Sandbox) -> &mut Collection {
    sandbox.registry.entry(kind.collection()).or_default()
}
