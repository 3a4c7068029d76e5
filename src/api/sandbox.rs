//! The organisation's sandbox through which all other kinds reach Adobe.

use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AdoptionPolicy, AepResource, Column, CommonStatus, DeletionPolicy, Kind, LocalRef, Management,
    Reference, Target, pattern::INTEGER_MAX,
};

/// Which sandbox of Adobe Experience Platform is meant, and how to reach it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "aep-operator.io",
    version = "v1alpha1",
    kind = "Sandbox",
    plural = "sandboxes",
    shortname = "aepsb",
    namespaced,
    status = "SandboxStatus",
    derive = "PartialEq",
    doc = "A sandbox of Adobe Experience Platform: organisation, credentials, call rate. Nothing \
           is created at Adobe. All other kinds name the Sandbox that they live in."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.ownerId) == has(oldSelf.ownerId) && (!has(self.ownerId) || self.ownerId == oldSelf.ownerId)",
        "`ownerId` is immutable: objects at Adobe are marked with it",
    )
)]
pub struct SandboxSpec {
    /// Name of the sandbox at Adobe, as in the address bar of its web interface, e.g. `prod`. Sent
    /// with every call as `x-sandbox-name`. Immutable.
    #[schemars(
        length(min = 1, max = 256),
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    )]
    #[x_kube(validation = ("self == oldSelf", "`sandboxName` is immutable"))]
    pub sandbox_name: String,
    /// The organisation that owns the sandbox, e.g. `0123456789ABCDEF@AdobeOrg`. Sent with every
    /// call as `x-gw-ims-org-id`. Immutable.
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[A-Za-z0-9]+@AdobeOrg$")
    )]
    #[x_kube(validation = ("self == oldSelf", "`imsOrgId` is immutable"))]
    pub ims_org_id: String,
    /// Secret with the credentials of an OAuth server-to-server project of Adobe's developer
    /// console: keys `clientId`, `clientSecret` and optionally `scopes` (separated by commas). For
    /// short-lived tests: `clientId` and `accessToken`, a token made by hand. A changed Secret is
    /// picked up without a restart.
    pub credentials_ref: LocalRef,
    /// Who the operator says it is in the marks it leaves on objects at Adobe, e.g. `payments` or
    /// `emea/payments`. Left out: `namespace/name` of this Sandbox. Set different values where two
    /// clusters work in one sandbox, and the same value where a rebuilt cluster shall find its
    /// objects again. Immutable, also when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[A-Za-z0-9.-]+(/[A-Za-z0-9.-]+)?$")
    )]
    pub owner_id: Option<String>,
    /// How much the operator may ask of Adobe, for all objects of this Sandbox together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How often everything at Adobe is compared with what is declared here, in seconds. Left out:
    /// what the operator was started with, 600 unless said otherwise. Changes made here are acted upon at once; this is about changes made at Adobe by
    /// others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86_400))]
    pub resync_period_seconds: Option<i32>,
    /// Other hosts than Adobe's own, e.g. a simulator or a proxy. The operator refuses hosts that
    /// it was not started to allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// `true` stops every change at Adobe for all objects of this Sandbox; deletion still works.
    /// Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// How much the operator may ask of Adobe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Calls per second, averaged. Default: 20.
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: i32,
    /// Calls that may be made at once after a quiet time. Default: 40.
    #[schemars(range(min = 1, max = 10_000))]
    pub burst: i32,
    /// Calls that may be under way at the same time. Default: 8.
    #[schemars(range(min = 1, max = 100))]
    pub max_concurrent_requests: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 20,
            burst: 40,
            max_concurrent_requests: 8,
        }
    }
}

/// Where Adobe's services are found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Base URL of the identity service that issues tokens. Left out:
    /// `https://ims-na1.adobelogin.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 512),
        regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    )]
    pub ims: Option<String>,
    /// Base URL of the platform's gateway. Left out: `https://platform.adobe.io`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 512),
        regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    )]
    pub platform: Option<String>,
}

/// What the operator reports about a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SandboxStatus {
    /// What every kind reports.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Tenant id of the organisation, without the leading underscore. `_tenant` in manifests stands
    /// for `_` and this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub tenant_id: Option<String>,
    /// State of the sandbox as Adobe names it, e.g. `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// `production` or `development`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub type_: Option<String>,
    /// Region that the sandbox is hosted in, e.g. `VA7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub region: Option<String>,
    /// Who the operator says it is in the marks it leaves at Adobe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub owner_id: Option<String>,
    /// How many objects at Adobe bear the mark of this Sandbox although no custom resource stands for
    /// them. They are never deleted by themselves: delete them at Adobe, or apply the manifest again
    /// that the mark names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub orphans: Option<i64>,
    /// The first ten of them, as kind and id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(max = 512)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub orphaned_objects: Vec<String>,
}

impl AepResource for Sandbox {
    const KIND: Kind = Kind::Sandbox;
    const COLUMNS: &'static [Column] = &[
        Column::new("Sandbox", ".spec.sandboxName"),
        Column::new("State", ".status.state"),
        Column::new("Type", ".status.type").wide(),
    ];

    fn management(&self) -> Management {
        Management {
            sandbox_ref: LocalRef {
                name: self.name_any(),
            },
            deletion_policy: DeletionPolicy::Delete,
            adoption_policy: AdoptionPolicy::Never,
            suspend: self.spec.suspend,
        }
    }

    fn references(&self) -> Vec<Reference> {
        vec![self.spec.credentials_ref.to(Target::Secret)]
    }
}
