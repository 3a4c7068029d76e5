//! A dataset in Adobe's catalog.

use std::hash::Hash;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, CommonStatus, Kind, LocalRef, Management, Reference, ReplacePolicy,
    pattern::{DESCRIPTION_MAX, NAME_MAX, SCHEMA_CONTENT_TYPE, SCHEMA_ID, SCHEMA_ID_MAX},
    reference::distinct,
};

/// What the dataset is called and which schema its records follow.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "Dataset",
    shortname = "aepds",
    namespaced,
    status = "DatasetStatus",
    derive = "PartialEq",
    doc = "A dataset of Adobe's Catalog: where ingested records are kept. Deleting it deletes the \
           records, so one that has records is only deleted if deletionProtection is None."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.schemaRef) != has(self.schemaId)",
        "exactly one of `schemaRef` and `schemaId` must be set",
    )
)]
pub struct DatasetSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// Name shown at Adobe, e.g. `Target dataset for payments`. Changed in place.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: String,
    /// Description shown at Adobe. If unset, what Adobe has stays. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = DESCRIPTION_MAX))]
    pub description: Option<String>,
    /// The `PlatformSchema` that the records follow. Adobe cannot change it in place: see
    /// `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_ref: Option<LocalRef>,
    /// `$id` of a schema that is not managed here, instead of `schemaRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEMA_ID_MAX), regex(pattern = SCHEMA_ID))]
    pub schema_id: Option<String>,
    /// Media type and version under which the schema is used. If unset, a new dataset gets
    /// `application/vnd.adobe.xed-full+json;version=1`. Adobe cannot change it in place: see
    /// `replacePolicy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = SCHEMA_CONTENT_TYPE))]
    pub schema_content_type: Option<String>,
    /// Whether the records are ingested into Real-Time Customer Profile. Requires a schema with
    /// `profileEnabled`; applies to records that arrive afterwards. If unset, a new dataset is not,
    /// and one that exists stays as it is. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_enabled: Option<bool>,
    /// Whether Adobe keeps details about records that it could not ingest. If unset: as Adobe has
    /// it. Changed in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_diagnostics: Option<bool>,
    /// What to do about a change that Adobe cannot make in place. `Never`: refuse it, with a
    /// `Stalled` condition. `Recreate`: create an empty dataset, and delete this one once nothing
    /// is written to it any more and `deletionProtection` allows it. Default: `Never`.
    #[serde(default)]
    pub replace_policy: ReplacePolicy,
    /// What keeps the dataset from being deleted at Adobe together with its records, when this
    /// resource is deleted or the dataset was replaced. `WhileNotEmpty`: the records themselves; the
    /// resource then stays, with reason `DeletionBlocked`, until this is `None`, the records are
    /// gone, or `deletionPolicy` is `Orphan`. `None`: nothing. Default: `WhileNotEmpty`. Can be
    /// changed at any time.
    #[serde(default)]
    pub deletion_protection: DeletionProtection,
}

/// What keeps a dataset from being deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionProtection {
    /// That it has records.
    #[default]
    WhileNotEmpty,
    /// Nothing: the records are deleted with it.
    None,
}

/// Status of a dataset, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatasetStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// `$id` of the schema that the dataset was created with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub schema_id: Option<String>,
}

impl AepResource for Dataset {
    const KIND: Kind = Kind::Dataset;
    const USES: &'static [Kind] = &[Kind::PlatformSchema];

    fn replace_policy(&self) -> ReplacePolicy {
        self.spec.replace_policy
    }

    fn management(&self) -> Management {
        self.spec.management.clone()
    }

    fn references(&self) -> Vec<Reference> {
        let spec = &self.spec;
        let schema = spec.schema_ref.iter().map(|it| it.to(Kind::PlatformSchema));
        distinct([spec.management.sandbox()].into_iter().chain(schema))
    }

    fn published(status: &DatasetStatus) -> impl Hash {
        (&status.common.id, &status.schema_id)
    }
}
