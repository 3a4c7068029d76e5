//! Whether a change only adds fields or makes some less restrictive, which is all that a schema in use allows.
//!
//! The rules for enums are documented one by one: values can be added, or all be dropped; some cannot be dropped, and an enum
//! cannot come where there was none, suggested values included. Other constraints follow the principle. A new field can be
//! required; whether a known one can become so is told both ways, so it cannot.

use serde_json::{Map, Value};

use super::texts;

/// What the type of a field consists of.
const TYPE: [&str; 3] = ["type", "meta:xdmType", "meta:referencedFrom"];
const LOWER_BOUNDS: [&str; 5] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
const UPPER_BOUNDS: [&str; 5] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Constraints that can be dropped, but of which it cannot be told whether another one is weaker.
const OPAQUE: [&str; 5] = ["pattern", "multipleOf", "uniqueItems", "const", "format"];

/// Describes the first change that would break data that exists, if there is one.
pub(super) fn first(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    fields(old, new, "")
}

fn fields(old: &Map<String, Value>, new: &Map<String, Value>, parent: &str) -> Option<String> {
    old.iter().find_map(|(name, before)| {
        let path = format!("{parent}/{name}");
        match new.get(name) {
            None => Some(format!("The field {path} cannot be removed")),
            Some(after) => field(before, after, &path),
        }
    })
}

fn field(before: &Value, after: &Value, path: &str) -> Option<String> {
    if let Some(key) = TYPE.iter().find(|key| before.get(*key) != after.get(*key)) {
        return Some(format!("{key} of the field {path} cannot be changed"));
    }
    if is_date(before) && before.get("format") != after.get("format") {
        return Some(format!("format of the field {path} cannot be changed"));
    }
    if let Some(key) = narrowed(before, after) {
        return Some(format!("{key} of the field {path} cannot be narrowed"));
    }
    let known = |name: &str| {
        before
            .get("properties")
            .is_some_and(|p| p.get(name).is_some())
    };
    let optional = |name: &str| !texts(before, "required").any(|r| r == name);
    if let Some(name) = texts(after, "required").find(|name| known(name) && optional(name)) {
        return Some(format!("The field {path}/{name} cannot become required"));
    }
    let inner = |node: &Value| {
        node.get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    fields(&inner(before), &inner(after), path).or_else(|| {
        ["items", "additionalProperties"].iter().find_map(|key| {
            let element = |node: &Value| node.get(*key).filter(|it| it.is_object()).cloned();
            let after = element(after).unwrap_or_default();
            field(&element(before)?, &after, &format!("{path}[*]"))
        })
    })
}

fn is_date(field: &Value) -> bool {
    field["format"] == "date" || field["format"] == "date-time"
}

/// The constraint by which fewer values are allowed than before.
fn narrowed(before: &Value, after: &Value) -> Option<&'static str> {
    let bound = |node: &Value, key: &str| node.get(key).and_then(Value::as_f64);
    let tighter = |key: &&&str, is_tighter: fn(f64, f64) -> bool| {
        bound(after, key)
            .is_some_and(|new| bound(before, key).is_none_or(|old| is_tighter(new, old)))
    };
    let replaced = |key: &&&str| {
        let new = after.get(**key).filter(|new| **new != false);
        new.is_some_and(|new| before.get(**key) != Some(new))
    };
    let mut upper = UPPER_BOUNDS.iter();
    let mut lower = LOWER_BOUNDS.iter();
    let bounds = upper.find(|key| tighter(key, |new, old| new < old));
    let bounds = bounds.or_else(|| lower.find(|key| tighter(key, |new, old| new > old)));
    let opaque = || OPAQUE.iter().find(replaced);
    let found = bounds.or_else(opaque).copied();
    found.or_else(|| has_fewer_values(before, after).then_some("enum"))
}

fn has_fewer_values(before: &Value, after: &Value) -> bool {
    let list = |node: &Value| node.get("enum").and_then(Value::as_array).cloned();
    match (list(before), list(after)) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => old.iter().any(|value| !new.contains(value)),
        (_, None) => false,
    }
}
