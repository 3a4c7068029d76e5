//! What lies in `deploy/`, used as its readers use it: against a real kube-apiserver, by kubectl, and as Argo CD and Flux
//! would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actions;
mod argo;
mod config;
mod definitions;
mod flux;
mod gitops;
#[allow(
    dead_code,
    reason = "shared with the target `operator`, which uses the rest"
)]
#[path = "../operator/harness.rs"]
mod harness;
mod health;
mod kstatus;
mod kubectl;
mod lua;
mod pages;
mod pod;
mod samples;
mod state_metrics;
mod witness;
