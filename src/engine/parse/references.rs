//! What a custom resource refers to, found by the names of the fields alone: also where the resource cannot be read.

use serde_json::value::RawValue;

use super::Fields;
use crate::api::{Kind, Reference, Target};

/// How deeply a reference may lie in a spec.
const DEPTH: usize = 8;

/// Everything that the spec may refer to. A reference too many only delays the deletion of what it names.
pub(super) fn all(object: &Fields) -> Vec<Reference> {
    let mut found = Vec::new();
    if let Some(spec) = object.get("spec") {
        search(spec, DEPTH, &mut found);
    }
    found
}

fn search(value: &RawValue, depth: usize, found: &mut Vec<Reference>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    if let Ok(fields) = serde_json::from_str::<Fields>(value.get()) {
        for (field, value) in fields {
            let named =
                target(&field).and_then(|target| Some(Reference::new(target, name(value)?)));
            match named {
                Some(reference) if !found.contains(&reference) => found.push(reference),
                Some(_) => {}
                None => search(value, depth, found),
            }
        }
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        for item in items {
            search(item, depth, found);
        }
    }
}

/// What a field of this name refers to.
fn target(field: &str) -> Option<Target> {
    match field.strip_suffix("Ref")? {
        "credentials" | "secretKey" => Some(Target::Secret),
        "schema" => Some(Target::Kind(Kind::PlatformSchema)),
        prefix => {
            let mut kinds = Kind::ALL.into_iter();
            let kind = kinds.find(|it| it.name().eq_ignore_ascii_case(prefix));
            kind.map(Target::Kind)
        }
    }
}

fn name(reference: &RawValue) -> Option<String> {
    let fields: Fields = serde_json::from_str(reference.get()).ok()?;
    serde_json::from_str(fields.get("name")?.get()).ok()
}
