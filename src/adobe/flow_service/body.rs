//! What is sent to Flow Service, and the parts that reads and writes have in common.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::adobe::tolerant;

/// Names a connection spec or a flow spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpecRef {
    /// The spec's id.
    pub id: String,
    /// The spec's version, `1.0` for all known ones; without it, some services refuse and others take the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl<'de> Deserialize<'de> for SpecRef {
    /// Usually an object; an id alone has been seen too.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Full {
            #[serde(default, deserialize_with = "tolerant::or_default")]
            id: String,
            #[serde(default, deserialize_with = "tolerant::text")]
            version: Option<String>,
        }
        match Value::deserialize(input)? {
            Value::String(id) => Ok(Self { id, version: None }),
            other => Full::deserialize(other)
                .map(|Full { id, version }| Self { id, version })
                .map_err(serde::de::Error::custom),
        }
    }
}

/// How a connection authenticates. `Debug` shows the names of the parameters, not their values.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// The name of one of the connection spec's ways to authenticate.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub spec_name: String,
    /// Its parameters. On reads, secrets are masked or absent, and the service may have added some of its own.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub params: Map<String, Value>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.params.keys().collect();
        f.debug_struct("Auth")
            .field("spec_name", &self.spec_name)
            .field("params", &names)
            .finish()
    }
}

/// One step on the way from source to target, such as `Copy` or `Mapping`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transformation {
    /// The step's name.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub name: String,
    /// The step's parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
}

/// A base connection to be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewConnection {
    /// The name, which need not be unique.
    pub name: String,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Absent where the spec needs no credentials, as for the data lake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// The connector.
    pub connection_spec: SpecRef,
}

/// A source connection to be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSourceConnection {
    /// The name, which need not be unique.
    pub name: String,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The base connection; absent where the spec has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_connection_id: Option<String>,
    /// The format, its properties, and formerly the schema of the raw data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// What to read: `path`, or `tableName` and `columns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// The connector, the same as the base connection's.
    pub connection_spec: SpecRef,
}

/// A target connection to be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTargetConnection {
    /// The name, which need not be unique.
    pub name: String,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Formerly the base connection of the data set; absent today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_connection_id: Option<String>,
    /// The schema of the data set, and formerly the format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Where to write: `dataSetId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// The data lake's spec.
    pub connection_spec: SpecRef,
}

/// A flow to be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewFlow {
    /// The name, which need not be unique.
    pub name: String,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The kind of flow.
    pub flow_spec: SpecRef,
    /// Exactly one.
    pub source_connection_ids: Vec<String>,
    /// Exactly one.
    pub target_connection_ids: Vec<String>,
    /// The steps from source to target.
    pub transformations: Vec<Transformation>,
    /// When it runs; `startTime` is in seconds since 1970. Absent for streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_params: Option<Value>,
}
