//! What each kind means: from spec to Adobe's bodies, and from Adobe's answers to the next step.
//!
//! One file per kind, `impl Kind` and what it needs; no kind knows another's file. May import `engine`, `api` and
//! `adobe`.

mod base_connection;
mod dataflow;
mod dataset;
mod mapping_set;
mod normal;
mod platform_schema;
#[cfg(test)]
mod properties;
mod sandbox;
mod source_connection;
mod target_connection;
