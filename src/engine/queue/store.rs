//! One kind's cache and queue, found by type or by name.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use kube::runtime::reflector::{self, ObjectRef, Store, store::Writer};
use kube::runtime::watcher::Event;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::sync::SetOnce;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::api::condition_types::READY;
use crate::api::{AepResource, Condition, ConditionStatus, Kind};
use crate::engine::key::Key;
use crate::engine::metrics::Exported;

/// Encodes the metrics that a kind alone exports; the predicate says whether a Sandbox is suspended.
pub type Encode<K> =
    fn(&[Arc<K>], &dyn Fn(&str, &str) -> bool, &mut DescriptorEncoder<'_>) -> fmt::Result;

/// What the rest of the engine needs of one kind: its cache, and a way to enqueue.
#[derive(Debug)]
pub struct ResourceStore<K: AepResource> {
    /// Every custom resource of this kind, as last seen.
    pub cache: Store<K>,
    queue: UnboundedSender<ObjectRef<K>>,
    listed: Arc<SetOnce<()>>,
    encode: Encode<K>,
}

/// What one kind's controller needs: it fills the cache and empties the queue.
#[derive(Debug)]
pub struct Inlet<K: AepResource> {
    /// Fills the cache.
    pub writer: Writer<K>,
    /// What is to be reconciled.
    pub queue: UnboundedReceiver<ObjectRef<K>>,
    /// Set once everything was listed.
    pub listed: Arc<SetOnce<()>>,
}

/// A store whose kind is known only by name.
pub trait AnyStore: Exported + Any {
    /// Puts an object into the queue.
    fn enqueue(&self, key: &Key);
    /// The object.
    fn get(&self, key: &Key) -> Option<Arc<dyn Any + Send + Sync>>;
    /// Whether the object exists.
    fn has(&self, key: &Key) -> bool;
    /// Since when the object is ready, if it is.
    fn ready_since(&self, key: &Key) -> Option<Timestamp>;
    /// The Adobe id in the object's status.
    fn adobe_id(&self, key: &Key) -> Option<String>;
    /// Whether the object waits for its deletion.
    fn is_deleting(&self, key: &Key) -> bool;
    /// Set once everything was listed.
    fn listed(&self) -> &SetOnce<()>;
}

/// An empty store with what fills and empties it.
#[must_use]
pub fn resource_store<K: AepResource>(encode: Encode<K>) -> (Arc<ResourceStore<K>>, Inlet<K>) {
    let (cache, mut writer) = reflector::store();
    // Objects are shown as they come, so the cache counts as ready; whether everything was listed, `listed` tells.
    writer.apply_watcher_event(&Event::Init);
    writer.apply_watcher_event(&Event::InitDone);
    let (sender, queue) = unbounded_channel();
    let listed = Arc::new(SetOnce::new());
    let store = ResourceStore {
        cache,
        queue: sender,
        listed: listed.clone(),
        encode,
    };
    let inlet = Inlet {
        writer,
        queue,
        listed,
    };
    (Arc::new(store), inlet)
}

impl<K: AepResource> ResourceStore<K> {
    fn object(&self, key: &Key) -> Option<Arc<K>> {
        self.cache.get(&key.object_ref())
    }
}

impl<K: AepResource> AnyStore for ResourceStore<K> {
    fn enqueue(&self, key: &Key) {
        // The receiver is gone only when the process is ending.
        let _ = self.queue.send(key.object_ref());
    }

    fn get(&self, key: &Key) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(self.object(key)?)
    }

    fn has(&self, key: &Key) -> bool {
        self.object(key).is_some()
    }

    fn ready_since(&self, key: &Key) -> Option<Timestamp> {
        let object = self.object(key)?;
        let ready = object.status()?.as_ref().condition(READY)?;
        (ready.status == ConditionStatus::True).then_some(ready.last_transition_time.0)
    }

    fn adobe_id(&self, key: &Key) -> Option<String> {
        self.object(key)?.status()?.as_ref().id.clone()
    }

    fn is_deleting(&self, key: &Key) -> bool {
        let object = self.object(key);
        object.is_some_and(|it| it.meta().deletion_timestamp.is_some())
    }

    fn listed(&self) -> &SetOnce<()> {
        &self.listed
    }
}

impl<K: AepResource> Exported for ResourceStore<K> {
    fn kind(&self) -> Kind {
        K::KIND
    }

    fn conditions(&self, each: &mut dyn FnMut(&str, &str, &Condition)) {
        for object in self.cache.state() {
            let meta = object.meta();
            let namespace = meta.namespace.as_deref().unwrap_or_default();
            let name = meta.name.as_deref().unwrap_or_default();
            let status = object.status().map(AsRef::as_ref);
            for condition in status.map_or(&[][..], |it| &it.conditions) {
                each(namespace, name, condition);
            }
        }
    }

    fn is_suspended(&self, namespace: &str, name: &str) -> bool {
        let object = self.object(&Key::new(K::KIND, namespace, name));
        object.is_some_and(|it| it.management().suspended())
    }

    fn encode(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        is_suspended: &dyn Fn(&str, &str) -> bool,
    ) -> fmt::Result {
        (self.encode)(&self.cache.state(), is_suspended, encoder)
    }
}
