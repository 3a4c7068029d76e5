//! How any kind is driven: the reconciler, the error table, status, events, back-off, observation.
//!
//! Knows no particular kind. May import `api` and `adobe`.

mod clean_up;
mod condition;
mod context;
mod converge;
mod create;
mod doubt;
mod error;
mod follow;
mod graph;
mod kind;
mod labels;
mod locate;
mod mark;
mod memory;
mod metadata;
mod metrics;
mod now;
mod observations;
mod owner;
mod pass;
pub mod reasons;
mod reconcile;
mod refusals;
mod rounds;
mod run;
mod run_figures;
mod running;
mod secrets;
mod seen;
mod session;
mod shelf;
mod sweep;
mod tell;
mod turns;
mod watch;

pub use condition::{report, tell};
pub use context::{Engine, Milestone, Settings};
pub use error::{Error, Result, Retry, Verdict};
pub use graph::Key;
pub use kind::{Kind, Plan};
pub use mark::Mark;
pub use metrics::Metrics;
pub use observations::{Observations, Observed};
pub use pass::Pass;
pub use reconcile::Reconcile;
pub use run::run;
pub use run_figures::{RunFigures, RunGauges};
pub use secrets::secrets;
pub use session::{Session, Sessions};
pub use shelf::Desk;
