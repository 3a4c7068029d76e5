//! The wire format of mapping sets and of their validation.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{MappingFault, MappingRow, MappingSet, Rest, SourceKind};
use crate::adobe::tolerant;

impl From<Option<String>> for SourceKind {
    fn from(spelling: Option<String>) -> Self {
        let Some(spelling) = spelling else {
            return Self::Attribute;
        };
        match spelling.to_ascii_lowercase().as_str() {
            "attribute" | "text/x.schema-path" => Self::Attribute,
            "expression" | "text/x.aep-xl" => Self::Expression,
            "static" | "text/plain" => Self::Static,
            _ => Self::Other(spelling),
        }
    }
}

pub(super) fn version<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    Value::deserialize(input).map(|value| tolerant::as_integer(&value).unwrap_or_default())
}

/// What is worth sending back: nothing that Adobe writes by itself, nor what it fills in where it is left out.
fn rest(mut members: Map<String, Value>) -> Rest {
    members.retain(|name, value| match name.as_str() {
        "id"
        | "version"
        | "createdDate"
        | "modifiedDate"
        | "createdBy"
        | "modifiedBy"
        | "status"
        | "supportVersion"
        | "matchScore"
        | "expressionAttributes" => false,
        "identity" | "primaryIdentity" | "allowNullValues" | "strictMapping" => *value == true,
        "functionVersion" => *value != 1,
        "xdmVersion" => *value != "1.0",
        "inputSchema" => {
            let members = value.as_object().into_iter().flatten();
            let mut members = members.map(|(name, _)| name.as_str());
            members.any(|name| !["id", "version"].contains(&name))
        }
        _ => !value.is_null(),
    });
    members.into()
}

/// A mapping set under both sets of names that Adobe uses, often at once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    id: String,
    #[serde(default, deserialize_with = "version")]
    version: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    output_schema: Value,
    #[serde(default)]
    xdm_schema: Value,
    #[serde(default)]
    schema_ref: Value,
    #[serde(default, deserialize_with = "tolerant::or_default")]
    mappings: Vec<MappingRow>,
    #[serde(default, deserialize_with = "tolerant::millis")]
    created_date: Option<i64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<Wire> for MappingSet {
    fn from(wire: Wire) -> Self {
        let candidates = [
            wire.output_schema.pointer("/schemaRef/id"),
            Some(&wire.xdm_schema),
            wire.schema_ref.get("id"),
        ];
        let schema_id = candidates
            .into_iter()
            .flatten()
            .find_map(Value::as_str)
            .map(Into::into);
        let content_type = wire.output_schema.pointer("/schemaRef/contentType");
        let content_type = content_type.and_then(Value::as_str).map(Into::into);
        Self {
            schema_id,
            content_type,
            rest: rest(wire.rest),
            id: wire.id,
            version: wire.version,
            name: wire.name,
            mappings: wire.mappings,
            created: wire.created_date,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRow {
    #[serde(default, deserialize_with = "tolerant::text")]
    source: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    source_attribute: Option<String>,
    #[serde(default)]
    destination: Option<String>,
    #[serde(default)]
    destination_xdm_path: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    source_type: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<WireRow> for MappingRow {
    fn from(wire: WireRow) -> Self {
        Self {
            source: wire.source.or(wire.source_attribute).unwrap_or_default(),
            destination: wire
                .destination
                .or(wire.destination_xdm_path)
                .unwrap_or_default(),
            source_type: wire.source_type.into(),
            rest: rest(wire.rest),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Validation {
    pub validation_response: Vec<RowResult>,
}

/// The validation of one row.
#[derive(Deserialize)]
pub(super) struct RowResult {
    #[serde(default)]
    status: Option<String>,
    #[serde(default, deserialize_with = "tolerant::or_default")]
    errors: Vec<Value>,
}

impl RowResult {
    pub(super) fn faults(self, row: Option<&Value>) -> Vec<MappingFault> {
        let word = |value: &Value, name: &str| value.get(name).and_then(tolerant::as_text);
        let sent = |name, legacy| row.and_then(|row| word(row, name).or_else(|| word(row, legacy)));
        let fault = |error: &Value| MappingFault {
            destination: word(error, "destination")
                .or_else(|| sent("destination", "destinationXdmPath"))
                .unwrap_or_default(),
            source: word(error, "source")
                .or_else(|| sent("source", "sourceAttribute"))
                .unwrap_or_default(),
            message: word(error, "exception")
                .or_else(|| word(error, "message"))
                .or_else(|| tolerant::as_text(error))
                .unwrap_or_else(|| "refused without a reason".to_owned()),
        };
        let failed = self
            .status
            .is_some_and(|status| status.eq_ignore_ascii_case("failed"));
        if failed && self.errors.is_empty() {
            return vec![fault(&Value::Null)];
        }
        self.errors.iter().map(fault).collect()
    }
}
