//! How one object names another.

use std::{collections::HashSet, fmt};

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Kind,
    pattern::{
        ADOBE_ID, ADOBE_ID_MAX, NAME_MAX, OBJECT_NAME, OBJECT_NAME_MAX, SECRET_KEY, SPEC_VERSION,
    },
};

/// What a reference may point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A custom resource of this API.
    Kind(Kind),
    /// A Kubernetes Secret.
    Secret,
}

impl From<Kind> for Target {
    fn from(kind: Kind) -> Self {
        Self::Kind(kind)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Secret => f.pad("Secret"),
        }
    }
}

/// Another object in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// What is named.
    pub target: Target,
    /// `metadata.name` of it.
    pub name: String,
}

impl Reference {
    /// Names one object.
    pub fn new(target: impl Into<Target>, name: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.target, self.name)
    }
}

/// The references without repetition, in the order given.
pub(super) fn distinct(references: impl IntoIterator<Item = Reference>) -> Vec<Reference> {
    let mut seen = HashSet::new();
    references
        .into_iter()
        .filter(|reference| seen.insert(reference.clone()))
        .collect()
}

/// Names a resource in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalRef {
    /// `metadata.name` of the resource, which must be in the same namespace. It may be created
    /// later: until it is Ready, this resource waits with reason `DependencyNotReady`.
    #[schemars(length(min = 1, max = OBJECT_NAME_MAX), regex(pattern = OBJECT_NAME))]
    pub name: String,
}

impl LocalRef {
    /// The reference, with the kind that it points to.
    #[must_use]
    pub fn to(&self, target: impl Into<Target>) -> Reference {
        Reference::new(target, &self.name)
    }
}

/// Names one key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// `metadata.name` of the Secret. Changes of the Secret are detected and sent to Adobe.
    #[schemars(length(min = 1, max = OBJECT_NAME_MAX), regex(pattern = OBJECT_NAME))]
    pub name: String,
    /// Key in the Secret's data whose value is used, e.g. `clientSecret`.
    #[schemars(length(min = 1, max = OBJECT_NAME_MAX), regex(pattern = SECRET_KEY))]
    pub key: String,
}

/// Names a connection or flow specification of Adobe: exactly one of `name` and `id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = (
        "has(self.name) != has(self.id)",
        "exactly one of `name` and `id` must be set",
    )
)]
pub struct SpecSelector {
    /// Name of the specification as Adobe lists it, e.g. `landing-zone` or `CRMToAEP`; the operator
    /// looks up its id. Not the name in Adobe's interface. Like the id, it is the same in every
    /// sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = NAME_MAX))]
    pub name: Option<String>,
    /// Id of the specification, e.g. `221c7626-58f6-4eec-8ee2-042b0226f03b`. Used as given, without
    /// a lookup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ADOBE_ID_MAX), regex(pattern = ADOBE_ID))]
    pub id: Option<String>,
    /// Version of the specification. If unset: `1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), regex(pattern = SPEC_VERSION))]
    pub version: Option<String>,
}
