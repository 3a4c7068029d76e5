//! How source columns become target fields.

use std::hash::Hash;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, Column, CommonStatus, Contract, Kind, LocalRef, Management, Reference,
    ReplacePolicy,
    pattern::{INTEGER_MAX, SCHEMA_ID, SCHEMA_ID_MAX},
    reference::distinct,
};

/// Which fields are filled, and from what.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "MappingSet",
    shortname = "aepms",
    namespaced,
    status = "MappingSetStatus",
    derive = "PartialEq",
    doc = "A mapping set of Adobe's Data Prep: which target field is filled from which source \
           column or expression. Each change creates a new version, to which the operator then \
           moves the dataflows that use it."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.schemaRef) != has(self.schemaId)",
        "exactly one of `schemaRef` and `schemaId` must be set",
    )
)]
pub struct MappingSetSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// The `PlatformSchema` whose fields are filled: that of the dataset which the dataflow writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_ref: Option<LocalRef>,
    /// `$id` of a schema that is not managed here, instead of `schemaRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEMA_ID_MAX), regex(pattern = SCHEMA_ID))]
    pub schema_id: Option<String>,
    /// The fields to fill, each once. Their order does not matter. Changed in place, as a new
    /// version.
    #[schemars(length(min = 1, max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["destination".into()]))]
    pub mappings: Vec<Mapping>,
    /// What to do about mappings that Adobe finds invalid, such as a field that the schema lacks.
    /// `Strict`: report them and change nothing. `Skip`: do not validate. Default: `Strict`.
    #[serde(default)]
    pub validation: MappingValidation,
    /// Version of Adobe's request bodies to send. `Current`: what Adobe documents today.
    /// `Legacy2020`: what Adobe's payments tutorial of 2020 sends. Default: `Current`.
    #[serde(default)]
    pub contract: Contract,
    /// What to do about a change that Adobe cannot make in place. `Never`: refuse it, with a
    /// `Stalled` condition. `Recreate`: create another mapping set and move the dataflows to it.
    /// Default: `Never`.
    #[serde(default)]
    pub replace_policy: ReplacePolicy,
}

/// One field of the target and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    /// Column or path in the source, e.g. `Product_Id`; an expression, e.g.
    /// `concat(first, " ", last)`; or a fixed text: see `sourceType`. In columns, paths and
    /// expressions, `_tenant` stands for the tenant's namespace, as in `destination`.
    #[schemars(length(min = 1, max = 4096))]
    pub source: String,
    /// Path of the field in the target schema, e.g. `person.name.fullName` or
    /// `_tenant.product.name`. `_tenant` stands for the tenant's namespace, which differs between
    /// organisations.
    #[schemars(length(min = 1, max = 1024))]
    pub destination: String,
    /// How `source` is read. `Attribute`: a column or path. `Expression`: a calculation with Data
    /// Prep's functions. `Static`: a fixed text. If unset, a new row is an `Attribute`, and one that
    /// exists stays what it is.
    // No default in the schema: a default within a list makes every client-side apply see a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
}

/// How the source of a mapping is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SourceType {
    /// A column or path.
    #[default]
    Attribute,
    /// A calculation.
    Expression,
    /// A fixed text.
    Static,
}

/// What to do about mappings that Adobe finds invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MappingValidation {
    /// Report them and change nothing.
    #[default]
    Strict,
    /// Do not validate.
    Skip,
}

/// Status of a mapping set, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MappingSetStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Version that matches the spec. Dataflows use it together with the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub version: Option<i64>,
    /// `$id` of the schema whose fields are filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub schema_id: Option<String>,
}

impl AepResource for MappingSet {
    const KIND: Kind = Kind::MappingSet;
    const USES: &'static [Kind] = &[Kind::PlatformSchema];
    const COLUMNS: &'static [Column] = &[
        Column::new("Version", ".status.version").of_type("integer"),
        Column::ADOBE_ID,
    ];

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

    fn published(status: &MappingSetStatus) -> impl Hash {
        (&status.common.id, status.version)
    }
}
