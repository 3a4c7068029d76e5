//! The operator against a real kube-apiserver, with the simulator in Adobe's place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changes;
mod harness;
mod kubectl;
mod lease;
mod pipeline;
mod recovery;
mod replica;
mod rooms;
mod trouble;
mod tutorial;
