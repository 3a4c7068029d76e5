//! Whether a change to fields only adds, which is all that a schema in use allows.

use serde_json::{Map, Value};

use super::{text, texts};

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
    for key in ["type", "format", "meta:xdmType", "meta:referencedFrom"] {
        if before.get(key) != after.get(key) {
            return Some(format!("{key} of the field {path} cannot be changed"));
        }
    }
    if is_narrowed(before, after) {
        return Some(format!("The values of the field {path} cannot be narrowed"));
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
        let item = |node: &Value| node.get("items").cloned();
        field(
            &item(before)?,
            &item(after).unwrap_or_default(),
            &format!("{path}[*]"),
        )
    })
}

/// Whether fewer values are allowed than before.
fn is_narrowed(before: &Value, after: &Value) -> bool {
    let bound = |node: &Value, key: &str| node.get(key).and_then(Value::as_f64);
    let tighter_top = ["maximum", "maxLength", "maxItems"].iter().any(|key| {
        bound(after, key).is_some_and(|new| bound(before, key).is_none_or(|old| new < old))
    });
    let tighter_bottom = ["minimum", "minLength", "minItems"].iter().any(|key| {
        bound(after, key).is_some_and(|new| bound(before, key).is_none_or(|old| new > old))
    });
    let list = |node: &Value| node.get("enum").and_then(Value::as_array).cloned();
    let fewer = match (list(before), list(after)) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => old.iter().any(|value| !new.contains(value)),
        (_, None) => false,
    };
    let pattern = |node: &Value| text(node, "pattern").to_owned();
    let repatterned = !pattern(after).is_empty() && pattern(after) != pattern(before);
    tighter_top || tighter_bottom || fewer || repatterned
}
