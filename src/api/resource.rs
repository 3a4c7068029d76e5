//! What all kinds have in common, as code sees it.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use serde::{Serialize, de::DeserializeOwned};

use super::{CommonStatus, Kind, Management, Reference, ReplacePolicy};

/// What the engine may ask of every custom resource of this API.
pub trait AepResource:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// Which kind it is.
    const KIND: Kind;

    /// What the operator reports about it.
    type Status: Clone
        + Debug
        + Default
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + AsRef<CommonStatus>
        + AsMut<CommonStatus>;

    /// The last report.
    fn status(&self) -> Option<&Self::Status>;

    /// How the object at Adobe is to be treated.
    fn management(&self) -> Management;

    /// What to do about a change that Adobe cannot make in place.
    fn replace_policy(&self) -> ReplacePolicy {
        ReplacePolicy::Never
    }

    /// Every object that this one names, each once.
    fn references(&self) -> Vec<Reference>;
}
