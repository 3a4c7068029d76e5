//! Fields that every kind which owns an object at Adobe has.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, LocalRef, Reference};

/// How the object at Adobe is managed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Management {
    /// The `Sandbox` in this namespace that the resource belongs to. Default: the one called
    /// `default`. Immutable, because an object cannot move between sandboxes.
    #[serde(default = "default_sandbox")]
    #[x_kube(validation = ("self.name == oldSelf.name", "`sandboxRef` is immutable"))]
    pub sandbox_ref: LocalRef,
    /// What happens at Adobe when this custom resource is deleted. `Delete`: the object is deleted
    /// first, once nothing uses it any more. `Orphan`: it stays as it is. Default: `Delete`. Can be
    /// changed at any time.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Whether an object that already exists at Adobe under the same name may be adopted. `Never`:
    /// it is left alone, and a new object is created beside it; a schema, whose title must be
    /// unique, reports `TitleTaken`. `IfUnowned`: it is adopted if it carries no mark. Mapping sets
    /// have no user-defined name at Adobe, so this has no effect on them. Default: `Never`. The
    /// annotation `aep-operator.io/external-id` adopts one particular object whatever is set here.
    #[serde(default)]
    pub adoption_policy: AdoptionPolicy,
    /// `true` stops all changes at Adobe for this resource; deletion still works. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

impl Management {
    /// Whether changes at Adobe are paused.
    #[must_use]
    pub fn suspended(&self) -> bool {
        self.suspend == Some(true)
    }

    /// The sandbox as a reference.
    pub(super) fn sandbox(&self) -> Reference {
        self.sandbox_ref.to(Kind::Sandbox)
    }
}

impl Default for Management {
    fn default() -> Self {
        Self {
            sandbox_ref: default_sandbox(),
            deletion_policy: DeletionPolicy::default(),
            adoption_policy: AdoptionPolicy::default(),
            suspend: None,
        }
    }
}

fn default_sandbox() -> LocalRef {
    LocalRef {
        name: "default".into(),
    }
}

/// What happens at Adobe when the custom resource is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Delete the object.
    #[default]
    Delete,
    /// Leave the object alone.
    Orphan,
}

/// Whether an existing object may be adopted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    /// Only the object named by annotation.
    #[default]
    Never,
    /// Also one with the same name that carries no mark.
    IfUnowned,
}

/// What to do about a change that Adobe cannot make in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReplacePolicy {
    /// Refuse it and report it.
    #[default]
    Never,
    /// Create another object, and delete this one once nothing uses it any more.
    Recreate,
}

/// Which generation of Adobe's request bodies is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Contract {
    /// What Adobe documents today.
    #[default]
    Current,
    /// What Adobe's payments tutorial of 2020 sends.
    Legacy2020,
}
