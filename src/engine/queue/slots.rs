//! The limit of concurrent reconciles of one kind in one sandbox. Those that have to wait hold nothing, so a slow sandbox
//! keeps no other from being served.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::queues::Queues;
use crate::engine::key::Key;

/// The slots for reconciles of one kind in one sandbox.
#[derive(Debug, Default)]
pub struct Slots(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: VecDeque<Key>,
    queued: HashSet<Key>,
}

impl Slots {
    /// A slot, unless `limit` are taken already: then the resource is enqueued again when one is free.
    pub fn take<'q>(
        self: &Arc<Self>,
        queues: &'q Queues,
        key: &Key,
        limit: u16,
    ) -> Option<Slot<'q>> {
        let limit = usize::from(limit);
        let mut state = self.state();
        if state.running >= limit {
            if state.queued.insert(key.clone()) {
                queues.metrics.waiting(key.kind, 1);
                state.waiting.push_back(key.clone());
            }
            return None;
        }
        state.running += 1;
        Some(Slot {
            slots: self.clone(),
            queues,
            limit,
        })
    }

    /// Frees a slot; returns those who may come now. One of them may not come, so all free slots are offered.
    fn free(&self, limit: usize) -> Vec<Key> {
        let mut state = self.state();
        state.running -= 1;
        let free = match state.running {
            0 => state.waiting.len(),
            running => limit.saturating_sub(running).min(state.waiting.len()),
        };
        let next: Vec<_> = state.waiting.drain(..free).collect();
        for key in &next {
            state.queued.remove(key);
        }
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot taken by one reconcile; it is free again when this is dropped.
#[derive(Debug)]
pub struct Slot<'q> {
    slots: Arc<Slots>,
    queues: &'q Queues,
    limit: usize,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        for key in self.slots.free(self.limit) {
            self.queues.metrics.waiting(key.kind, -1);
            self.queues.enqueue(&key);
        }
    }
}
