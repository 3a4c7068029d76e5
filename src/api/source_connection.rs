//! What is read from a source system.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, CommonStatus, Kind, LocalRef, Management, OpenObject, Reference, ReplacePolicy,
    SpecSelector,
    open::open_object,
    pattern::{
        ADOBE_ID, ADOBE_ID_MAX, DESCRIPTION_MAX, NAME_MAX, SCHEMA_CONTENT_TYPE, SCHEMA_ID,
        SCHEMA_ID_MAX,
    },
    reference::distinct,
};

/// Which data of which system is read.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "SourceConnection",
    shortname = "aepsc",
    namespaced,
    status = "SourceConnectionStatus",
    derive = "PartialEq",
    doc = "A source connection of Adobe's Flow Service: the table, file or stream that a dataflow \
           reads."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "!has(self.baseConnectionRef) || !has(self.baseConnectionId)",
        "at most one of `baseConnectionRef` and `baseConnectionId` must be set",
    ),
    validation = (
        "has(self.baseConnectionRef) || has(self.connectionSpec)",
        "`connectionSpec` must be set unless `baseConnectionRef` is",
    )
)]
pub struct SourceConnectionSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// Name shown at Adobe, e.g. `Paypal source connection`. Changed in place.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Description shown at Adobe, followed there by the owner mark. If unset, what Adobe has stays.
    /// Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = DESCRIPTION_MAX))]
    pub description: Option<String>,
    /// The `BaseConnection` with the credentials of the system that is read. Omit this and
    /// `baseConnectionId` for sources without credentials, such as a landing zone. Adobe cannot
    /// change it in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_connection_ref: Option<LocalRef>,
    /// Id of a base connection that is not managed here, instead of `baseConnectionRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub base_connection_id: Option<String>,
    /// The kind of system that is read: one of Adobe's connection specifications. If unset, a new one
    /// gets that of the `BaseConnection` that `baseConnectionRef` names. Adobe cannot change it in place: see
    /// `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_spec: Option<SpecSelector>,
    /// How the data is formatted. Omitted for streams. Adobe cannot change it in place: see
    /// `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<SourceData>,
    /// What is read; the source defines the content. Tables: `tableName` and optionally `columns`;
    /// files: `path` and `type`. A dataflow does not pick up a change in place: see
    /// `replacePolicy`.
    #[serde(default, skip_serializing_if = "OpenObject::is_empty")]
    #[schemars(schema_with = "open_object")]
    pub params: OpenObject,
    /// What to do about a change that Adobe cannot make in place. `Never`: refuse it, with a
    /// `Stalled` condition. `Recreate`: replace the source connection, and the dataflow that reads
    /// it if its policy allows. Default: `Never`.
    #[serde(default)]
    pub replace_policy: ReplacePolicy,
}

/// How the data that is read is formatted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "!has(self.schemaRef) || !has(self.schemaId)",
        "at most one of `schemaRef` and `schemaId` must be set",
    )
)]
pub struct SourceData {
    /// Format, as named by Adobe: `tabular` for tables; `delimited`, `json` or `parquet` for files;
    /// `parquet_xdm` for what an ad-hoc schema describes.
    #[schemars(length(min = 1, max = 64))]
    pub format: String,
    /// The ad-hoc `PlatformSchema` that describes the columns. Only with `parquet_xdm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_ref: Option<LocalRef>,
    /// `$id` of a schema that is not managed here, instead of `schemaRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEMA_ID_MAX), regex(pattern = SCHEMA_ID))]
    pub schema_id: Option<String>,
    /// Media type and version under which the schema is used. If unset, a new one gets
    /// `application/vnd.adobe.xed-full-notext+json; version=1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = SCHEMA_CONTENT_TYPE))]
    pub schema_version: Option<String>,
    /// How files are written: `columnDelimiter`, `encoding`, `compressionType`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "open_object")]
    pub properties: Option<OpenObject>,
}

/// Status of a source connection, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceConnectionStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Id of the connection specification in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADOBE_ID_MAX))]
    pub connection_spec_id: Option<String>,
}

impl AepResource for SourceConnection {
    const KIND: Kind = Kind::SourceConnection;
    const USES: &'static [Kind] = &[Kind::BaseConnection, Kind::PlatformSchema];

    fn replace_policy(&self) -> ReplacePolicy {
        self.spec.replace_policy
    }

    fn management(&self) -> Management {
        self.spec.management.clone()
    }

    fn references(&self) -> Vec<Reference> {
        let spec = &self.spec;
        let base = spec
            .base_connection_ref
            .iter()
            .map(|it| it.to(Kind::BaseConnection));
        let schema = spec.data.iter().filter_map(|data| data.schema_ref.as_ref());
        distinct(
            [spec.management.sandbox()]
                .into_iter()
                .chain(base)
                .chain(schema.map(|it| it.to(Kind::PlatformSchema))),
        )
    }
}
