//! Hundreds of pipelines: what is promised of one holds for all of them together.
//!
//! `cargo test` runs it with 200 pipelines at most, `make scale` with 1,000.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "shared with the benchmarks, which use the rest")]
#[path = "../copies.rs"]
mod copies;
mod fleet;
#[allow(
    dead_code,
    reason = "shared with the target `operator`, which uses the rest"
)]
#[path = "../operator/harness.rs"]
mod harness;
mod priority;
mod quiet;
mod rebuild;
