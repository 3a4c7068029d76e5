//! Which fields the specs have, as the definitions say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};

use super::{Kind, crds};

/// The fields of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not a value with fields, or one whose fields Adobe defines.
    Leaf,
    /// The fields of an object.
    Object(BTreeMap<String, Shape>),
    /// What each item of a list looks like.
    List(Box<Shape>),
}

static SPECS: LazyLock<BTreeMap<Kind, Shape>> = LazyLock::new(|| {
    let specs = Kind::ALL.into_iter().zip(crds());
    let specs = specs.filter_map(|(kind, crd)| {
        let version = crd.spec.versions.into_iter().next()?;
        let root = version.schema?.open_api_v3_schema?;
        Some((kind, shape(root.properties?.get("spec")?)))
    });
    specs.collect()
});

/// The fields of the kind's spec.
#[must_use]
pub fn spec_shape(kind: Kind) -> Option<&'static Shape> {
    SPECS.get(&kind)
}

fn shape(schema: &JSONSchemaProps) -> Shape {
    if schema.x_kubernetes_preserve_unknown_fields == Some(true) {
        return Shape::Leaf;
    }
    if let Some(properties) = &schema.properties {
        let fields = properties.iter();
        let fields = fields.map(|(name, schema)| (name.clone(), shape(schema)));
        return Shape::Object(fields.collect());
    }
    match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => match shape(item) {
            Shape::Leaf => Shape::Leaf,
            item => Shape::List(Box::new(item)),
        },
        _ => Shape::Leaf,
    }
}
