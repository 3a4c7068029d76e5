//! Where a class or field group stores the fields of a schema's own.

use serde_json::{Map, Value};

use crate::adobe::RegistryResource;

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

/// One name as a segment of a JSON pointer.
pub(super) fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
