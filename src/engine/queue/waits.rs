//! Who waits for something else in Kubernetes, and since when. In a large fleet nearly all do for a while, so it is told only where
//! it lasts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::Kind;
use crate::engine::key::{Identity, Key};

/// A wait that is over sooner than this is not told.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The custom resources that wait.
#[derive(Debug, Default)]
pub struct Waits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<Key, Wait>,
    /// By Sandbox, when something last went on.
    moved: HashMap<Key, Instant>,
}

#[derive(Debug)]
struct Wait {
    uid: String,
    reason: &'static str,
    home: Key,
    since: Instant,
    /// Whether it was enqueued because nothing moves.
    called: bool,
}

/// How long a custom resource waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Since it began.
    pub all: Duration,
    /// Since the last time that anything moved in its sandbox.
    pub unmoved: Duration,
}

impl Waits {
    /// Notes that a resource of this Sandbox waits, and returns for how long it already does for this reason.
    pub fn note(&self, home: &Key, identity: &Identity, reason: &'static str) -> Waited {
        let mut state = self.state();
        let new = || Wait {
            uid: identity.uid.clone(),
            reason,
            home: home.clone(),
            since: Instant::now(),
            called: false,
        };
        let key = identity.key.clone();
        let wait = state.waiting.entry(key).or_insert_with(new);
        if (&wait.uid, wait.reason) != (&identity.uid, reason) {
            *wait = new();
        }
        let since = wait.since;
        Waited {
            all: since.elapsed(),
            unmoved: state.last_move(home, since).elapsed(),
        }
    }

    /// A resource waits no longer.
    pub fn end(&self, key: &Key) {
        self.state().waiting.remove(key);
    }

    /// Something goes on in this Sandbox: a resource was written, or everything of a kind was listed.
    pub fn moved(&self, home: &Key) {
        self.state().moved.insert(home.clone(), Instant::now());
    }

    /// Some of those that wait although nothing moves any more, `most` of them: each is returned once.
    #[must_use]
    pub fn stuck(&self, most: usize) -> Vec<Key> {
        let mut state = self.state();
        let stuck = state.waiting.iter().filter(|(_, wait)| {
            let last = state.last_move(&wait.home, wait.since);
            !wait.called && last.elapsed() >= PATIENCE
        });
        let stuck: Vec<_> = stuck.map(|(key, _)| key.clone()).take(most).collect();
        for key in &stuck {
            if let Some(wait) = state.waiting.get_mut(key) {
                wait.called = true;
            }
        }
        stuck
    }

    /// Forgets a custom resource that is gone.
    pub fn forget(&self, key: &Key) {
        let mut state = self.state();
        state.waiting.remove(key);
        if key.kind == Kind::Sandbox {
            state.moved.remove(key);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn last_move(&self, home: &Key, since: Instant) -> Instant {
        let moved = self.moved.get(home).copied();
        moved.map_or(since, |moved| moved.max(since))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn key(kind: Kind, name: &str) -> Key {
        Key::new(kind, "team", name)
    }

    fn identity(name: &str, uid: &str) -> Identity {
        Identity {
            key: key(Kind::Dataflow, name),
            uid: uid.into(),
        }
    }

    const REASON: &str = "DependencyNotReady";
    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_stuck_once_nothing_has_moved_for_a_while() {
        let (waits, home) = (Waits::default(), key(Kind::Sandbox, "default"));
        let first = identity("first", "1");
        let key = first.key.clone();
        waits.note(&home, &first, REASON);
        advance(SECOND).await;
        waits.moved(&home);
        advance(SECOND).await;
        assert_eq!(
            waits.note(&home, &first, REASON),
            Waited {
                all: 2 * SECOND,
                unmoved: SECOND
            }
        );
        assert_eq!(waits.stuck(10), []);
        advance(SECOND).await;
        assert_eq!(waits.stuck(10), [key]);
        assert_eq!(waits.stuck(10), [], "it was told already");
    }

    #[tokio::test(start_paused = true)]
    async fn one_sandbox_that_moves_says_nothing_of_another() {
        let waits = Waits::default();
        let (one, other) = (key(Kind::Sandbox, "one"), key(Kind::Sandbox, "other"));
        waits.note(&one, &identity("first", "1"), REASON);
        waits.note(&other, &identity("second", "2"), REASON);
        advance(2 * SECOND).await;
        waits.moved(&one);
        assert_eq!(waits.stuck(10), [key(Kind::Dataflow, "second")]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_or_is_another_resource_or_for_another_reason_begins_anew() {
        let (waits, home) = (Waits::default(), key(Kind::Sandbox, "default"));
        waits.note(&home, &identity("a", "1"), REASON);
        waits.note(&home, &identity("b", "1"), REASON);
        waits.note(&home, &identity("c", "1"), REASON);
        waits.note(&home, &identity("d", "1"), REASON);
        advance(5 * SECOND).await;
        waits.end(&key(Kind::Dataflow, "a"));
        assert_eq!(
            waits.note(&home, &identity("a", "1"), REASON).all,
            Duration::ZERO
        );
        assert_eq!(
            waits.note(&home, &identity("b", "2"), REASON).all,
            Duration::ZERO
        );
        waits.forget(&key(Kind::Dataflow, "c"));
        let other = waits.note(&home, &identity("d", "1"), "Progressing");
        assert_eq!(other.all, Duration::ZERO);
        assert_eq!(waits.stuck(10), []);
    }
}
