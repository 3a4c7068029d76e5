//! What Adobe refused as it is: nothing is asked again before something here has changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::graph::Key;

/// Changes and refusals by custom resource. All of it may be lost: then Adobe is asked once more.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<Key, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    /// How often the object, or something that it refers to, has changed.
    changes: u64,
    /// Of these, how many had been seen by the pass that was refused.
    refused: Option<u64>,
}

impl Refusals {
    /// The object, or something that it refers to, has changed.
    pub fn changed(&self, key: &Key) {
        self.all().entry(key.clone()).or_default().changes += 1;
    }

    /// How often that has happened: what a pass notes at its start.
    #[must_use]
    pub fn changes(&self, key: &Key) -> u64 {
        self.all().get(key).map_or(0, |entry| entry.changes)
    }

    /// Adobe refused what a pass asked for that had started at this count.
    pub fn refuse(&self, key: &Key, changes: u64) {
        self.all().entry(key.clone()).or_default().refused = Some(changes);
    }

    /// Whether nothing has changed since Adobe refused.
    #[must_use]
    pub fn stands(&self, key: &Key) -> bool {
        let all = self.all();
        let entry = all.get(key);
        entry.is_some_and(|entry| entry.refused == Some(entry.changes))
    }

    /// Adobe no longer refuses, or the object is gone.
    pub fn lift(&self, key: &Key) {
        if let Some(entry) = self.all().get_mut(key) {
            entry.refused = None;
        }
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &Key) {
        self.all().remove(key);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    fn key() -> Key {
        Key {
            kind: Kind::Dataflow,
            namespace: "ns".into(),
            name: "n".into(),
        }
    }

    #[test]
    fn a_refusal_stands_until_something_changes() {
        let refusals = Refusals::default();
        refusals.refuse(&key(), refusals.changes(&key()));
        assert!(refusals.stands(&key()));
        refusals.changed(&key());
        assert!(!refusals.stands(&key()));
    }

    #[test]
    fn a_change_during_the_refused_pass_is_not_overlooked() {
        let refusals = Refusals::default();
        let at_start = refusals.changes(&key());
        refusals.changed(&key());
        refusals.refuse(&key(), at_start);
        assert!(!refusals.stands(&key()));
    }
}
