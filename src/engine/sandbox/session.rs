//! The open sandboxes: for each the handle on Adobe, the owner id, the tenant, and the collections of its objects.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::Notify;

use super::collection::{AnyCollection, Collection};
use super::facts::Facts;
use super::whole::{Whole, is_reset};
use crate::adobe::{Adobe, Redactor};
use crate::api::{AepResource, Kind};
use crate::engine::error::Result;
use crate::engine::mark::Mark;
use crate::engine::planned::Planned;

/// One open sandbox.
pub struct Session {
    /// The `metadata.uid` of the Sandbox: another one of the same name opens a session of its own.
    pub uid: String,
    /// The owner part of every mark.
    pub owner: String,
    /// The organisation's tenant id, without underscore.
    pub tenant: String,
    access: RwLock<Access>,
    collections: BTreeMap<Kind, Arc<dyn AnyCollection>>,
    whole: Mutex<Whole>,
    /// Ids and other facts that do not change while the sandbox is open.
    facts: Facts,
}

/// What may change while a sandbox is open.
struct Access {
    adobe: Adobe,
    resync: Duration,
}

impl Session {
    /// Opens a sandbox in which these kinds are managed; everything is listed every `resync`.
    #[must_use]
    pub fn new(
        adobe: Adobe,
        uid: String,
        owner: String,
        tenant: String,
        resync: Duration,
        collections: impl IntoIterator<Item = Arc<dyn AnyCollection>>,
    ) -> Self {
        let collections = collections.into_iter();
        Self {
            uid,
            owner,
            tenant,
            access: RwLock::new(Access { adobe, resync }),
            collections: collections.map(|it| (it.kind(), it)).collect(),
            whole: Mutex::default(),
            facts: Facts::default(),
        }
    }

    /// The handle on Adobe.
    #[must_use]
    pub fn adobe(&self) -> Adobe {
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner);
        access.adobe.clone()
    }

    /// Which of these orphans nobody was told of yet; from now on the first few, so many at most, count as told.
    pub fn untold(&self, orphans: &[String], most: usize) -> Vec<String> {
        let told = &mut self.whole().told;
        let found: HashSet<_> = orphans.iter().collect();
        told.retain(|it| found.contains(it));
        let mut untold: Vec<_> = orphans.to_vec();
        untold.retain(|it| !told.contains(it));
        told.extend(untold.iter().take(most).cloned());
        untold
    }

    /// How often everything is listed.
    #[must_use]
    pub fn resync(&self) -> Duration {
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner);
        access.resync
    }

    /// Takes over credentials, limits, endpoints and period, which may have changed; what is known of objects stays.
    pub fn renew(&self, adobe: Adobe, resync: Duration) {
        let mut access = self.access.write().unwrap_or_else(PoisonError::into_inner);
        *access = Access { adobe, resync };
    }

    /// What is known of one kind.
    ///
    /// # Panics
    ///
    /// If the session was opened without this kind: going on without what is known could create an object twice.
    #[must_use]
    pub fn collection<K: AepResource + Planned>(&self) -> Arc<Collection<K::Held>> {
        let collection = self.collections.get(&K::KIND).cloned();
        let collection = collection.map(|it| it as Arc<dyn Any + Send + Sync>);
        let collection = collection.and_then(|it| it.downcast().ok());
        collection.expect("a session knows every kind that is managed")
    }

    /// What is known of every kind.
    pub fn collections(&self) -> impl Iterator<Item = &dyn AnyCollection> {
        self.collections.values().map(AsRef::as_ref)
    }

    /// The marks on all objects that use this one.
    #[must_use]
    pub fn users(&self, id: &str) -> Vec<Mark> {
        self.collections().flat_map(|it| it.users(id)).collect()
    }

    /// A kind that may use objects of this one, and of which not everything was listed yet.
    #[must_use]
    pub fn unlisted_user(&self, kind: Kind) -> Option<Kind> {
        let mut users = self.collections().filter(|it| it.uses().contains(&kind));
        users.find(|it| !it.is_listed()).map(AnyCollection::kind)
    }

    /// Whether it was at least tried to list every kind.
    #[must_use]
    pub fn is_resynced(&self) -> bool {
        self.collections().all(AnyCollection::is_resynced)
    }

    /// Whether an object is there, as far as is known.
    #[must_use]
    pub fn has(&self, kind: Kind, id: &str) -> bool {
        let collection = self.collections.get(&kind);
        collection.is_some_and(|it| it.has(id))
    }

    /// The state of the sandbox at Adobe, while it cannot be used.
    #[must_use]
    pub fn unusable(&self) -> Option<String> {
        self.whole().unusable.clone()
    }

    /// The sandbox cannot be used at Adobe, where its state is this.
    pub fn set_unusable(&self, state: &str) {
        self.whole().unusable = Some(state.to_owned());
    }

    /// The sandbox can be used at Adobe. If that is news, everything is looked at again.
    pub fn set_usable(&self) {
        if self.whole().unusable.take().is_some() {
            for collection in self.collections() {
                collection.forget_list_errors();
            }
            self.facts.clear();
            self.request_resync(Instant::now());
        }
    }

    /// Has everything listed again, unless that was done since that instant.
    pub fn request_resync(&self, since: Instant) {
        let mut whole = self.whole();
        whole.requested = whole.requested.max(Some(since));
    }

    /// As of when everything is to be listed again.
    #[must_use]
    pub fn requested_resync(&self) -> Option<Instant> {
        self.whole().requested
    }

    /// As of when everything is to be looked at again, if it was listed and only the look at the Sandbox is outstanding.
    #[must_use]
    pub fn unchecked(&self) -> Option<Instant> {
        let requested = self.requested_resync()?;
        let listed = self.collections().all(|it| it.is_resynced_since(requested));
        (listed && !self.is_checked(requested)).then_some(requested)
    }

    /// Everything was looked at again as of that instant.
    pub fn check(&self, since: Instant) {
        let mut whole = self.whole();
        whole.checked = whole.checked.max(Some(since));
    }

    /// Whether everything was looked at again since that instant.
    #[must_use]
    pub fn is_checked(&self, since: Instant) -> bool {
        self.whole().checked >= Some(since)
    }

    /// Whether nearly everything is gone, as the last lists show it.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        is_reset(self.collections().map(AnyCollection::census))
    }

    /// How many of the objects that there should be are gone, and how many there should be, as the last lists show it.
    #[must_use]
    pub fn gone(&self) -> (usize, usize) {
        let all = self.collections().map(AnyCollection::census);
        all.fold((0, 0), |(gone, known), it| {
            (gone + it.known - it.shown, known + it.known)
        })
    }

    /// When nearly everything was found gone, until it is there again.
    #[must_use]
    pub fn reset(&self) -> Option<Time> {
        self.whole().reset.clone()
    }

    /// Notes when nearly everything was found gone, or that it is there again.
    pub fn set_reset(&self, time: Option<Time>) {
        self.whole().reset = time;
    }

    fn whole(&self) -> MutexGuard<'_, Whole> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fact that does not change while the sandbox is open, such as the id of a connection spec: asked for once.
    pub async fn fact<F>(&self, key: String, ask: impl FnOnce() -> F + Send) -> Result<String>
    where
        F: Future<Output = Result<String>> + Send,
    {
        self.facts.get(key, ask).await
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
    all: Mutex<HashMap<(String, String), Arc<Session>>>,
    /// The latest handle of each Sandbox, whether it can be opened or not: one that was refused, or asked to wait, is not
    /// to start anew at the next try.
    handles: Mutex<HashMap<(String, String), Adobe>>,
    opened: Notify,
}

impl Sessions {
    /// The session of this Sandbox, if it is open.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Session>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.all().get(&key).cloned()
    }

    /// Keeps the handle of a Sandbox, and with it what it shares with others, until the next one or the end of the Sandbox.
    pub fn keep(&self, namespace: &str, name: &str, adobe: Adobe) {
        let key = (namespace.to_owned(), name.to_owned());
        self.handles().insert(key, adobe);
    }

    /// What the latest handle of a Sandbox knows of secrets, or nothing yet.
    #[must_use]
    pub fn redactor(&self, namespace: &str, name: &str) -> Arc<Redactor> {
        let key = (namespace.to_owned(), name.to_owned());
        let handles = self.handles();
        let handle = handles.get(&key);
        handle.map_or_else(Arc::default, |it| it.redactor().clone())
    }

    /// A Secret of this namespace is gone.
    pub fn retire_secret(&self, namespace: &str, secret: &str) {
        let handles = self.handles();
        let here = handles.iter().filter(|((it, _), _)| it == namespace);
        here.for_each(|(_, adobe)| adobe.redactor().retire(secret));
    }

    /// Opens a session, in place of an older one.
    pub fn open(&self, namespace: &str, name: &str, session: Arc<Session>) {
        let key = (namespace.to_owned(), name.to_owned());
        self.all().insert(key, session);
        self.opened.notify_waiters();
    }

    /// Closes a session.
    pub fn close(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.all().remove(&key);
        self.handles().remove(&key);
    }

    /// Waits until another session opens.
    pub async fn opened(&self) {
        self.opened.notified().await;
    }

    /// Every open session with namespace and name of its Sandbox.
    #[must_use]
    pub fn list(&self) -> Vec<((String, String), Arc<Session>)> {
        let all = self.all();
        let entries = all.iter();
        entries
            .map(|(key, session)| (key.clone(), session.clone()))
            .collect()
    }

    fn handles(&self) -> MutexGuard<'_, HashMap<(String, String), Adobe>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(String, String), Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
