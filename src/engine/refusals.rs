//! What Adobe refused as it is: nothing is asked again before something here has changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    /// When it is worth another try although nothing here changes.
    again: Option<Instant>,
}

/// A refusal that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For how long, if not until something changes.
    pub left: Option<Duration>,
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

    /// Adobe refused what a pass asked for that had started at this count; it may be asked again after `wait`, if ever.
    pub fn refuse(&self, key: &Key, changes: u64, wait: Option<Duration>) {
        let mut all = self.all();
        let entry = all.entry(key.clone()).or_default();
        entry.refused = Some(changes);
        entry.again = wait.map(|wait| Instant::now() + wait);
    }

    /// What holds as long as nothing has changed since Adobe refused, and it is not time for another try.
    #[must_use]
    pub fn standing(&self, key: &Key) -> Option<Refusal> {
        let all = self.all();
        let entry = all.get(key)?;
        let left = entry
            .again
            .map(|it| it.saturating_duration_since(Instant::now()));
        let stands = entry.refused == Some(entry.changes) && left != Some(Duration::ZERO);
        stands.then_some(Refusal { left })
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
        refusals.refuse(&key(), refusals.changes(&key()), None);
        assert!(refusals.standing(&key()).is_some());
        refusals.changed(&key());
        assert_eq!(refusals.standing(&key()), None);
    }

    #[test]
    fn a_change_during_the_refused_pass_is_not_overlooked() {
        let refusals = Refusals::default();
        let at_start = refusals.changes(&key());
        refusals.changed(&key());
        refusals.refuse(&key(), at_start, None);
        assert_eq!(refusals.standing(&key()), None);
    }

    #[test]
    fn a_refusal_for_a_while_ends_by_itself() {
        let refusals = Refusals::default();
        let refuse = |wait| refusals.refuse(&key(), refusals.changes(&key()), Some(wait));
        refuse(Duration::ZERO);
        assert_eq!(refusals.standing(&key()), None);
        refuse(Duration::from_secs(60));
        let left = refusals.standing(&key()).and_then(|it| it.left);
        assert!(left.is_some_and(|left| left > Duration::from_secs(30)));
    }
}
