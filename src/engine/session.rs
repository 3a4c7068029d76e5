//! What the operator knows about one sandbox while its `Sandbox` resource lives: the handle on Adobe, the owner id, the
//! tenant, and everything observed there.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OnceCell};

use super::error::{Error, Result};
use super::mark::Mark;
use super::observations::{AnyObservations, Observations, Observed};
use super::turns::Turns;
use crate::adobe::Adobe;
use crate::api::Kind;

/// Something that does not change while a sandbox is open.
type Fact = Arc<dyn Any + Send + Sync>;

/// One open sandbox.
pub struct Session {
    adobe: RwLock<Adobe>,
    resync: RwLock<Duration>,
    lag: Duration,
    /// The owner part of every mark.
    pub owner: String,
    /// The organisation's tenant id, without underscore.
    pub tenant: String,
    observations: Mutex<HashMap<TypeId, Arc<dyn AnyObservations>>>,
    lookups: Mutex<HashMap<String, Arc<OnceCell<Fact>>>>,
    orphans: Mutex<BTreeMap<Kind, Vec<String>>>,
    /// The kinds that were asked for, and whether they were seen.
    swept: Mutex<BTreeMap<Kind, bool>>,
    troubles: Mutex<BTreeMap<Kind, String>>,
    turns: Mutex<BTreeMap<Kind, Arc<Turns>>>,
    /// When each kind was followed last.
    followed: Mutex<BTreeMap<Kind, Instant>>,
    kept: Mutex<HashMap<TypeId, Fact>>,
}

impl Session {
    /// Opens a sandbox; sweeps repeat every `resync`, and listings lag behind for `lag` at most.
    #[must_use]
    pub fn new(
        adobe: Adobe,
        owner: String,
        tenant: String,
        (resync, lag): (Duration, Duration),
    ) -> Self {
        Self {
            lag,
            adobe: RwLock::new(adobe),
            resync: RwLock::new(resync),
            owner,
            tenant,
            observations: Mutex::default(),
            lookups: Mutex::default(),
            orphans: Mutex::default(),
            swept: Mutex::default(),
            troubles: Mutex::default(),
            turns: Mutex::default(),
            followed: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// The handle on Adobe.
    #[must_use]
    pub fn adobe(&self) -> Adobe {
        self.adobe
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How often sweeps repeat.
    #[must_use]
    pub fn resync(&self) -> Duration {
        *self.resync.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over credentials, limits, endpoints and period, which may have changed; observations stay.
    pub fn renew(&self, adobe: Adobe, resync: Duration) {
        *self.adobe.write().unwrap_or_else(PoisonError::into_inner) = adobe;
        *self.resync.write().unwrap_or_else(PoisonError::into_inner) = resync;
    }

    /// What Adobe holds of one kind.
    #[must_use]
    pub fn observations<O: Observed>(&self) -> Arc<Observations<O>> {
        let mut all = self
            .observations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = all
            .entry(TypeId::of::<O>())
            .or_insert_with(|| Arc::new(Observations::<O>::new(self.lag)));
        let known: Fact = entry.clone();
        let known = known.downcast();
        known.unwrap_or_else(|_| Arc::new(Observations::new(self.lag)))
    }

    /// Whose objects use this one.
    pub(super) fn users(&self, id: &str) -> Vec<Mark> {
        let all = self.observations.lock();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        all.values().flat_map(|it| it.users(id)).collect()
    }

    /// Whose turn it is among the passes of a kind.
    pub(super) fn turns(&self, kind: Kind) -> Arc<Turns> {
        let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(kind).or_default().clone()
    }

    /// Whether a kind was not followed for so long, or never; from then on it was.
    pub(super) fn is_time(&self, kind: Kind, period: Duration) -> bool {
        let mut all = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = all.get(&kind).is_none_or(|it| it.elapsed() >= period);
        if is_time {
            all.insert(kind, Instant::now());
        }
        is_time
    }

    /// What a kind keeps in mind about the sandbox while it is open.
    #[must_use]
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = all
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        entry.clone().downcast().unwrap_or_default()
    }

    /// Notes which objects of a kind bear our mark without a custom resource; tells whether they are others than before.
    pub(super) fn note_orphans(&self, kind: Kind, orphans: Vec<String>) -> bool {
        let mut all = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = all.entry(kind).or_default();
        let differ = *noted != orphans;
        *noted = orphans;
        differ
    }

    /// Notes that everything of a kind was asked for, with success or not.
    pub(super) fn note_sweep(&self, kind: Kind, successful: bool) {
        let mut all = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry(kind).or_default() |= successful;
    }

    /// Whether each of so many kinds was asked for since the sandbox was opened.
    #[must_use]
    pub fn is_surveyed(&self, kinds: usize) -> bool {
        let all = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        all.len() >= kinds
    }

    /// Whether everything of a kind was seen.
    pub(super) fn has_seen(&self, kind: Kind) -> bool {
        let all = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&kind).is_some_and(|seen| *seen)
    }

    /// Notes why a kind cannot be listed; tells whether that is news.
    pub(super) fn note_trouble(&self, kind: Kind, trouble: Option<String>) -> bool {
        let mut all = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = all.get(&kind) != trouble.as_ref();
        all.remove(&kind);
        all.extend(trouble.map(|it| (kind, it)));
        is_news
    }

    /// Why which kinds cannot be listed.
    #[must_use]
    pub fn troubles(&self) -> Vec<(Kind, String)> {
        let all = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(kind, it)| (*kind, it.clone())).collect()
    }

    /// Objects that bear our mark without a custom resource, as kind and id.
    #[must_use]
    pub fn orphans(&self) -> Vec<String> {
        let all = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().flatten().cloned().collect()
    }

    /// A fact that does not change while the sandbox is open, such as the id of a spec: asked for once.
    pub async fn once<T, F>(&self, key: &str, ask: impl FnOnce() -> F + Send) -> Result<T>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let cell = {
            let mut known = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(key.to_owned()).or_default().clone()
        };
        let ask = || async { ask().await.map(|fact| Arc::new(fact) as Fact) };
        let fact = cell.get_or_try_init(ask).await?;
        let fact = fact.downcast_ref::<T>().cloned();
        fact.ok_or_else(|| Error::Invalid(format!("`{key}` was looked up as two different things")))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("owner", &self.owner)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// All open sandboxes, by namespace and name of their `Sandbox` resource.
#[derive(Debug, Default)]
pub struct Sessions {
    all: Mutex<HashMap<Place, Arc<Session>>>,
    opened: Notify,
}

/// Namespace and name of a `Sandbox` resource.
pub(super) type Place = (String, String);

impl Sessions {
    /// The session of this Sandbox, if it is open.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Session>> {
        let place = (namespace.to_owned(), name.to_owned());
        self.all().get(&place).cloned()
    }

    /// Opens a session, in place of an older one.
    pub fn open(&self, namespace: &str, name: &str, session: Arc<Session>) {
        let place = (namespace.to_owned(), name.to_owned());
        self.all().insert(place, session);
        self.opened.notify_waiters();
    }

    /// Closes a session.
    pub fn close(&self, namespace: &str, name: &str) {
        let place = (namespace.to_owned(), name.to_owned());
        self.all().remove(&place);
    }

    /// Waits until another session opens.
    pub async fn opened(&self) {
        self.opened.notified().await;
    }

    /// Every open session with namespace and name of its Sandbox.
    #[must_use]
    pub fn list(&self) -> Vec<(Place, Arc<Session>)> {
        let all = self.all();
        let entries = all
            .iter()
            .map(|(place, session)| (place.clone(), session.clone()));
        entries.collect()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
