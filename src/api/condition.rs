//! Conditions, in the form that all of Kubernetes uses.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::INTEGER_MAX;

/// Types of condition that every kind may carry.
pub mod condition_types {
    /// Adobe holds what the spec says.
    pub const READY: &str = "Ready";
    /// Work is under way or will be retried; present only while true.
    pub const RECONCILING: &str = "Reconciling";
    /// Nothing will happen until a person changes something; present only while true.
    pub const STALLED: &str = "Stalled";
    /// `spec.suspend` is set; present only while true.
    pub const SUSPENDED: &str = "Suspended";
    /// Of a `Sandbox`: objects at Adobe bear its mark, but no custom resource stands for them; present only while true.
    pub const ORPHANS_FOUND: &str = "OrphansFound";
    /// Of a `Sandbox`: something at Adobe cannot be listed, time and again; present only while true.
    pub const SWEEP_FAILED: &str = "SweepFailed";
    /// Of a `Dataflow`: how its last run went; unknown before the first one. It never has a say in the others.
    pub const LAST_RUN_SUCCEEDED: &str = "LastRunSucceeded";
}

/// One observed aspect of the object's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect: `Ready`; `Reconciling`, `Stalled` and `Suspended` only while they are true.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 316))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: ConditionStatus,
    /// `metadata.generation` that the condition speaks about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub observed_generation: Option<i64>,
    /// When `status` last changed.
    pub last_transition_time: Time,
    /// Why, in one word for programs, e.g. `DependencyNotReady`.
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    )]
    pub reason: String,
    /// Why, and what to do about it, for people.
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
    /// It cannot be told.
    Unknown,
}

impl ConditionStatus {
    /// As it stands in a status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}
