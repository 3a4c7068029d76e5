//! Where a dataflow writes.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, CommonStatus, Contract, Kind, LocalRef, Management, OpenObject, Reference,
    ReplacePolicy, SpecSelector,
    open::open_object,
    pattern::{
        ADOBE_ID, ADOBE_ID_MAX, DESCRIPTION_MAX, NAME_MAX, SCHEMA_CONTENT_TYPE, SCHEMA_ID_MAX,
    },
    reference::distinct,
};

/// Which dataset is written, and how.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "TargetConnection",
    shortname = "aeptc",
    namespaced,
    status = "TargetConnectionStatus",
    derive = "PartialEq",
    doc = "A target connection of Adobe's Flow Service: the dataset that a dataflow writes."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.datasetRef) != has(self.datasetId)",
        "exactly one of `datasetRef` and `datasetId` must be set",
    ),
    validation = (
        "!has(self.baseConnectionRef) || !has(self.baseConnectionId)",
        "at most one of `baseConnectionRef` and `baseConnectionId` must be set",
    )
)]
pub struct TargetConnectionSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// Name shown at Adobe, e.g. `Target Connection for payments`. Changed in place.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Description shown at Adobe, followed there by the owner mark. If unset, what Adobe has stays.
    /// Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = DESCRIPTION_MAX))]
    pub description: Option<String>,
    /// The `Dataset` that is written. Adobe cannot change it in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_ref: Option<LocalRef>,
    /// Id of a dataset that is not managed here, instead of `datasetRef`, e.g.
    /// `5e8918669cbbee18ad9771f3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub dataset_id: Option<String>,
    /// The `BaseConnection` to the data lake. Adobe required one in 2020 and no longer does. Adobe
    /// cannot change it in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_connection_ref: Option<LocalRef>,
    /// Id of a base connection that is not managed here, instead of `baseConnectionRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub base_connection_id: Option<String>,
    /// The kind of target: one of Adobe's connection specifications. If unset, a new one is of the
    /// data lake, to which nearly every flow writes. Adobe cannot change it in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_spec: Option<SpecSelector>,
    /// How the data is written. If unset, a new one gets the dataset's schema in its current version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<TargetData>,
    /// Parameters in addition to the dataset's id, which the operator sets. Rarely needed. Adobe
    /// cannot change them in place: see `replacePolicy`.
    #[serde(default, skip_serializing_if = "OpenObject::is_empty")]
    #[schemars(schema_with = "open_object")]
    pub params: OpenObject,
    /// Version of Adobe's request bodies to send. `Current`: what Adobe documents today.
    /// `Legacy2020`: what Adobe's payments tutorial of 2020 sends. Default: `Current`.
    #[serde(default)]
    pub contract: Contract,
    /// What to do about a change that Adobe cannot make in place. `Never`: refuse it, with a
    /// `Stalled` condition. `Recreate`: replace the target connection, and the dataflow that writes
    /// to it if its policy allows. Default: `Never`.
    #[serde(default)]
    pub replace_policy: ReplacePolicy,
}

/// How the data is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetData {
    /// Format, as named by Adobe, e.g. `parquet_xdm`. If unset: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub format: Option<String>,
    /// Media type and version under which the dataset's schema is used. If unset, a new one gets
    /// `application/vnd.adobe.xed-full+json;version=1`, or none with `contract: Legacy2020`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = SCHEMA_CONTENT_TYPE))]
    pub schema_version: Option<String>,
}

/// Status of a target connection, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetConnectionStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Id of the dataset that is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADOBE_ID_MAX))]
    pub dataset_id: Option<String>,
    /// `$id` of the dataset's schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub schema_id: Option<String>,
}

impl AepResource for TargetConnection {
    const KIND: Kind = Kind::TargetConnection;
    const USES: &'static [Kind] = &[Kind::BaseConnection, Kind::PlatformSchema, Kind::Dataset];

    fn replace_policy(&self) -> ReplacePolicy {
        self.spec.replace_policy
    }

    fn management(&self) -> Management {
        self.spec.management.clone()
    }

    fn references(&self) -> Vec<Reference> {
        let spec = &self.spec;
        let dataset = spec.dataset_ref.iter().map(|it| it.to(Kind::Dataset));
        let base = spec
            .base_connection_ref
            .iter()
            .map(|it| it.to(Kind::BaseConnection));
        distinct(
            [spec.management.sandbox()]
                .into_iter()
                .chain(dataset)
                .chain(base),
        )
    }
}
