//! What is known of one kind in one sandbox: the index of its objects, how its lists went, the limit of concurrent
//! reconciles.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::SetOnce;

use super::contenders::Contenders;
use super::created::Created;
use super::findings::{Census, Findings};
use super::index::Index;
use crate::adobe::{self, Listing};
use crate::api::{AepResource, Kind};
use crate::backoff::Backoff;
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::mark::Mark;
use crate::engine::planned::Planned;

/// How long nothing is listed again after failed lists.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(64));

/// After how many failed lists in a row it is reported that they fail.
const LASTING: u32 = 3;

/// All objects of one kind in one sandbox.
#[derive(Debug)]
pub struct Collection<H: Held> {
    kind: Kind,
    uses: &'static [Kind],
    /// How long lists may lag behind a write: for so long, our own knowledge outweighs them.
    lag: Duration,
    state: Mutex<State<H>>,
    /// One list at a time.
    listing: tokio::sync::Mutex<()>,
    first_list: SetOnce<()>,
    /// The objects that were just created.
    pub created: Created,
    /// What the kind remembers besides.
    pub memory: H::Memory,
}

#[derive(Debug)]
struct State<H> {
    index: Index<H>,
    /// When the last successful list began.
    listed: Option<Instant>,
    /// How lists have failed since.
    last_failure: Option<ListFailure>,
    /// When the last resync began, successful or not.
    resync_begun: Option<Instant>,
    /// Whether a resync has ended, successful or not.
    resync_ended: bool,
    polled: Option<Instant>,
    findings: Findings,
    census: Census,
    /// When the first list had ended that lacks an object of a custom resource.
    absent: HashMap<String, Instant>,
    contenders: Contenders,
}

/// Lists that failed.
#[derive(Debug)]
struct ListFailure {
    error: adobe::Error,
    at: Instant,
    failures: u32,
}

impl<H> Default for State<H>
where
    Index<H>: Default,
{
    fn default() -> Self {
        Self {
            index: Index::default(),
            listed: None,
            last_failure: None,
            resync_begun: None,
            resync_ended: false,
            polled: None,
            findings: Findings::default(),
            census: Census::default(),
            absent: HashMap::new(),
            contenders: Contenders::default(),
        }
    }
}

/// A collection whose kind is known by name only.
pub trait AnyCollection: Any + Send + Sync {
    /// The kind.
    fn kind(&self) -> Kind;
    /// The kinds whose objects this kind's objects use.
    fn uses(&self) -> &'static [Kind];
    /// The marks on the objects of this kind that use this one.
    fn users(&self, id: &str) -> Vec<Mark>;
    /// Whether everything was listed.
    fn is_listed(&self) -> bool;
    /// Whether it was at least tried to list everything.
    fn is_resynced(&self) -> bool;
    /// What the Sandbox reports.
    fn findings(&self) -> Findings;
    /// Whether the object is there, as far as is known.
    fn has(&self, id: &str) -> bool;
    /// What the last resync showed.
    fn census(&self) -> Census;
    /// Whether a resync has succeeded that shows everything as of that instant, or there is nothing that one could show.
    fn is_resynced_since(&self, instant: Instant) -> bool;
    /// The sandbox can be used again: lists that failed in between count no longer.
    fn forget_list_errors(&self);
}

/// The empty collection of a kind; lists lag behind writes for `lag` at most.
#[must_use]
pub fn collection<K: AepResource + Planned>(lag: Duration) -> Arc<dyn AnyCollection> {
    Arc::new(Collection::<K::Held>::new::<K>(lag))
}

impl<H: Held> AnyCollection for Collection<H> {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn uses(&self) -> &'static [Kind] {
        self.uses
    }

    fn users(&self, id: &str) -> Vec<Mark> {
        self.state().index.users(id)
    }

    fn is_listed(&self) -> bool {
        self.state().listed.is_some()
    }

    fn is_resynced(&self) -> bool {
        self.state().resync_ended
    }

    fn findings(&self) -> Findings {
        self.state().findings.clone()
    }

    fn has(&self, id: &str) -> bool {
        self.state().index.has(id)
    }

    fn census(&self) -> Census {
        self.state().census
    }

    fn is_resynced_since(&self, instant: Instant) -> bool {
        let state = self.state();
        let census = state.census;
        // A kind that cannot be listed and has no objects holds nothing up.
        let hopeless = census.known == 0 && state.last_failure.is_some();
        state.resync_ended && (hopeless || census.as_of >= Some(instant + self.lag))
    }

    fn forget_list_errors(&self) {
        let mut state = self.state();
        state.last_failure = None;
        state.findings.list_error = None;
    }
}

impl<H: Held> Collection<H> {
    fn new<K: AepResource>(lag: Duration) -> Self {
        Self {
            kind: K::KIND,
            uses: K::USES,
            lag,
            state: Mutex::default(),
            listing: tokio::sync::Mutex::default(),
            first_list: SetOnce::new(),
            created: Created::default(),
            memory: H::Memory::default(),
        }
    }

    /// Works on the index.
    pub fn index<T>(&self, work: impl FnOnce(&mut Index<H>) -> T) -> T {
        work(&mut self.state().index)
    }

    /// How long lists may lag behind a write.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.lag
    }

    /// Lists everything as the periodic resync does.
    pub async fn resync<F>(&self, list: impl FnOnce() -> F + Send) -> Result<()>
    where
        F: Future<Output = Result<Listing<H>>> + Send,
    {
        let _one = self.listing.lock().await;
        self.state().resync_begun = Some(Instant::now());
        self.list(list).await
    }

    /// A resync has ended, successful or not; returns whether it is the first one.
    pub fn end_resync(&self) -> bool {
        let mut state = self.state();
        !std::mem::replace(&mut state.resync_ended, true)
    }

    /// Lists everything, unless a list has begun since that instant. Those who wait for one together share it.
    pub async fn list_after<F>(
        &self,
        instant: Instant,
        list: impl FnOnce() -> F + Send,
    ) -> Result<()>
    where
        F: Future<Output = Result<Listing<H>>> + Send,
    {
        let _one = self.listing.lock().await;
        if self.state().listed.is_some_and(|begun| begun >= instant) {
            return Ok(());
        }
        if let Some(error) = self.state().recent_list_error() {
            return Err(error.into());
        }
        self.list(list).await
    }

    async fn list<F>(&self, list: impl FnOnce() -> F + Send) -> Result<()>
    where
        F: Future<Output = Result<Listing<H>>> + Send,
    {
        let begun = Instant::now();
        let listed = list().await;
        let mut state = self.state();
        match listed {
            Ok(listed) => {
                state.index.replace(listed, begun, self.lag);
                state.listed = Some(begun);
                state.last_failure = None;
                // Set already by every list but the first.
                let _ = self.first_list.set(());
                Ok(())
            }
            Err(error) => {
                state.fail(&error);
                Err(error)
            }
        }
    }

    /// Whether a resync is due: the first at once, the next ones once the period is over or one was `requested` since, failed
    /// ones with backoff.
    #[must_use]
    pub fn is_due(&self, period: Duration, requested: Option<Instant>) -> bool {
        let state = self.state();
        let Some(last) = state.resync_begun else {
            return true;
        };
        // Before, lists may not show it yet.
        let requested = requested.map(|it| it + self.lag);
        let is_requested = requested.is_some_and(|it| it <= Instant::now());
        let wait = match &state.last_failure {
            Some(failure) => failure.wait().min(period),
            None if is_requested && requested > state.census.as_of => Duration::ZERO,
            None => period,
        };
        last.elapsed() >= wait
    }

    /// As of when an object is certainly absent that the last resync lacks, if that still counts: what vanished with it was
    /// gone by then, too.
    #[must_use]
    pub fn absent_since(&self, id: &str) -> Option<Instant> {
        self.state().absent.get(id).copied()
    }

    /// Notes how many objects with the ids that custom resources have are there, as the last list shows it.
    pub fn count(&self, known: &HashSet<String>) {
        let (mut state, now) = (self.state(), Instant::now());
        let gone = known.iter().filter(|id| !state.index.has(id));
        let since = |id: &String| state.absent.get(id).copied().unwrap_or(now);
        let absent: HashMap<_, _> = gone.map(|id| (id.clone(), since(id))).collect();
        state.census = Census {
            known: known.len(),
            shown: known.len() - absent.len(),
            as_of: state.listed,
        };
        state.absent = absent;
    }

    /// A read has shown an object that the last list lacks.
    pub fn count_read(&self) {
        let census = &mut self.state().census;
        census.shown = census.known.min(census.shown + 1);
    }

    /// Whether the kind was not polled for so long, or never; from now on it was.
    pub fn is_poll_due(&self, period: Duration) -> bool {
        let mut state = self.state();
        let due = state.polled.is_none_or(|it| it.elapsed() >= period);
        if due {
            state.polled = Some(Instant::now());
        }
        due
    }

    /// Waits for the first list, for so long at most; returns whether there was one.
    pub async fn first_list(&self, patience: Duration) -> bool {
        let first = self.first_list.wait();
        tokio::time::timeout(patience, first).await.is_ok()
    }

    /// Why the last list failed.
    #[must_use]
    pub fn list_error(&self) -> Option<adobe::Error> {
        let state = self.state();
        state.last_failure.as_ref().map(|it| it.error.clone())
    }

    /// The same, unless it looks as if it would go away in a moment.
    #[must_use]
    pub fn lasting_list_error(&self) -> Option<Error> {
        let state = self.state();
        let failure = state.last_failure.as_ref()?;
        let error = Error::Adobe(failure.error.clone());
        (failure.failures >= LASTING || error.verdict().terminal).then_some(error)
    }

    /// A custom resource wants a name which another object has, perhaps that of another custom resource. Returns those that wait
    /// for each other's names together with it, and whether any of this is news.
    pub fn contend(&self, key: &Key, holder: Option<Key>) -> (Vec<Key>, bool) {
        let contenders = &mut self.state().contenders;
        let is_news = contenders.add(key, holder);
        (contenders.circle(key), is_news)
    }

    /// A custom resource has the name that it wants, or has other trouble.
    pub fn content(&self, key: &Key) {
        self.state().contenders.remove(key);
    }

    /// Those who want a name that another object has, to be told when an object was renamed or deleted.
    pub fn contenders(&self) -> Vec<Key> {
        self.state().contenders.all()
    }

    /// Sets what the Sandbox is to report; returns whether that is news.
    pub fn set_findings(&self, findings: Findings) -> bool {
        let mut state = self.state();
        let is_news = state.findings != findings;
        state.findings = findings;
        is_news
    }

    fn state(&self) -> MutexGuard<'_, State<H>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H> State<H> {
    fn fail(&mut self, error: &Error) {
        let failures = self.last_failure.as_ref().map_or(0, |it| it.failures);
        if let Error::Adobe(error) = error {
            self.last_failure = Some(ListFailure {
                error: error.clone(),
                at: Instant::now(),
                failures: failures.saturating_add(1),
            });
        }
    }

    /// Why a list failed a moment ago, so that it is too early for another one.
    fn recent_list_error(&self) -> Option<adobe::Error> {
        let failure = self.last_failure.as_ref()?;
        let recent = failure.at.elapsed() < failure.wait();
        recent.then(|| failure.error.clone())
    }
}

impl ListFailure {
    fn wait(&self) -> Duration {
        BACKOFF.exact_delay(self.failures)
    }
}
