//! The simulator, seen by a client over HTTP.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod changes;
#[path = "../../../tests/circles.rs"]
mod circles;
mod client;
mod connectors;
mod control;
mod faults;
mod flows;
mod gateway;
mod lists;
mod modules;
mod pipeline;
mod recovery;
mod runs;
mod services;
mod states;
