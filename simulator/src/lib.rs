//! Adobe Experience Platform's ingestion APIs in a box.
//!
//! Every service is a pure function from a request and the state of a sandbox to an answer. [`Simulator`] puts them
//! behind one address on loopback, with IMS, the gateway's checks, faults, a log of calls, and ways to see and change
//! what is stored.

mod admin;
mod calls;
pub mod catalog;
mod clock;
pub mod collection;
mod connectors;
mod control;
pub mod data_prep;
mod exchange;
mod faults;
pub mod flow_service;
mod gateway;
pub mod http;
pub mod identity_service;
mod ims;
mod incoming;
mod objects;
mod options;
pub mod profile;
pub mod registry;
pub mod sandbox_service;
mod server;
mod state;
mod wire;
pub mod world;

pub use calls::Call;
pub use connectors::{Connector, Reads};
pub use faults::{Effect, Fault, Reply, Times};
pub use flow_service::RunOutcome;
pub use options::Options;
pub use server::Simulator;
