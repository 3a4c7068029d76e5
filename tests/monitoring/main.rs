//! What Prometheus and its users get.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod exported;
#[path = "../figures.rs"]
mod figures;
mod files;
#[allow(
    dead_code,
    reason = "shared with the target `operator`, which uses the rest"
)]
#[path = "../operator/harness.rs"]
mod harness;
mod kept;
mod names;
mod prometheus;
mod queries;
mod rules;
mod scene;
