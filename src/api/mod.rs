//! What users write: the custom resources of `aep-operator.io`, with their schema, admission rules
//! and documentation.
//!
//! Types only. Nothing here talks to a network, and nothing here imports another module of this
//! crate.

mod base_connection;
mod condition;
mod crd;
mod dataflow;
mod dataset;
mod kind;
mod management;
mod mapping_set;
mod open;
mod pattern;
mod platform_schema;
mod reference;
mod resource;
mod sandbox;
mod shape;
mod source_connection;
mod status;
mod target_connection;

#[cfg(test)]
mod manual;
#[cfg(test)]
mod tests;

pub use base_connection::*;
pub use condition::*;
pub use crd::*;
pub use dataflow::*;
pub use dataset::*;
pub(crate) use kind::with_kinds;
pub use kind::*;
pub use management::*;
pub use mapping_set::*;
pub use open::OpenObject;
pub use platform_schema::*;
pub use reference::*;
pub use resource::*;
pub use sandbox::*;
pub use shape::{Shape, spec_shape};
pub use source_connection::*;
pub use status::*;
pub use target_connection::*;

/// API group of every kind.
pub const GROUP: &str = "aep-operator.io";
/// The only version of the API.
pub const VERSION: &str = "v1alpha1";
/// Keeps a custom resource in Kubernetes until its object at Adobe is gone.
pub const FINALIZER: &str = "aep-operator.io/external-cleanup";
/// Annotation: any new value requests an immediate reconcile.
pub const REQUESTED_AT: &str = "aep-operator.io/requested-at";
/// Annotation: id of the object at Adobe that this custom resource adopts.
pub const EXTERNAL_ID: &str = "aep-operator.io/external-id";
/// Annotation of a `Sandbox`: the value of `status.resetTime`, to have everything created again where
/// `recreatePolicy` is `Confirm`.
pub const RECREATE_APPROVED: &str = "aep-operator.io/recreate-approved";
/// Annotation: `"true"` removes a custom resource although its object at Adobe could not be
/// deleted.
pub const FORCE_DELETE: &str = "aep-operator.io/force-delete";
/// Label of a Secret that base connections may use, where the operator asks for it.
pub const ALLOW_IN_CONNECTIONS: &str = "aep-operator.io/allow-in-connections";
