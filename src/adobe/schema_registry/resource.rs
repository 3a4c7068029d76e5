//! The objects of Schema Registry.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::adobe::tolerant;

/// What the registry says about the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// The tenant's id, without the underscore of its namespace.
    pub tenant_id: String,
}

/// A schema, class or field group, with references as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct RegistryResource {
    /// The `$id`: a URI, to be used in bodies.
    #[serde(rename = "$id")]
    pub id: String,
    /// The `meta:altId`, to be used in paths; empty where the service leaves it out.
    #[serde(rename = "meta:altId", default)]
    pub alt_id: String,
    /// The title, unique among all resources of the sandbox.
    #[serde(default)]
    pub title: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// Major and minor version; says nothing reliable about changes.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub version: Option<String>,
    /// The class of a schema.
    #[serde(rename = "meta:class", default)]
    pub class: Option<String>,
    /// What it is composed of. May hold the same entry twice.
    #[serde(rename = "allOf", default, deserialize_with = "tolerant::or_default")]
    pub all_of: Vec<Value>,
    /// Own fields, under a freely chosen name.
    #[serde(default)]
    pub definitions: Option<Value>,
    /// Own fields of resources that are kept flat.
    #[serde(default)]
    pub properties: Option<Value>,
    /// Tags that can be added but never removed: `union` for profiles.
    #[serde(
        rename = "meta:immutableTags",
        default,
        deserialize_with = "tolerant::or_default"
    )]
    pub immutable_tags: Vec<String>,
    /// Milliseconds since 1970.
    #[serde(
        rename = "meta:registryMetadata",
        default,
        deserialize_with = "created"
    )]
    pub created: Option<i64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A statement about a field of a schema, such as that it is an identity.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Descriptor {
    /// The `@id`.
    #[serde(rename = "@id")]
    pub id: String,
    /// The `@type`, such as `xdm:descriptorIdentity`.
    #[serde(rename = "@type", default)]
    pub type_: String,
    /// The `$id` of the schema it is about.
    #[serde(rename = "xdm:sourceSchema", default)]
    pub source_schema: String,
    /// The path of the field, such as `/person/name`; several paths are joined by commas, and some types have none.
    #[serde(rename = "xdm:sourceProperty", default, deserialize_with = "paths")]
    pub source_property: String,
    /// The identity namespace; its case may differ from what was sent.
    #[serde(rename = "xdm:namespace", default, deserialize_with = "tolerant::text")]
    pub namespace: Option<String>,
    /// Whether the identity is the primary one.
    #[serde(rename = "xdm:isPrimary", default, deserialize_with = "tolerant::flag")]
    pub is_primary: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl RegistryResource {
    /// With its `altId` computed if the service left it out.
    pub(super) fn settled(mut self) -> Self {
        if self.alt_id.is_empty() {
            self.alt_id = alt_id(&self.id).unwrap_or_default();
        }
        self
    }
}

/// The `meta:altId` that belongs to a `$id`: `https://ns.adobe.com/acme/schemas/ab` → `_acme.schemas.ab`. `None` for what
/// is not an id of the registry.
#[must_use]
pub fn alt_id(dollar_id: &str) -> Option<String> {
    let path = dollar_id.strip_prefix("https://ns.adobe.com/")?;
    let well_formed = path.contains('/') && path.split('/').all(|part| !part.is_empty());
    well_formed.then(|| format!("_{}", path.replace('/', ".")))
}

fn created<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    let metadata = Value::deserialize(input)?;
    let names = ["repo:createdDate", "repo:createDate"];
    Ok(names
        .iter()
        .find_map(|name| tolerant::as_millis(metadata.get(name)?)))
}

fn paths<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Value::deserialize(input).map(|value| tolerant::texts(&value).join(","))
}

/// What pages of the registry hold.
pub(super) trait Listed: serde::de::DeserializeOwned {
    fn id(&self) -> &str;
    fn settled(self) -> Self;
}

impl Listed for RegistryResource {
    fn id(&self) -> &str {
        &self.id
    }

    fn settled(self) -> Self {
        self.settled()
    }
}

impl Listed for Descriptor {
    fn id(&self) -> &str {
        &self.id
    }

    fn settled(self) -> Self {
        self
    }
}
