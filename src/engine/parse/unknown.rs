//! Fields that this version of the operator does not know: the resource was written for a later one.

use serde_json::value::RawValue;

use super::Fields;
use crate::api::{Kind, Shape, spec_shape};

/// The paths of the fields of the spec that are not in the kind's definition.
pub(super) fn fields(kind: Kind, object: &Fields) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(shape), Some(spec)) = (spec_shape(kind), object.get("spec")) {
        compare(shape, spec, "spec", &mut found);
    }
    found
}

fn compare(shape: &Shape, value: &RawValue, path: &str, found: &mut Vec<String>) {
    match shape {
        Shape::Leaf => {}
        Shape::List(item) => {
            let items = serde_json::from_str::<Vec<&RawValue>>(value.get());
            for (position, value) in items.into_iter().flatten().enumerate() {
                compare(item, value, &format!("{path}[{position}]"), found);
            }
        }
        Shape::Object(properties) => {
            let fields = serde_json::from_str::<Fields>(value.get());
            for (name, value) in fields.into_iter().flatten() {
                match properties.get(&name) {
                    Some(Shape::Leaf) => {}
                    Some(shape) => compare(shape, value, &format!("{path}.{name}"), found),
                    None => found.push(format!("{path}.{name}")),
                }
            }
        }
    }
}
