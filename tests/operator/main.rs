//! The operator against a real kube-apiserver, with the simulator in Adobe's place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod adoption;
mod bounds;
mod canary;
mod changes;
#[path = "../circles.rs"]
mod circles;
mod commands;
mod contradictions;
mod deletion;
mod docs;
mod drift;
mod duplicates;
mod forgery;
mod kubectl;
mod lease;
mod modules;
mod pipeline;
mod pressure;
mod process;
mod recovery;
mod replacement;
mod replica;
mod repository;
mod reset;
mod rotation;
mod runs;
mod schemas;
mod secrets;
mod states;
mod supply;
mod telemetry;
mod trouble;
mod tutorial;
mod unreadable;
mod unwritten;
mod waits;
