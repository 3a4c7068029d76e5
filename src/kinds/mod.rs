//! What each kind means: from spec to Adobe's bodies, and from Adobe's answers to the next step.
//!
//! One file per kind, `impl Kind` and what it needs; no kind knows another's file. May import `engine`, `api` and
//! `adobe`.

mod dataset;
mod mapping_set;
mod platform_schema;
mod sandbox;
