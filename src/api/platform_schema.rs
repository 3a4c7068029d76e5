//! A schema in Adobe's registry, with the class or field group it needs.

use std::hash::Hash;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AepResource, Column, CommonStatus, Kind, Management, OpenObject, Reference,
    open::open_object,
    pattern::{COMPONENT_ID, DESCRIPTION_MAX, NAME_MAX, SCHEMA_ID_MAX},
};

/// What the schema is made of.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "PlatformSchema",
    shortname = "aepps",
    namespaced,
    status = "PlatformSchemaStatus",
    derive = "PartialEq",
    doc = "An XDM schema of Adobe's Schema Registry: either one composed of a class, field groups \
           and own fields, as datasets need, or an ad-hoc one that describes the columns of a \
           source table."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.adHoc) != has(self.class)",
        "exactly one of `adHoc` and `class` must be set",
    ),
    validation = (
        "!has(self.adHoc) || [has(self.fieldGroups), has(self.fields), has(self.identities), \
         has(self.profileEnabled)].all(given, !given)",
        "`adHoc` must not be combined with `fieldGroups`, `fields`, `identities` or `profileEnabled`",
    ),
    validation = (
        "has(self.adHoc) == has(oldSelf.adHoc)",
        "an ad-hoc schema cannot become one with a `class`, nor the other way round",
    ),
    validation = (
        "!has(self.class) || !has(oldSelf.class) || self.class == oldSelf.class",
        "`class` is immutable",
    ),
    validation = (
        "!has(oldSelf.profileEnabled) || !oldSelf.profileEnabled \
         || (has(self.profileEnabled) && self.profileEnabled)",
        "`profileEnabled` must stay 'true': \
         Adobe cannot take a schema out of Real-Time Customer Profile",
    ),
    validation = (
        "!has(self.identities) || self.identities.filter(i, has(i.primary) && i.primary).size() <= 1",
        "at most one of `identities` must be `primary`",
    )
)]
pub struct PlatformSchemaSpec {
    /// How the object at Adobe is managed.
    #[serde(flatten)]
    pub management: Management,
    /// Title shown at Adobe, e.g. `Target schema for payments`. Unique in the sandbox among
    /// schemas, classes, field groups and data types. Changed in place.
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub title: String,
    /// Description shown at Adobe, followed there by the owner mark. Changed in place. If unset,
    /// Adobe keeps the one that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = DESCRIPTION_MAX))]
    pub description: Option<String>,
    /// Describes raw source columns instead of XDM fields; the operator creates an ad-hoc class for
    /// them. Only needed for sources that require a schema. Cannot be combined with `class` and the
    /// fields that need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_hoc: Option<AdHoc>,
    /// `$id` of the class that the schema is based on, e.g.
    /// `https://ns.adobe.com/xdm/context/profile` for customers or
    /// `https://ns.adobe.com/xdm/context/experienceevent` for events. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEMA_ID_MAX), regex(pattern = COMPONENT_ID))]
    pub class: Option<String>,
    /// `$id`s of the field groups to include, e.g.
    /// `https://ns.adobe.com/xdm/context/profile-person-details` or
    /// `https://ns.braze.com/currents/users-event`. They must fit the class. Duplicates are ignored.
    /// More can be added in place; Adobe refuses to remove one once the schema is in use. If unset,
    /// an adopted schema keeps the field groups that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 100),
        inner(length(min = 1, max = SCHEMA_ID_MAX), regex(pattern = COMPONENT_ID))
    )]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub field_groups: Option<Vec<String>>,
    /// Your own fields, as a map of name to JSON Schema, e.g. `{product: {type: object, properties:
    /// {name: {type: string}}}}`. The operator keeps them in a separate field group; at Adobe they
    /// appear below the tenant's namespace, which mappings call `_tenant`. Fields can be added and
    /// become less restrictive in place: a constraint that is left out (`enum`, `required`,
    /// `maxLength` …) is removed at Adobe. `meta:status: deprecated` retires a field. Removing,
    /// retyping or restricting one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "open_object")]
    pub fields: Option<OpenObject>,
    /// Fields that identify a person. Needed for `profileEnabled` unless a field group contains an
    /// identity map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".into()]))]
    pub identities: Vec<Identity>,
    /// Whether the schema takes part in Real-Time Customer Profile. Default for a new schema:
    /// `false`. Irreversible at Adobe: once `true`, it must stay `true`, and the schema can no longer
    /// be deleted there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_enabled: Option<bool>,
}

/// Columns of a source table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdHoc {
    /// The columns, as a map of name to JSON Schema, e.g. `{Product_Id: {type: string}}`. All
    /// columns of the source must be listed. Columns can be added and become less restrictive in
    /// place; removing, retyping or restricting one is refused.
    #[schemars(schema_with = "open_object")]
    pub fields: OpenObject,
}

/// A field that identifies a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Where the field is, e.g. `/_tenant/customerId` or `/personalEmail/address`. `_tenant` stands
    /// for the tenant's namespace.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^(/[A-Za-z0-9_:$-]+)+$"))]
    pub path: String,
    /// Code of the identity namespace, e.g. `ECID` or `Email`. It must exist in the sandbox.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub namespace: String,
    /// Whether it is the primary identity, of which a schema has at most one. Default for a new one:
    /// `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

/// Status of a schema, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformSchemaStatus {
    /// Fields common to all kinds; `id` is the schema's `$id`.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Adobe's second id of the schema, without slashes (`meta:altId`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub alt_id: Option<String>,
    /// Version of the schema, e.g. `1.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub version: Option<String>,
    /// `$id` of the ad-hoc class created for this schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub class_id: Option<String>,
    /// `$id` of the field group created for the schema's own fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub field_group_id: Option<String>,
}

impl AepResource for PlatformSchema {
    const KIND: Kind = Kind::PlatformSchema;
    const COLUMNS: &'static [Column] = &[
        Column::new("Version", ".status.version"),
        // The id of a schema is a long URL.
        Column::ADOBE_ID.wide(),
    ];

    fn management(&self) -> Management {
        self.spec.management.clone()
    }

    fn references(&self) -> Vec<Reference> {
        vec![self.spec.management.sandbox()]
    }

    fn parts(status: &PlatformSchemaStatus) -> Vec<String> {
        let parts = [&status.class_id, &status.field_group_id];
        parts.into_iter().flatten().cloned().collect()
    }

    fn published(status: &PlatformSchemaStatus) -> impl Hash {
        (&status.common.id, &status.version)
    }
}
