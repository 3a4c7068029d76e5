//! The organisation's sandbox through which all other kinds reach Adobe.

use std::hash::Hash;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AdoptionPolicy, AepResource, Column, CommonStatus, DeletionPolicy, Kind, LocalRef, Management,
    RECREATE_APPROVED, Reference, Target,
    condition_types::{ORPHANS_FOUND, SANDBOX_RESET, SWEEP_FAILED},
    pattern::INTEGER_MAX,
};

/// The sandbox of Adobe Experience Platform, and how to connect to it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
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
           is created at Adobe. All other kinds name the Sandbox that they belong to."
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
    /// short-lived tests: `clientId` and `accessToken`, a manually created token. A changed Secret
    /// is picked up without a restart.
    pub credentials_ref: LocalRef,
    /// Owner id in the marks that the operator writes on objects at Adobe, e.g. `payments` or
    /// `emea/payments`. If unset: `namespace/name` of this Sandbox. Set different values if two
    /// clusters use one sandbox, and the same value if a rebuilt cluster must find its objects
    /// again. Immutable, also if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = r"^[A-Za-z0-9.-]+(/[A-Za-z0-9.-]+)?$")
    )]
    pub owner_id: Option<String>,
    /// Limits on the calls to Adobe, for all resources of this Sandbox together. Sandboxes with the
    /// same `sandboxName`, `imsOrgId` and client id share them, since Adobe counts their calls
    /// together; where they differ, the strictest apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How often all objects at Adobe are compared with the specs, in seconds. If unset: the
    /// operator's `--resync-period-seconds`, by default 600. Changes of a spec are applied
    /// immediately; this period is for changes made at Adobe by others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86_400))]
    pub resync_period_seconds: Option<i32>,
    /// Hosts other than Adobe's own, e.g. a simulator or a proxy. The operator refuses hosts that
    /// `--allowed-endpoints` does not allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// What happens when nearly everything that the resources of this Sandbox stand for is found
    /// gone at Adobe, as after a reset of the sandbox. `Automatic`: everything is created again.
    /// `Confirm`: nothing is created in the sandbox until the annotation
    /// `aep-operator.io/recreate-approved` of this Sandbox has the value of `status.resetTime`.
    /// Objects that vanish one by one are created again in either case. Default: `Automatic`. Can be
    /// changed at any time.
    #[serde(default)]
    pub recreate_policy: RecreatePolicy,
    /// `true` stops all changes at Adobe for all resources of this Sandbox; deletion still works.
    /// Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What to do when nearly everything in the sandbox is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RecreatePolicy {
    /// Create it again.
    #[default]
    Automatic,
    /// Create nothing before somebody approves.
    Confirm,
}

/// Limits on the calls to Adobe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Average number of calls per second. Default: 20.
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: i32,
    /// Number of calls that may be made in a burst after an idle period. Default: 40.
    #[schemars(range(min = 1, max = 10_000))]
    pub burst: i32,
    /// Number of calls that may be in flight at the same time. Default: 8.
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

/// Where Adobe's services are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Base URL of the identity service that issues tokens. If unset:
    /// `https://ims-na1.adobelogin.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 512),
        regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    )]
    pub ims: Option<String>,
    /// Base URL of the platform's gateway. If unset: `https://platform.adobe.io`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 512),
        regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    )]
    pub platform: Option<String>,
}

/// Status of a sandbox, as reported by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SandboxStatus {
    /// Fields common to all kinds.
    #[serde(flatten)]
    pub common: CommonStatus,
    /// Tenant id of the organisation, without the leading underscore. `_tenant` in manifests stands
    /// for `_` followed by this id.
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
    /// Region in which the sandbox is hosted, e.g. `VA7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub region: Option<String>,
    /// Owner id in the marks that the operator writes at Adobe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub owner_id: Option<String>,
    /// When the operator found that nearly everything which the resources of this Sandbox stand for
    /// is gone at Adobe; present until it is there again. With `recreatePolicy: Confirm`, this is the
    /// value of the annotation that approves of creating it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_time: Option<Time>,
    /// Number of objects at Adobe that carry the mark of this Sandbox but have no custom resource.
    /// They are never deleted automatically: delete them at Adobe, or apply again the manifest that
    /// the mark names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub orphans: Option<i64>,
    /// The first ten orphans, as kind and id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(max = 512)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub orphaned_objects: Vec<String>,
}

impl Sandbox {
    /// The owner id in the marks.
    #[must_use]
    pub fn owner(&self) -> String {
        let default = || {
            format!(
                "{}/{}",
                self.namespace().unwrap_or_default(),
                self.name_any()
            )
        };
        self.spec.owner_id.clone().unwrap_or_else(default)
    }

    /// Whether resources of the two give objects in the same sandbox at Adobe the same owner.
    #[must_use]
    pub fn shares_objects_with(&self, other: &Self) -> bool {
        self.owner() == other.owner()
            && self.spec.ims_org_id == other.spec.ims_org_id
            && self.spec.sandbox_name == other.spec.sandbox_name
    }

    /// Whether what was gone at that time may be created again.
    #[must_use]
    pub fn allows_recreation(&self, reset_time: &Time) -> bool {
        let approved = self.annotations().get(RECREATE_APPROVED);
        let approved = approved.and_then(|it| it.trim().parse::<Timestamp>().ok());
        self.spec.recreate_policy == RecreatePolicy::Automatic || approved == Some(reset_time.0)
    }
}

impl AepResource for Sandbox {
    const KIND: Kind = Kind::Sandbox;
    const CONDITIONS: &'static [&'static str] = &[ORPHANS_FOUND, SWEEP_FAILED, SANDBOX_RESET];
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

    fn published(status: &SandboxStatus) -> impl Hash {
        let reset = status.reset_time.as_ref().map(|it| it.0);
        (status.common.id.clone(), reset)
    }
}
