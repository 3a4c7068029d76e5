//! What each kind means: from spec to Adobe's bodies, and from Adobe's answers to the next step.
//!
//! One module per kind, which implements [`Planned`](crate::engine::Planned) and [`ManagedKind`](crate::engine::ManagedKind).
//! Below it, where it is long: `held`, what Adobe holds; `desired`, what Adobe should hold; `plan`, the comparison. No kind
//! imports another one. May import `engine`, `api`, `adobe` and `backoff`.

mod base_connection;
mod compare;
mod dataflow;
mod dataset;
mod flow_service;
mod mapping_set;
mod platform_schema;
#[cfg(test)]
mod properties;
mod sandbox;
mod source_connection;
mod target_connection;
