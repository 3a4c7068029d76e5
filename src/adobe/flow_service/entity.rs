//! The objects of Flow Service. Only the id is always present.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Auth, Spec, SpecRef, Transformation};
use crate::adobe::tolerant;

/// A type of object in Flow Service, with its routes.
pub trait FlowEntity: DeserializeOwned + Send {
    /// The path of the whole collection.
    const COLLECTION: &'static str;
    /// The path of one object.
    const ENTITY: &'static str;
    /// The path of actions on one object.
    const ACTION: &'static str;

    /// The object's id.
    fn id(&self) -> &str;
}

/// Anything with an id, so that specs can be listed as well.
pub(super) trait Identified: DeserializeOwned {
    fn id(&self) -> &str;
}

impl<E: FlowEntity> Identified for E {
    fn id(&self) -> &str {
        FlowEntity::id(self)
    }
}

impl Identified for Spec {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A base connection: credentials and host of a source.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The version, quotes included, as `If-Match` wants it.
    #[serde(default, alias = "eTag", deserialize_with = "tolerant::text")]
    pub etag: Option<String>,
    /// `enabled`, `disabled`, `initializing`, … An open list.
    #[serde(default)]
    pub state: Option<String>,
    /// How it authenticates; secrets are masked or absent.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// The connector.
    #[serde(default)]
    pub connection_spec: Option<SpecRef>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub created_at: Option<i64>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub updated_at: Option<i64>,
}

/// What a flow reads.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceConnection {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The version, quotes included, as `If-Match` wants it.
    #[serde(default, alias = "eTag", deserialize_with = "tolerant::text")]
    pub etag: Option<String>,
    /// `enabled`, `updating`, … An open list.
    #[serde(default)]
    pub state: Option<String>,
    /// The base connection it reads through.
    #[serde(default)]
    pub base_connection_id: Option<String>,
    /// Format and properties of the data.
    #[serde(default)]
    pub data: Option<Value>,
    /// What is read.
    #[serde(default)]
    pub params: Option<Value>,
    /// The connector.
    #[serde(default)]
    pub connection_spec: Option<SpecRef>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub created_at: Option<i64>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub updated_at: Option<i64>,
}

/// Where a flow writes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetConnection {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The version, quotes included, as `If-Match` wants it.
    #[serde(default, alias = "eTag", deserialize_with = "tolerant::text")]
    pub etag: Option<String>,
    /// `enabled`, `updating`, … An open list.
    #[serde(default)]
    pub state: Option<String>,
    /// Formerly the base connection of the data set.
    #[serde(default)]
    pub base_connection_id: Option<String>,
    /// Schema and format of the data.
    #[serde(default)]
    pub data: Option<Value>,
    /// Where it writes.
    #[serde(default)]
    pub params: Option<Value>,
    /// The data lake's spec.
    #[serde(default)]
    pub connection_spec: Option<SpecRef>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub created_at: Option<i64>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub updated_at: Option<i64>,
}

/// A scheduled dataflow.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The version, quotes included, as `If-Match` wants it.
    #[serde(default, alias = "eTag", deserialize_with = "tolerant::text")]
    pub etag: Option<String>,
    /// `enabled`, `disabled`, or a state in between. An open list.
    #[serde(default)]
    pub state: Option<String>,
    /// The kind of flow.
    #[serde(default)]
    pub flow_spec: Option<SpecRef>,
    /// What it reads.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub source_connection_ids: Vec<String>,
    /// Where it writes.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub target_connection_ids: Vec<String>,
    /// The steps from source to target.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub transformations: Vec<Transformation>,
    /// When it runs. Numbers and booleans may be spelled as text, as they were sent.
    #[serde(default)]
    pub schedule_params: Option<Value>,
    /// The last change and how far it has come.
    #[serde(default)]
    pub last_operation: Option<Value>,
    /// The last run, absent before the first.
    #[serde(default)]
    pub last_run_details: Option<Value>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub created_at: Option<i64>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub updated_at: Option<i64>,
}

macro_rules! flow_entity {
    ($entity:ty, $collection:literal) => {
        impl FlowEntity for $entity {
            const COLLECTION: &'static str = $collection;
            const ENTITY: &'static str = concat!($collection, "/{id}");
            const ACTION: &'static str = concat!($collection, "/{id}/action");

            fn id(&self) -> &str {
                &self.id
            }
        }
    };
}

flow_entity!(Connection, "/connections");
flow_entity!(SourceConnection, "/sourceConnections");
flow_entity!(TargetConnection, "/targetConnections");
flow_entity!(Flow, "/flows");
