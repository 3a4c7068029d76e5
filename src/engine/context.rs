//! What all passes share.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::Store;

use super::graph::{Graph, Key};
use super::memory::Memory;
use super::metrics::Metrics;
use super::refusals::Refusals;
use super::secrets::Secrets;
use super::session::Sessions;
use super::shelf::{AnyShelf, Desk, Shelf, shelf};
use crate::adobe::{Adobe, Endpoints, Permission};
use crate::api::{AepResource, Kind, Reference};

/// What the operator was started with, as far as the engine is concerned.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespaces to watch; all there are if none is named.
    pub namespaces: Vec<String>,
    /// Endpoints that a `Sandbox` may name, besides Adobe's own.
    pub allowed_endpoints: Vec<String>,
    /// Endpoints of a Sandbox that names none.
    pub endpoints: Endpoints,
    /// Passes at a time, per sandbox and kind.
    pub workers: u16,
    /// How long Adobe's listings may lag behind a create.
    pub list_lag: Duration,
    /// How long one answer of Adobe is waited for, and how long a create without an answer may still take effect.
    pub request_timeout: Duration,
    /// How often everything at Adobe is looked at, for Sandboxes that do not say.
    pub resync: Duration,
    /// Where figures are kept.
    pub metrics: Metrics,
    /// Who reports events: the Pod's name.
    pub instance: String,
    /// Noted once everything that is watched was seen.
    pub seen: Milestone,
    /// Whether Adobe may be asked, since this replica is the one to do so.
    pub permission: Permission,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            allowed_endpoints: Vec::new(),
            endpoints: Endpoints::default(),
            workers: 32,
            list_lag: Duration::from_secs(15),
            request_timeout: Duration::from_secs(30),
            resync: Duration::from_secs(600),
            metrics: Metrics::default(),
            instance: "aep-operator".into(),
            seen: Milestone::default(),
            permission: Permission::default(),
        }
    }
}

/// Something that happens once in the life of the process.
#[derive(Clone, Debug, Default)]
pub struct Milestone(Arc<AtomicBool>);

impl Milestone {
    /// It has happened.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has happened.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The engine's shared state: caches, references, sessions, memory.
pub struct Engine {
    pub(super) client: Client,
    /// What the operator was started with.
    pub settings: Settings,
    /// Open sandboxes.
    pub sessions: Sessions,
    /// The one pool of connections to Adobe.
    pub http: reqwest::Client,
    pub(super) memory: Memory,
    pub(super) refusals: Refusals,
    pub(super) secrets: Secrets,
    pub(super) recorder: Recorder,
    pub(super) started: Instant,
    graph: Mutex<Graph>,
    shelves: HashMap<Kind, Arc<dyn AnyShelf>>,
}

impl Engine {
    /// An engine that drives no kind yet.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        let reporter = Reporter {
            controller: "aep-operator.io/aep-operator".into(),
            instance: Some(settings.instance.clone()),
        };
        Self {
            recorder: Recorder::new(client.clone(), reporter),
            client,
            settings,
            sessions: Sessions::default(),
            http: Adobe::http_client(),
            memory: Memory::default(),
            refusals: Refusals::default(),
            secrets: Secrets::default(),
            started: Instant::now(),
            graph: Mutex::default(),
            shelves: HashMap::new(),
        }
    }

    /// Makes room for a kind; its desk goes to [`run`](super::run()).
    pub fn desk<K: AepResource>(&mut self) -> Desk<K> {
        let (room, desk) = shelf::<K>();
        let Settings {
            metrics, workers, ..
        } = &self.settings;
        metrics.opened(K::KIND, *workers, room.clone());
        self.shelves.insert(K::KIND, room);
        desk
    }

    /// The cache of a kind.
    #[must_use]
    pub fn store<K: AepResource>(&self) -> Option<Store<K>> {
        let room: &dyn Any = self.shelves.get(&K::KIND)?.as_any();
        room.downcast_ref::<Shelf<K>>()
            .map(|room| room.store.clone())
    }

    /// When all that an earlier process had sent to Adobe had been carried out, if ever.
    pub(super) fn all_arrived(&self) -> Instant {
        self.started + self.settings.request_timeout
    }

    /// How many kinds are driven that own objects at Adobe.
    #[must_use]
    pub fn owning_kinds(&self) -> usize {
        let kinds = self.shelves.keys();
        kinds.filter(|kind| **kind != Kind::Sandbox).count()
    }

    /// Whether a custom resource exists.
    pub(super) fn has(&self, key: &Key) -> bool {
        let room = self.shelves.get(&key.kind);
        room.is_some_and(|room| room.has(key))
    }

    /// Since when a custom resource is ready, if it is.
    pub(super) fn ready_since(&self, key: &Key) -> Option<Timestamp> {
        self.shelves.get(&key.kind)?.ready_since(key)
    }

    /// Waits until every cache is complete: before that, a missing dependency proves nothing.
    pub(super) async fn listed(&self) {
        for shelf in self.shelves.values() {
            shelf.listed().await;
        }
    }

    /// Asks for a pass over one object, since it or something that it refers to has changed.
    pub fn wake(&self, key: &Key) {
        self.refusals.changed(key);
        self.revisit(key);
    }

    /// Asks for a pass over one object although nothing here has changed: what Adobe refused is not tried again.
    pub(super) fn revisit(&self, key: &Key) {
        if let Some(shelf) = self.shelves.get(&key.kind) {
            self.settings.metrics.asked(key);
            shelf.wake(key);
        }
    }

    /// Asks for a pass over one object if it waits for its deletion.
    pub(super) fn wake_deleting(&self, key: &Key) {
        let room = self.shelves.get(&key.kind);
        if let Some(room) = room.filter(|room| room.is_deleting(key)) {
            room.wake(key);
        }
    }

    /// Asks for a pass over everything that refers to this.
    pub fn wake_referrers(&self, namespace: &str, reference: &Reference) {
        let referrers = self.graph().referrers(namespace, reference);
        for key in &referrers {
            self.wake(key);
        }
    }

    /// The same although nothing here has changed.
    pub fn revisit_referrers(&self, namespace: &str, reference: &Reference) {
        let referrers = self.graph().referrers(namespace, reference);
        for key in &referrers {
            self.revisit(key);
        }
    }

    pub(super) fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
