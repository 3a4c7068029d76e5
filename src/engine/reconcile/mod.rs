//! The one path that every reconcile takes: what is to be done is [decided](decide), [carried out](perform), explained by
//! conditions, and written.

mod apply;
mod conditions;
mod context;
mod decide;
mod delete;
mod finalizer;
mod perform;
mod reconciler;
mod report;
mod steps;
mod view;
mod work;

pub use apply::reconcile;
pub use conditions::{set_condition, set_if_found};
pub use context::Context;
pub use finalizer::add as add_finalizer;
pub use reconciler::Reconcile;
pub use report::Report;
