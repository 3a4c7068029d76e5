//! What the tests of the operator share: a cluster with its CRDs, samples, and one [`World`] per test.
//!
//! Demo and benchmarks use the parts of it that do not panic, or that only panic where the repository itself is broken.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

pub mod cluster;
pub mod collections;
pub mod fleet;
pub mod kubectl;
pub mod metrics;
mod objects;
pub mod pages;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use objects::{condition, copies, name, numbered, ours, sample, use_default_resync_period};
pub use world::World;

/// The folder of the repository.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Long enough for a machine that is busy with other things; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A file of the repository.
pub fn path(below: &str) -> PathBuf {
    Path::new(ROOT).join(below)
}
