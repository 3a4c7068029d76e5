//! How any kind is driven: the reconciler, the error table, status, events, back-off, observation.
//!
//! Knows no particular kind. May import `api` and `adobe`.

mod condition;
mod context;
mod converge;
mod error;
mod graph;
mod kind;
mod mark;
mod memory;
mod metadata;
mod observations;
mod pass;
mod reconcile;
mod run;
mod session;
mod shelf;
mod sweep;

pub use context::{Engine, Settings};
pub use error::{Error, Result, Retry, Verdict, reasons};
pub use graph::Key;
pub use kind::{Kind, Plan};
pub use mark::Mark;
pub use observations::{Observations, Observed};
pub use pass::Pass;
pub use reconcile::Reconcile;
pub use run::{run, secrets};
pub use session::{Session, Sessions};
pub use shelf::Desk;
