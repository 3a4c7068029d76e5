//! Measures one reconcile.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::families::{Families, lock};
use super::labels::{Controller, Reconciles, controller, queue};
use crate::api::Kind;

/// How a reconcile ended, as `controller_runtime_reconcile_total` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum ReconcileResult {
    /// Nothing follows until something changes.
    Success,
    /// Another one follows after a while.
    RequeueAfter,
    /// It failed and is retried with backoff.
    Error,
}

/// A reconcile under way: its time is observed when this is dropped.
pub(in crate::engine) struct ReconcileTimer {
    families: Arc<Families>,
    kind: Kind,
    number: u64,
}

impl ReconcileTimer {
    pub(super) fn start(families: Arc<Families>, kind: Kind) -> Self {
        families.active.get_or_create(&controller(kind)).inc();
        let number = families.numbers.fetch_add(1, Ordering::Relaxed);
        lock(&families.running).insert(number, (kind, Instant::now()));
        Self {
            families,
            kind,
            number,
        }
    }

    /// The reconcile has ended like this; `terminal` if only a person can help.
    pub(in crate::engine) fn end(self, result: ReconcileResult, terminal: bool) {
        let families = &self.families;
        let controller = controller(self.kind);
        if terminal {
            families.terminal.get_or_create(&controller).inc();
        }
        if result == ReconcileResult::Error {
            families.errors.get_or_create(&controller).inc();
            families.retries.get_or_create(&queue(self.kind)).inc();
        }
        let Controller { controller } = controller;
        let result = match result {
            ReconcileResult::Success => "success",
            ReconcileResult::RequeueAfter => "requeue_after",
            ReconcileResult::Error => "error",
        };
        let labels = Reconciles { controller, result };
        families.reconciles.get_or_create(&labels).inc();
    }
}

impl Drop for ReconcileTimer {
    fn drop(&mut self) {
        let families = &self.families;
        let controller = controller(self.kind);
        families.active.get_or_create(&controller).dec();
        if let Some((_, since)) = lock(&families.running).remove(&self.number) {
            let time = since.elapsed().as_secs_f64();
            families.times.get_or_create(&controller).observe(time);
            families.work.get_or_create(&queue(self.kind)).observe(time);
        }
    }
}

impl fmt::Debug for ReconcileTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReconcileTimer").field(&self.kind).finish()
    }
}
