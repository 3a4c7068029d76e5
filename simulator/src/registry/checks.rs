//! What the registry requires of a definition before it stores it.

use serde_json::Value;

use super::errors::{invalid, refusal};
use super::kind::Kind;
use super::resolve::{composed, references};
use super::{find, standard, text, texts};
use crate::collection::Collection;
use crate::http::Answer;
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

/// Checks a definition of this kind.
pub(super) fn definition(
    kind: Kind,
    object: &Value,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<(), Answer> {
    if text(object, "title").is_empty() {
        return Err(invalid(cx, "A resource needs a title"));
    }
    for reference in references(object) {
        if find(sandbox, &reference).is_none() {
            return Err(invalid(
                cx,
                &format!("The referenced resource {reference} does not exist"),
            ));
        }
    }
    if let Some(local) = dangling(object) {
        return Err(invalid(
            cx,
            &format!("The reference {local} leads nowhere in this resource"),
        ));
    }
    match kind {
        Kind::Schema => schema(object, sandbox, cx),
        Kind::Class => class(object, cx),
        Kind::FieldGroup => field_group(object, cx),
        Kind::DataType => data_type(object, cx),
        Kind::Behavior => Ok(()),
    }
}

/// Titles are unique over all of the tenant's resources in a sandbox, whatever their kind.
pub(super) fn title(
    object: &Value,
    own_alt_id: &str,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<(), Answer> {
    let title = text(object, "title");
    let other = Kind::OF_TENANT
        .iter()
        .filter_map(|kind| sandbox.registry.get(kind.collection()))
        .flat_map(Collection::iter)
        .find(|(alt_id, other)| *alt_id != own_alt_id && text(other, "title") == title);
    match other {
        None => Ok(()),
        Some((_, other)) => {
            let id = text(other, "$id");
            let detail = format!(
                "Object titles must be unique. An object {id} already exists with the same title."
            );
            Err(refusal(cx, "XDM-1521-400", "Title not unique", &detail))
        }
    }
}

fn schema(object: &Value, sandbox: &Sandbox, cx: &mut Context<'_>) -> Result<(), Answer> {
    let parts = object.get("allOf").and_then(Value::as_array);
    if parts.is_none_or(Vec::is_empty) {
        return Err(invalid(cx, "A schema needs allOf with a class"));
    }
    let inline = parts
        .into_iter()
        .flatten()
        .any(|part| text(part, "$ref").is_empty());
    if inline || object.get("properties").is_some() {
        let detail = "Custom fields cannot be defined in a schema; define them in a field group and refer to it";
        return Err(refusal(
            cx,
            "XDM-1519-400",
            "Custom fields validation error",
            detail,
        ));
    }
    let mut classes: Vec<_> = composed(object)
        .filter(|id| find(sandbox, id).is_some_and(|r| Kind::of(r) == Some(Kind::Class)))
        .collect();
    classes.dedup();
    let [class] = classes[..] else {
        return Err(invalid(cx, "A schema is composed of exactly one class"));
    };
    if cx.profile == Profile::Strict {
        compatible(object, class, sandbox, cx)?;
    }
    Ok(())
}

/// Every field group must be meant for the class or for something the class extends.
fn compatible(
    schema: &Value,
    class: &str,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<(), Answer> {
    let ancestry: Vec<_> = find(sandbox, class)
        .into_iter()
        .flat_map(|c| texts(c, "meta:extends"))
        .chain([class])
        .collect();
    for id in composed(schema).filter(|id| *id != class) {
        let group = find(sandbox, id).filter(|g| Kind::of(g) == Some(Kind::FieldGroup));
        let fits = group.is_some_and(|g| {
            texts(g, "meta:intendedToExtend").any(|target| ancestry.contains(&target))
        });
        if !fits {
            return Err(invalid(
                cx,
                &format!("{id} does not extend the class {class}"),
            ));
        }
    }
    Ok(())
}

fn class(object: &Value, cx: &mut Context<'_>) -> Result<(), Answer> {
    let behaviors: Vec<_> = composed(object)
        .filter(|id| standard::is_behavior(id))
        .collect();
    match behaviors[..] {
        [] => Err(invalid(
            cx,
            "A class needs a behavior in allOf, such as https://ns.adobe.com/xdm/data/record",
        )),
        // Columns of raw data live under the class's own namespace.
        [id] if id.contains("/adhoc") => Ok(()),
        _ => name_space(object, cx),
    }
}

fn field_group(object: &Value, cx: &mut Context<'_>) -> Result<(), Answer> {
    if texts(object, "meta:intendedToExtend").next().is_none() {
        return Err(invalid(cx, "A field group needs meta:intendedToExtend"));
    }
    name_space(object, cx)
}

fn data_type(object: &Value, cx: &mut Context<'_>) -> Result<(), Answer> {
    let has = |key: &str| object.get(key).is_some();
    match text(object, "type") {
        "object" if !has("properties") && !has("allOf") && !has("additionalProperties") => {
            Err(invalid(cx, "A data type of type object needs properties"))
        }
        "array" if !has("items") => Err(invalid(cx, "A data type of type array needs items")),
        _ => names(object, cx),
    }
}

/// Custom fields lie under the tenant's namespace, so that they never collide with Adobe's.
fn name_space(object: &Value, cx: &mut Context<'_>) -> Result<(), Answer> {
    let space = format!("_{}", cx.tenant);
    if let Some((name, _)) = own_fields(object).find(|(name, _)| **name != space) {
        let detail = format!(
            "For custom fields, you must use a top level field named {space}; found {name}"
        );
        return Err(refusal(
            cx,
            "XDM-1020-400",
            "Namespace validation error",
            &detail,
        ));
    }
    names(object, cx)
}

/// Custom names have letters, digits, `-` and `_`, and do not start with `_`, except the tenant's namespace.
fn names(object: &Value, cx: &mut Context<'_>) -> Result<(), Answer> {
    let space = format!("_{}", cx.tenant);
    let bad = own_fields(object).find_map(|(name, field)| bad_name(name, field, &space));
    bad.map_or(Ok(()), |name| {
        let detail = format!("{name:?} is not a name for a custom field");
        Err(invalid(cx, &detail))
    })
}

fn bad_name<'a>(name: &'a str, field: &'a Value, space: &str) -> Option<&'a str> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let good = !name.is_empty() && !name.starts_with('_') && name.chars().all(known);
    if !good && name != space {
        return Some(name);
    }
    let field = field.get("items").unwrap_or(field);
    fields(field).find_map(|(name, inner)| bad_name(name, inner, space))
}

/// The fields that a resource itself defines, wherever it does.
fn own_fields(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let parts = object.get("allOf").and_then(Value::as_array);
    let definitions = object.get("definitions").and_then(Value::as_object);
    let definitions = definitions.into_iter().flatten().map(|(_, it)| it);
    let nodes = parts.into_iter().flatten().chain(definitions);
    nodes.chain([object]).flat_map(fields)
}

fn fields(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// A reference into the resource itself that leads nowhere.
fn dangling(object: &Value) -> Option<&str> {
    let parts = object.get("allOf").and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .map(|part| text(part, "$ref"))
        .find(|reference| {
            let local = reference.strip_prefix('#');
            local.is_some_and(|pointer| object.pointer(pointer).is_none())
        })
}
