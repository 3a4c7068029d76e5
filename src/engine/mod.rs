//! How any kind is driven. Knows no particular kind but `Sandbox`, through which all others reach Adobe.
//!
//! [`watch`] fills the caches and enqueues, [`queue`] holds both, [`reconcile`] decides and carries out, [`sandbox`] holds
//! what is known of Adobe, [`resync`] keeps that up to date, [`metrics`] counts. May import `api`, `adobe` and `backoff`.

mod controller;
mod difference;
mod entry;
mod error;
mod events;
#[cfg(test)]
mod fuzz;
mod held;
mod key;
mod kind;
mod lookup;
mod mark;
mod metrics;
mod parse;
mod planned;
mod queue;
pub mod reasons;
mod reconcile;
mod registry;
mod resync;
mod sandbox;
mod secrets;
mod settings;
mod shared;
mod status;
mod verdict;
mod watch;

pub use controller::run;
pub use difference::Difference;
pub use error::{Error, Result};
pub use events::Events;
pub use held::Held;
pub use key::{Identity, Key};
pub use kind::{ManagedKind, Objects, Observing};
pub use lookup::{Lookup, Resources, bare_id};
pub use mark::Mark;
pub use metrics::Metrics;
pub use planned::{Plan, Planned};
pub use queue::{Inlet, Queues};
pub use reconcile::{Context, Reconcile, Report, add_finalizer, set_condition, set_if_found};
pub use resync::tell_waits;
pub use sandbox::{AnyCollection, Collection, Session, Sessions, collection};
pub use secrets::SecretData;
pub use settings::{Milestone, Settings};
pub use shared::Engine;
pub use verdict::{Retry, Verdict};
pub use watch::watch_secrets;
