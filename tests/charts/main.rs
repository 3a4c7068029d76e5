//! The charts, installed by a real Helm on a real API server. Pods do not run there, so a test starts the operator's binary
//! itself: with what the rendered Deployment says, as the `ServiceAccount` of the release.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod generated;
#[allow(
    dead_code,
    reason = "shared with the target `operator`, which uses the rest"
)]
#[path = "../operator/harness.rs"]
mod harness;
mod life;
mod manual;
mod pages;
mod people;
mod pods;
mod release;
mod rendered;
mod rights;
