//! One kind's cache and queue, found by type or by name.

use std::any::Any;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::runtime::reflector::{self, ObjectRef, Store, store::Writer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::graph::Key;
use crate::api::condition_types::READY;
use crate::api::{AepResource, Condition, ConditionStatus, Kind};

/// What the rest of the engine needs of one kind: its cache, and a way to ask for a pass.
#[derive(Debug)]
pub struct Shelf<K: AepResource> {
    /// Every custom resource of this kind, as last seen.
    pub store: Store<K>,
    queue: UnboundedSender<ObjectRef<K>>,
}

/// What one kind's `run` needs: it fills the cache and empties the queue.
#[derive(Debug)]
pub struct Desk<K: AepResource> {
    pub(super) writer: Writer<K>,
    pub(super) queue: UnboundedReceiver<ObjectRef<K>>,
}

/// A shelf whose kind is known only by name.
pub trait AnyShelf: Send + Sync + std::fmt::Debug {
    /// Asks for a pass over this object.
    fn wake(&self, key: &Key);
    /// Whether the object exists.
    fn has(&self, key: &Key) -> bool;
    /// Since when the object is ready, if it is.
    fn ready_since(&self, key: &Key) -> Option<Timestamp>;
    /// Whether the object waits for its deletion.
    fn is_deleting(&self, key: &Key) -> bool;
    /// The kind.
    fn kind(&self) -> Kind;
    /// Tells namespace, name and conditions of every custom resource.
    fn conditions(&self, tell: &mut dyn FnMut(&str, &str, &Condition));
    /// Waits until the cache is complete.
    fn listed(&self) -> BoxFuture<'_, ()>;
    /// Back to the typed shelf.
    fn as_any(&self) -> &dyn Any;
}

/// An empty shelf with its desk.
#[must_use]
pub fn shelf<K: AepResource>() -> (Arc<Shelf<K>>, Desk<K>) {
    let (store, writer) = reflector::store();
    let (sender, receiver) = unbounded_channel();
    let desk = Desk {
        writer,
        queue: receiver,
    };
    (
        Arc::new(Shelf {
            store,
            queue: sender,
        }),
        desk,
    )
}

impl<K: AepResource> Shelf<K> {
    fn get(&self, key: &Key) -> Option<Arc<K>> {
        let object = ObjectRef::new(&key.name).within(&key.namespace);
        self.store.get(&object)
    }
}

impl<K: AepResource> AnyShelf for Shelf<K> {
    fn wake(&self, key: &Key) {
        // The receiver is gone only when the process is ending.
        let _ = self
            .queue
            .send(ObjectRef::new(&key.name).within(&key.namespace));
    }

    fn has(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    fn ready_since(&self, key: &Key) -> Option<Timestamp> {
        let object = self.get(key)?;
        let ready = object.status()?.as_ref().condition(READY)?;
        (ready.status == ConditionStatus::True).then_some(ready.last_transition_time.0)
    }

    fn is_deleting(&self, key: &Key) -> bool {
        let found = self.get(key);
        found.is_some_and(|o| o.meta().deletion_timestamp.is_some())
    }

    fn kind(&self) -> Kind {
        K::KIND
    }

    fn conditions(&self, tell: &mut dyn FnMut(&str, &str, &Condition)) {
        for object in self.store.state() {
            let meta = object.meta();
            let namespace = meta.namespace.as_deref().unwrap_or_default();
            let name = meta.name.as_deref().unwrap_or_default();
            let status = object.status().map(AsRef::as_ref);
            for condition in status.map_or(&[][..], |it| &it.conditions) {
                tell(namespace, name, condition);
            }
        }
    }

    fn listed(&self) -> BoxFuture<'_, ()> {
        // It fails only when the writer is gone, and with it the whole operator.
        Box::pin(self.store.wait_until_ready().map(drop))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
