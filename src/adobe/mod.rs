//! A typed client of the five services behind a pipeline, and of the identity service (IMS) that issues its tokens.
//!
//! One file per service holds that service's calls and types. All of them go through `send`, which authenticates, waits for
//! the rate limit, repeats where that is safe and sorts every failure into a [`Class`]; below it are `account` with `auth`,
//! and `gate`, which handles from the same [`Pool`] share; below all is `transport`, the only module that sends anything.
//! This module knows no Kubernetes and imports nothing of ours but `backoff`.

mod account;
mod auth;
mod call;
mod catalog;
mod data_prep;
mod error;
mod flow_service;
mod gate;
mod handle;
mod listing;
mod meter;
mod page;
mod patch;
mod permission;
mod pool;
mod redact;
mod retry;
mod sandboxes;
mod schema_registry;
mod send;
mod service;
mod settings;
mod tolerant;
mod transport;

#[cfg(test)]
mod tests;

pub use catalog::{Catalog, DataSet, NewDataSet, SchemaRef};
pub use data_prep::{DataPrep, MappingFault, MappingRef, MappingRow, MappingSet, Rest, SourceKind};
pub use error::{Class, Error};
pub use flow_service::{
    Action, Auth, AuthSpec, Connection, Created, Flow, FlowEntity, FlowService, NewConnection,
    NewFlow, NewSourceConnection, NewTargetConnection, Run, SourceConnection, Spec, SpecRef,
    TargetConnection, Transformation,
};
pub use handle::Adobe;
pub use listing::{Listing, Unreadable};
pub use meter::{Attempt, Meter};
pub use patch::PatchOp;
pub use permission::Permission;
pub use pool::Pool;
pub use redact::Redactor;
pub use sandboxes::{SandboxInfo, Sandboxes};
pub use schema_registry::{
    Descriptor, RegistryResource, RegistryType, SchemaRegistry, Stats, alt_id,
};
pub use service::Service;
pub use settings::{Credentials, Endpoints, Limits, Settings};

use retry::RetryPolicy;

/// The result of every call.
pub type Result<T> = std::result::Result<T, Error>;
