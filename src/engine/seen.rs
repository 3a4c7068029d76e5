//! What was seen of one kind in one sandbox, and what is known besides. Kept in order by [`Observations`].
//!
//! [`Observations`]: super::observations::Observations

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::mark::Mark;
use super::observations::Observed;
use crate::adobe;

/// See the module.
#[derive(Debug)]
pub(super) struct Seen<O> {
    /// When the last successful sweep began.
    pub(super) swept: Option<Instant>,
    /// Why the last listing failed, if it did, when, and how many have failed in a row.
    pub(super) trouble: Option<Trouble>,
    /// When the last regular sweep began, successful or not.
    pub(super) tried: Option<Instant>,
    pub(super) by_id: HashMap<String, Arc<O>>,
    /// Ids by claim, whatever their revision.
    pub(super) by_claim: HashMap<Mark, Vec<String>>,
    /// What we wrote (`true`) or deleted (`false`) ourselves, and when.
    pub(super) own: HashMap<String, (Instant, bool)>,
    /// Custom resources whose objects we made, read or deleted a moment ago: lists may show half of that.
    pub(super) busy: HashMap<Mark, Instant>,
    /// Who is about to take over an object that bears no mark yet.
    pub(super) takers: HashMap<String, Mark>,
    /// Objects of which a fresh look is needed before anything is decided.
    pub(super) doubted: HashSet<String>,
}

/// A listing that failed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: adobe::Error,
    pub(super) at: Instant,
    pub(super) failures: u32,
}

impl Trouble {
    /// How long nothing is listed again: 1 s, 2 s, 4 s … 64 s.
    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs(1 << self.failures.saturating_sub(1).min(6))
    }
}

impl<O> Default for Seen<O> {
    fn default() -> Self {
        Self {
            swept: None,
            trouble: None,
            tried: None,
            by_id: HashMap::new(),
            by_claim: HashMap::new(),
            own: HashMap::new(),
            busy: HashMap::new(),
            takers: HashMap::new(),
            doubted: HashSet::new(),
        }
    }
}

impl<O: Observed> Seen<O> {
    pub(super) fn fail(&mut self, error: &Error) {
        let failures = self.trouble.as_ref().map_or(0, |it| it.failures);
        if let Error::Adobe(error) = error {
            self.trouble = Some(Trouble {
                error: error.clone(),
                at: Instant::now(),
                failures: failures.saturating_add(1),
            });
        }
    }

    /// Why a listing failed a moment ago, so that it is too early for another one.
    pub(super) fn fresh_trouble(&self) -> Option<adobe::Error> {
        let trouble = self.trouble.as_ref()?;
        let fresh = trouble.at.elapsed() < trouble.wait();
        fresh.then(|| trouble.error.clone())
    }

    pub(super) fn insert(&mut self, object: Arc<O>) {
        if let Some(mark) = object.mark() {
            let ids = self.by_claim.entry(mark.claim()).or_default();
            ids.push(object.id().to_owned());
        }
        self.by_id.insert(object.id().to_owned(), object);
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some(object) = self.by_id.remove(id) else {
            return;
        };
        let Some(claim) = object.mark().map(Mark::claim) else {
            return;
        };
        if let Some(ids) = self.by_claim.get_mut(&claim) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.by_claim.remove(&claim);
            }
        }
    }
}

/// Latest revision first, what is whole before mere parts, then the oldest; what we just made ourselves has no time of
/// creation yet and is the youngest.
pub(super) fn precedence<O: Observed>(object: &O) -> (Reverse<u32>, bool, i64) {
    let revision = object.mark().map_or(0, Mark::revision);
    let created = object.created().unwrap_or(i64::MAX);
    (Reverse(revision), !object.is_whole(), created)
}
