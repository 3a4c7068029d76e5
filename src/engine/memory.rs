//! What the process remembers about single custom resources between passes. All of it may be lost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(300);

/// Notes by uid.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<String, Note>>);

#[derive(Debug, Default)]
struct Note {
    failures: u32,
    create: Option<Create>,
    written: Option<Written>,
}

/// What became of the last create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// It is known: there is an object with an id that we know, or there is none.
    Certain,
    /// Until then something may have been done at Adobe that we do not know of, so that there is an object that we do not
    /// know, or none where we know one.
    Unsure(Instant),
}

/// The status that we wrote last: the cache may trail behind it.
#[derive(Clone, Debug)]
struct Written {
    version: u64,
    status: Value,
}

impl Memory {
    /// Counts a failure; gives the wait before the next try: 1 s, 2 s, 4 s … with jitter.
    pub fn failed(&self, uid: &str) -> Duration {
        self.with(uid, |note| {
            note.failures = note.failures.saturating_add(1);
            let doubled = Duration::from_secs(1 << note.failures.saturating_sub(1).min(9));
            doubled.min(LONGEST).mul_f64(rand::random_range(0.8..1.2))
        })
    }

    /// Forgets the failures.
    pub fn succeeded(&self, uid: &str) {
        self.seen(uid, |note| note.failures = 0);
    }

    /// Notes what became of a create.
    pub fn created(&self, uid: &str, outcome: Create) {
        self.with(uid, |note| note.create = Some(outcome));
    }

    /// Notes that a known object is not to be found. The doubt begins anew if a list has `shown` the object since then. Where
    /// nothing was noted yet, something may have been on its way until `arrived`.
    pub fn missed(&self, uid: &str, shown: bool, arrived: Instant) {
        let now = Instant::now();
        self.with(uid, |note| {
            let last = match note.create {
                Some(Create::Unsure(last)) if shown => last.max(now),
                Some(Create::Unsure(last)) => last,
                Some(Create::Certain) => now,
                None => arrived.max(now),
            };
            note.create = Some(Create::Unsure(last));
        });
    }

    /// What became of the last create in this process.
    #[must_use]
    pub fn last_create(&self, uid: &str) -> Option<Create> {
        self.seen(uid, |note| note.create)?
    }

    /// Notes a status that was just written.
    pub fn wrote(&self, uid: &str, version: Option<&str>, status: Value) {
        let version = version.and_then(|v| v.parse().ok());
        self.with(uid, |note| {
            note.written = version.map(|version| Written { version, status });
        });
    }

    /// Our own last status, if it is newer than the cached object.
    #[must_use]
    pub fn newer_status(&self, uid: &str, cached: Option<&str>) -> Option<Value> {
        let cached: u64 = cached?.parse().ok()?;
        self.seen(uid, |note| {
            note.written.take_if(|written| written.version <= cached);
            note.written.as_ref().map(|written| written.status.clone())
        })?
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: &str) {
        self.notes().remove(uid);
    }

    fn with<T>(&self, uid: &str, work: impl FnOnce(&mut Note) -> T) -> T {
        work(self.notes().entry(uid.to_owned()).or_default())
    }

    /// The same where a note exists: looking for one makes none.
    fn seen<T>(&self, uid: &str, work: impl FnOnce(&mut Note) -> T) -> Option<T> {
        self.notes().get_mut(uid).map(work)
    }

    fn notes(&self) -> MutexGuard<'_, HashMap<String, Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
