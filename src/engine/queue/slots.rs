//! The limit of concurrent reconciles of one kind in one sandbox. Those that have to wait hold nothing, so a slow sandbox
//! keeps no other from being served, and what they would write waits with them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::api::Kind;
use crate::engine::key::Key;

/// A kind, and the Sandbox.
pub type Place = (Kind, Key);

/// What came of asking for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// There was one.
    Taken,
    /// There is none; the resource waits from now on.
    Queued,
    /// The same, and it waits already.
    Waiting,
}

/// The slots for reconciles.
#[derive(Debug, Default)]
pub struct Slots(Mutex<HashMap<Place, State>>);

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: VecDeque<Key>,
    queued: HashSet<Key>,
}

impl Slots {
    /// Takes a slot, unless `limit` are taken already: then the resource waits.
    pub fn take(&self, place: &Place, key: &Key, limit: usize) -> Take {
        let mut places = self.places();
        let state = places.entry(place.clone()).or_default();
        if state.running < limit {
            state.running += 1;
            return Take::Taken;
        }
        if state.queued.insert(key.clone()) {
            state.waiting.push_back(key.clone());
            return Take::Queued;
        }
        Take::Waiting
    }

    /// Frees a slot; returns those who may come now. One of them may not come, so all free slots are offered.
    pub fn free(&self, place: &Place, limit: usize) -> Vec<Key> {
        let mut places = self.places();
        let Some(state) = places.get_mut(place) else {
            return Vec::new();
        };
        state.running -= 1;
        let free = match state.running {
            0 => state.waiting.len(),
            running => limit.saturating_sub(running).min(state.waiting.len()),
        };
        let next: Vec<_> = state.waiting.drain(..free).collect();
        for key in &next {
            state.queued.remove(key);
        }
        if state.running == 0 {
            places.remove(place);
        }
        next
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Place, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
