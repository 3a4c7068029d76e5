//! Conditions, in the form that is standard in Kubernetes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::INTEGER_MAX;

/// Types of condition that every kind may carry.
pub mod condition_types {
    /// Adobe holds what the spec says.
    pub const READY: &str = "Ready";
    /// Work is in progress or will be retried; present only while true.
    pub const RECONCILING: &str = "Reconciling";
    /// Nothing happens until a user changes something; present only while true.
    pub const STALLED: &str = "Stalled";
    /// `spec.suspend` is set; present only while true.
    pub const SUSPENDED: &str = "Suspended";
    /// Of a `Sandbox`: objects at Adobe carry its mark but have no custom resource; present only
    /// while true.
    pub const ORPHANS_FOUND: &str = "OrphansFound";
    /// Of a `Sandbox`: listing objects at Adobe fails repeatedly; present only while true.
    pub const SWEEP_FAILED: &str = "SweepFailed";
    /// Of a `Sandbox`: nearly everything that its resources stand for is gone at Adobe, as after a
    /// reset; present only while true.
    pub const SANDBOX_RESET: &str = "SandboxReset";
    /// Of a `Dataflow`: how its last run went; unknown before the first one. It never affects the
    /// others.
    pub const LAST_RUN_SUCCEEDED: &str = "LastRunSucceeded";
}

/// One observed aspect of the resource's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Type of the condition: `Ready`; `Reconciling`, `Stalled` and `Suspended` only while they are
    /// true.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 316))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: ConditionStatus,
    /// `metadata.generation` that the condition refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub observed_generation: Option<i64>,
    /// When `status` last changed.
    pub last_transition_time: Time,
    /// Machine-readable reason in one word, e.g. `DependencyNotReady`.
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    )]
    pub reason: String,
    /// Human-readable explanation, and what to do about it.
    #[schemars(length(max = 32768))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known.
    Unknown,
}

impl ConditionStatus {
    /// As it is written in a status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}
