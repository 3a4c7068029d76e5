//! The fields of a schema's own: where its class or field group stores them, and what has to change about them.

use serde_json::{Map, Value};

use crate::adobe::{PatchOp, RegistryResource};
use crate::engine::{Error, Result};

/// Finds the own fields: below a name that starts with an underscore, in a definition, in `allOf` or at the top.
pub(super) fn locate(resource: &RegistryResource) -> Option<(String, Map<String, Value>)> {
    let definitions = resource.definitions.as_ref().and_then(Value::as_object);
    let definitions = definitions.into_iter().flatten();
    let definitions =
        definitions.map(|(name, value)| (format!("/definitions/{}", segment(name)), value));
    let members = resource.all_of.iter().enumerate();
    let members = members.map(|(index, value)| (format!("/allOf/{index}"), value));
    let nested = definitions
        .chain(members)
        .filter_map(|(at, value)| Some((at, value.get("properties")?)));
    let top = resource.properties.iter().map(|it| (String::new(), it));
    nested.chain(top).find_map(|(at, properties)| {
        let mut entries = properties.as_object()?.iter();
        let (name, value) = entries.find(|(name, _)| name.starts_with('_'))?;
        let fields = value.get("properties")?.as_object()?.clone();
        Some((
            format!("{at}/properties/{}/properties", segment(name)),
            fields,
        ))
    })
}

/// Fields may be added. Any other difference would break existing records, so it is refused before Adobe refuses it.
pub(super) fn compare_fields(
    ops: &mut Vec<PatchOp>,
    pointer: &str,
    path: &str,
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
) -> Result<()> {
    if let Some(name) = found.keys().find(|name| !wanted.contains_key(*name)) {
        return Err(Error::Invalid(format!(
            "`{path}.{name}` exists at Adobe but not in the spec: removing a field is a breaking \
             change; restore it or create a new resource under another name"
        )));
    }
    for (name, wanted) in wanted {
        let pointer = format!("{pointer}/{}", segment(name));
        let path = format!("{path}.{name}");
        match found.get(name) {
            Some(found) => compare_field(ops, &pointer, &path, wanted, found)?,
            None => ops.push(PatchOp::add(pointer, wanted.clone())),
        }
    }
    Ok(())
}

fn compare_field(
    ops: &mut Vec<PatchOp>,
    pointer: &str,
    path: &str,
    wanted: &Value,
    found: &Value,
) -> Result<()> {
    let empty = Map::new();
    for (key, want) in wanted.as_object().unwrap_or(&empty) {
        let have = found.get(key).unwrap_or(&Value::Null);
        let at = format!("{pointer}/{}", segment(key));
        match (key.as_str(), want, have) {
            ("properties", Value::Object(want), Value::Object(have)) => {
                compare_fields(ops, &at, path, want, have)?;
            }
            ("items", Value::Object(_), Value::Object(_)) => {
                compare_field(ops, &at, path, want, have)?;
            }
            _ if is_within(want, have) => {}
            ("title" | "description", _, _) => ops.push(PatchOp::add(at, want.clone())),
            _ => {
                return Err(Error::Invalid(format!(
                    "`{path}` has `{key}: {have}` at Adobe and `{key}: {want}` in the spec: \
                     redefining a field is a breaking change; restore it or add another field"
                )));
            }
        }
    }
    Ok(())
}

/// Whether Adobe holds everything in the spec; what it adds does not count.
fn is_within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(key, want)| is_within(want, found.get(key).unwrap_or(&Value::Null))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(want, have)| is_within(want, have))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        _ => wanted == found,
    }
}

/// One name as a segment of a JSON pointer.
fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
