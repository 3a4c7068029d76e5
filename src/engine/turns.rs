//! Whose turn it is: so many passes of one kind at a time in one sandbox. Those that have to wait hold nothing, so a slow
//! sandbox keeps nobody else from working.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::context::Engine;
use super::graph::Key;

/// The passes of one kind in one sandbox.
#[derive(Debug, Default)]
pub struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: VecDeque<Key>,
    queued: HashSet<Key>,
}

impl Turns {
    /// A turn, unless `most` are taken already: then the pass is asked for again when one is free.
    pub fn take<'e>(self: &Arc<Self>, engine: &'e Engine, key: &Key) -> Option<Turn<'e>> {
        let most = usize::from(engine.settings.workers);
        let mut state = self.state();
        if state.running >= most {
            if state.queued.insert(key.clone()) {
                engine.settings.metrics.waiting(key.kind, 1);
                state.waiting.push_back(key.clone());
            }
            return None;
        }
        state.running += 1;
        Some(Turn {
            turns: self.clone(),
            engine,
        })
    }

    /// Ends a turn; gives those who may come now. One that was asked may not come, so all free turns are offered.
    fn give_back(&self, most: usize) -> Vec<Key> {
        let mut state = self.state();
        state.running -= 1;
        let free = match state.running {
            0 => state.waiting.len(),
            running => most.saturating_sub(running).min(state.waiting.len()),
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

/// One pass's turn; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn<'e> {
    turns: Arc<Turns>,
    engine: &'e Engine,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let most = usize::from(self.engine.settings.workers);
        for key in self.turns.give_back(most) {
            self.engine.settings.metrics.waiting(key.kind, -1);
            self.engine.revisit(&key);
        }
    }
}
