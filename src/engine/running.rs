//! A pass under way, as the figures see it.

use std::fmt;

use super::error::Retry;
use super::labels::{Controller, Passes, controller, queue};
use super::metrics::{Metrics, lock};
use crate::api::Kind;

/// A pass under way.
pub(super) struct Running {
    pub(super) metrics: Metrics,
    pub(super) kind: Kind,
    pub(super) number: u64,
}

impl Running {
    /// The pass has ended, and this is what follows.
    pub(super) fn end(self, retry: Option<Retry>, terminal: bool) {
        let figures = &self.metrics.0;
        let result = match retry {
            None | Some(Retry::OnChange) => "success",
            Some(Retry::After(_)) => "requeue_after",
            Some(Retry::Backoff) => "error",
        };
        let controller = controller(self.kind);
        if terminal {
            figures.terminal.get_or_create(&controller).inc();
        }
        if result == "error" {
            figures.errors.get_or_create(&controller).inc();
            figures.retries.get_or_create(&queue(self.kind)).inc();
        }
        let Controller { controller } = controller;
        let labels = Passes { controller, result };
        figures.passes.get_or_create(&labels).inc();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let figures = &self.metrics.0;
        let controller = controller(self.kind);
        figures.active.get_or_create(&controller).dec();
        if let Some((_, since)) = lock(&figures.running).remove(&self.number) {
            let time = since.elapsed().as_secs_f64();
            figures.times.get_or_create(&controller).observe(time);
            figures.work.get_or_create(&queue(self.kind)).observe(time);
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").field(&self.kind).finish()
    }
}
