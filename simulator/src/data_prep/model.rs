//! Mapping sets in both vocabularies: clients speak either, the server always answers both.

use serde_json::{Map, Value, json};

use super::errors::invalid;
use crate::http::Answer;
use crate::world::Context;

/// Members of a set that are the client's. A replacement that does not mention them takes them away.
const CLIENT_MEMBERS: [&str; 6] = [
    "name",
    "tags",
    "inputSchema",
    "allowNullValues",
    "strictMapping",
    "xdmVersion",
];

/// What a row takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceType {
    /// A path in the source data.
    Attribute,
    /// A calculated field.
    Expression,
    /// The text itself.
    Static,
}

impl SourceType {
    /// Reads both spellings; without any, a source is a path.
    fn parse(word: Option<&str>) -> Option<Self> {
        match word {
            None | Some("ATTRIBUTE" | "text/x.schema-path") => Some(Self::Attribute),
            Some("EXPRESSION" | "text/x.aep-xl") => Some(Self::Expression),
            Some("STATIC" | "text/plain") => Some(Self::Static),
            Some(_) => None,
        }
    }

    /// The short spelling.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Attribute => "ATTRIBUTE",
            Self::Expression => "EXPRESSION",
            Self::Static => "STATIC",
        }
    }

    /// The spelling that the server returns, whatever was sent.
    fn media_type(self) -> &'static str {
        match self {
            Self::Attribute => "text/x.schema-path",
            Self::Expression => "text/x.aep-xl",
            Self::Static => "text/plain",
        }
    }
}

/// One mapping as understood.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: SourceType,
    pub(super) source: String,
    pub(super) destination: String,
    /// The row as sent.
    sent: Map<String, Value>,
}

/// A mapping set as sent and understood.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) schema: String,
    content_type: Option<String>,
    pub(super) rows: Vec<Row>,
    sent: Map<String, Value>,
}

impl Draft {
    /// Reads a body of either vocabulary.
    pub(super) fn read(body: Option<&Value>) -> Result<Self, Answer> {
        let sent = body
            .and_then(Value::as_object)
            .ok_or_else(|| invalid("The body must be a JSON object"))?;
        let whole = Value::Object(sent.clone());
        let at = |pointer: &str| {
            whole
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let schema = at("/outputSchema/schemaRef/id")
            .or_else(|| at("/xdmSchema"))
            .or_else(|| at("/schemaRef/id"));
        let rows = sent.get("mappings").and_then(Value::as_array);
        Ok(Self {
            schema: schema.ok_or_else(|| {
                invalid("A mapping set needs outputSchema.schemaRef.id or xdmSchema")
            })?,
            content_type: at("/outputSchema/schemaRef/contentType"),
            rows: rows
                .ok_or_else(|| invalid("A mapping set needs mappings"))?
                .iter()
                .map(Row::read)
                .collect::<Result<_, _>>()?,
            sent: sent.clone(),
        })
    }

    /// The full set that is stored and shown; every call makes new row ids.
    pub(super) fn full(&self, id: &str, previous: Option<&Value>, cx: &mut Context<'_>) -> Value {
        let created = previous.map_or(json!(cx.now_ms), |p| p["createdDate"].clone());
        let version = previous
            .and_then(|p| p["version"].as_i64())
            .map_or(0, |v| v + 1);
        let author = format!("{}@techacct.adobe.com", cx.client_id);
        let mappings: Vec<_> = self.rows.iter().map(|row| row.full(cx)).collect();
        let mut full = json!({
            "id": id,
            "version": version,
            "createdDate": created,
            "modifiedDate": cx.now_ms,
            "createdBy": previous.map_or(json!(author), |p| p["createdBy"].clone()),
            "modifiedBy": author,
            "supportVersion": "1.1",
            "inputSchema": { "id": cx.ids.hex(32), "version": 0 },
            "outputSchema": self.output_schema(cx),
            "mappings": mappings,
            "status": "PUBLISHED",
            "strictMapping": false,
            "allowNullValues": false,
            "xdmVersion": "1.0",
            "schemaRef": { "id": self.schema, "contentType": "1.0" },
            "xdmSchema": self.schema,
        });
        for key in CLIENT_MEMBERS {
            if let Some(value) = self.sent.get(key).filter(|v| !v.is_null()) {
                full[key] = value.clone();
            }
        }
        full
    }

    fn output_schema(&self, cx: &mut Context<'_>) -> Value {
        let content_type = self.content_type.as_deref();
        let content_type = content_type.unwrap_or("application/vnd.adobe.xed-full+json;version=1");
        json!({
            "id": cx.ids.hex(32),
            "version": 0,
            "schemaRef": { "id": self.schema, "contentType": content_type },
        })
    }
}

impl Row {
    fn read(row: &Value) -> Result<Self, Answer> {
        let sent = row
            .as_object()
            .ok_or_else(|| invalid("A mapping must be a JSON object"))?;
        let either = |new: &str, old: &str| {
            [new, old]
                .iter()
                .find_map(|key| sent.get(*key).and_then(Value::as_str))
                .map(str::to_owned)
        };
        let kind = SourceType::parse(sent.get("sourceType").and_then(Value::as_str));
        let source = either("source", "sourceAttribute").unwrap_or_default();
        if source.len() > 4096 {
            return Err(invalid("A source has at most 4096 characters"));
        }
        Ok(Self {
            kind: kind.ok_or_else(|| invalid("sourceType is ATTRIBUTE, EXPRESSION or STATIC"))?,
            source,
            destination: either("destination", "destinationXdmPath")
                .ok_or_else(|| invalid("A mapping needs a destination"))?,
            sent: sent.clone(),
        })
    }

    fn full(&self, cx: &mut Context<'_>) -> Value {
        let flag = |key: &str| {
            self.sent
                .get(key)
                .and_then(Value::as_bool)
                .unwrap_or_default()
        };
        let mut full = json!({
            "id": cx.ids.hex(32),
            "version": 0,
            "createdDate": cx.now_ms,
            "modifiedDate": cx.now_ms,
            "sourceType": self.kind.media_type(),
            "source": self.source,
            "destination": self.destination,
            "identity": flag("identity"),
            "primaryIdentity": flag("primaryIdentity"),
            "matchScore": 0.0,
            "functionVersion": 1,
            "sourceAttribute": self.source,
            "destinationXdmPath": self.destination,
        });
        for key in ["name", "description", "identityGroup", "namespaceCode"] {
            if let Some(value) = self.sent.get(key).filter(|v| !v.is_null()) {
                full[key] = value.clone();
            }
        }
        full
    }
}
