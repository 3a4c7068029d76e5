//! The status that all kinds share.

use kube::KubeSchema;
use kube::core::object::HasStatus;
use serde::{Deserialize, Serialize};

use super::{
    Condition, ConditionStatus,
    condition_types::READY,
    kind::with_kinds,
    pattern::{INTEGER_MAX, SCHEMA_ID_MAX},
};

/// How many objects of one resource may wait for their deletion.
pub const OBSOLETE_MAX: usize = 100;

/// The part of the status that all kinds share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommonStatus {
    /// `metadata.generation` that this status refers to; -1 until the operator has seen the
    /// resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = INTEGER_MAX))]
    pub observed_generation: Option<i64>,
    /// `metadata.generation` of the spec that Adobe had last. If the two are equal, a difference was
    /// made at Adobe and not by an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = INTEGER_MAX))]
    pub synced_generation: Option<i64>,
    /// Id of the object at Adobe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SCHEMA_ID_MAX))]
    pub id: Option<String>,
    /// Ids of other objects at Adobe that this resource had, or was to have, and that are still to
    /// be deleted: what was replaced, or what was to replace the present object before the spec went
    /// back. Only these and `id` are ever deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = OBSOLETE_MAX), inner(length(max = SCHEMA_ID_MAX)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub obsolete_ids: Vec<String>,
    /// Revision in the owner mark of the next object that replaces the present one, drawn at random
    /// and written before that object is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_i64))]
    pub next_revision: Option<i64>,
    /// Conditions of the resource. `Ready` is true when Adobe holds what the spec says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Last value of the annotation `aep-operator.io/requested-at` that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub last_handled_request: Option<String>,
}

impl CommonStatus {
    /// The condition of that type, if it is reported.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.type_ == type_)
    }

    /// Whether the object is ready as of that `metadata.generation`.
    #[must_use]
    pub fn is_ready(&self, generation: Option<i64>) -> bool {
        self.observed_generation == generation
            && self
                .condition(READY)
                .is_some_and(|ready| ready.status == ConditionStatus::True)
    }
}

/// Gives the engine access to the shared part of each status.
macro_rules! has_common_status {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {$(
        impl AsRef<CommonStatus> for <super::$kind as HasStatus>::Status {
            fn as_ref(&self) -> &CommonStatus {
                &self.common
            }
        }

        impl AsMut<CommonStatus> for <super::$kind as HasStatus>::Status {
            fn as_mut(&mut self) -> &mut CommonStatus {
                &mut self.common
            }
        }
    )+};
}
with_kinds!(has_common_status);
