//! The caches and queues of all kinds, and who is enqueued when something changes.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kube::runtime::reflector::Store;

use super::slots::{Place, Slots, Take};
use super::store::{AnyStore, Encode, Inlet, ResourceStore, resource_store};
use super::waits::Waits;
use crate::api::{AepResource, Kind, Reference, Target};
use crate::engine::key::Key;
use crate::engine::metrics::Metrics;
use crate::engine::registry::Registry;

/// The caches and queues of all kinds, with what is remembered of the custom resources in them.
#[derive(Debug, Default)]
pub struct Queues {
    /// What is remembered of each custom resource.
    pub registry: Registry,
    /// Who waits for something else in Kubernetes.
    pub waits: Waits,
    /// The limit of concurrent reconciles.
    slots: Slots,
    /// Where adds are counted.
    pub metrics: Metrics,
    stores: BTreeMap<Kind, Arc<dyn AnyStore>>,
}

impl Queues {
    /// No kinds yet.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            ..Self::default()
        }
    }

    /// Adds a kind; returns what its controller fills and empties.
    pub fn add<K: AepResource>(&mut self, workers: u16, encode: Encode<K>) -> Inlet<K> {
        let (store, inlet) = resource_store::<K>(encode);
        self.metrics.add_kind(workers, store.clone());
        self.stores.insert(K::KIND, store);
        inlet
    }

    /// The cache of a kind.
    #[must_use]
    pub fn store<K: AepResource>(&self) -> Option<Store<K>> {
        let store: &dyn Any = self.stores.get(&K::KIND)?.as_ref();
        let store = store.downcast_ref::<ResourceStore<K>>()?;
        Some(store.cache.clone())
    }

    /// A custom resource whose kind is known by name only.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<dyn Any + Send + Sync>> {
        self.stores.get(&key.kind)?.get(key)
    }

    /// Whether a custom resource exists.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.stores.get(&key.kind).is_some_and(|it| it.has(key))
    }

    /// Since when a custom resource is ready, if it is.
    #[must_use]
    pub fn ready_since(&self, key: &Key) -> Option<Timestamp> {
        self.stores.get(&key.kind)?.ready_since(key)
    }

    /// The Adobe id in the status of a custom resource.
    #[must_use]
    pub fn adobe_id(&self, key: &Key) -> Option<String> {
        self.stores.get(&key.kind)?.adobe_id(key)
    }

    /// Whether a custom resource is being deleted.
    #[must_use]
    pub fn is_deleting(&self, key: &Key) -> bool {
        let store = self.stores.get(&key.kind);
        store.is_some_and(|it| it.is_deleting(key))
    }

    /// Waits until every kind was listed: before that, a missing dependency proves nothing.
    pub async fn listed(&self) {
        for store in self.stores.values() {
            store.listed().wait().await;
        }
    }

    /// A slot for a reconcile in that Sandbox, unless `limit` are taken already: then the resource is enqueued again when one is
    /// free.
    #[must_use]
    pub fn slot(&self, home: Key, key: &Key, limit: u16) -> Option<Slot<'_>> {
        let (place, limit) = ((key.kind, home), usize::from(limit));
        let take = self.slots.take(&place, key, limit);
        if take == Take::Queued {
            self.metrics.waiting(key.kind, 1);
        }
        (take == Take::Taken).then_some(Slot {
            queues: self,
            place,
            limit,
        })
    }

    /// Enqueues a custom resource, since it or something that it refers to has changed.
    pub fn enqueue_changed(&self, key: &Key) {
        self.registry.changed(key);
        self.enqueue(key);
    }

    /// Enqueues a custom resource although nothing here has changed: what Adobe refused is not tried again.
    pub fn enqueue(&self, key: &Key) {
        if let Some(store) = self.stores.get(&key.kind) {
            self.metrics.enqueued(key.kind);
            self.registry.queued(key);
            store.enqueue(key);
        }
    }

    /// Enqueues everything that refers to this, which has changed.
    pub fn enqueue_referrers(&self, namespace: &str, reference: &Reference) {
        for key in self.registry.referrers(namespace, reference) {
            self.enqueue_changed(&key);
        }
    }

    /// Forgets a custom resource that is gone. Those whose deletion waited for that are enqueued, and those that refer to it.
    pub fn forget(&self, key: &Key) {
        let references = self.registry.forget(key);
        self.metrics.forget(key);
        self.waits.forget(key);
        for Reference { target, name } in references {
            let Target::Kind(kind) = target else {
                // Others may use the Secret now, if it held the credentials of a Sandbox.
                if key.kind == Kind::Sandbox {
                    self.enqueue_referrers(&key.namespace, &Reference { target, name });
                }
                continue;
            };
            let key = Key::new(kind, &key.namespace, &name);
            if self.is_deleting(&key) {
                self.enqueue(&key);
            }
        }
        self.enqueue_referrers(&key.namespace, &key.reference());
    }
}

/// A slot taken by one reconcile; it is free again when this is dropped.
#[derive(Debug)]
pub struct Slot<'q> {
    queues: &'q Queues,
    place: Place,
    limit: usize,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        for key in self.queues.slots.free(&self.place, self.limit) {
            self.queues.metrics.waiting(key.kind, -1);
            self.queues.enqueue(&key);
        }
    }
}
