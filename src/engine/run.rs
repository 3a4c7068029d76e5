//! Watches a kind, keeps cache and references up to date, and drives a pass whenever one is due.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures::StreamExt;
use kube::ResourceExt;
use kube::runtime::controller::{Action, Config, ReconcileRequest, applier};
use kube::runtime::reflector::store::Writer;
use kube::runtime::{watcher, watcher::Event};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

use super::context::Engine;
use super::graph::Key;
use super::reconcile::{Reconcile, reconcile};
use super::shelf::Desk;
use super::watch::{Merge, watch};
use crate::api::condition_types::STALLED;
use crate::api::{EXTERNAL_ID, FORCE_DELETE, Kind, REQUESTED_AT, Reference, Target};

/// Drives one kind until `stop`.
pub async fn run<K: Reconcile>(engine: Arc<Engine>, desk: Desk<K>, stop: CancellationToken) {
    let Some(store) = engine.store::<K>() else {
        return;
    };
    let queue = UnboundedReceiverStream::new(desk.queue)
        .map(|object| Ok::<_, Infallible>(ReconcileRequest::from(object)))
        .take_until(stop.clone().cancelled_owned());
    // Unbounded: what waits for Adobe holds nobody up, and each sandbox bounds its own passes.
    let config = Config::default().concurrency(0);
    let passes = applier(
        |object, engine| Box::pin(reconcile::<K>(object, engine)),
        |_, error: &Infallible, _| -> Action { match *error {} },
        engine.clone(),
        store,
        queue,
        config,
    );
    let driving = async {
        tokio::select! {
            () = engine.listed() => {}
            () = stop.cancelled() => return,
        }
        engine.settings.seen.note();
        passes.for_each(|_| async {}).await;
    };
    let watching = see::<K>(engine.clone(), desk.writer);
    let sweeping = K::sweep(&engine);
    tokio::select! {
        () = driving => {}
        () = watching => {}
        () = sweeping => {}
    }
}

async fn see<K: Reconcile>(engine: Arc<Engine>, mut writer: Writer<K>) {
    let namespaces = &engine.settings.namespaces;
    let (store, mut merge) = (writer.as_reader(), Merge::of(namespaces));
    let mut seen = watch::<K>(&engine.client, namespaces);
    let mut faces = Faces::default();
    while let Some((from, event)) = seen.next().await {
        match event {
            Ok(event) => {
                for event in merge.events(from, event, &store) {
                    writer.apply_watcher_event(&event);
                    faces.notice(&engine, event);
                }
            }
            Err(error) => {
                let namespace = namespaces.get(from).map_or("all", String::as_str);
                let hint = hint(&error);
                tracing::warn!(kind = %K::KIND, namespace, %error, "watch interrupted, it will be resumed{hint}");
            }
        }
    }
}

/// What a person can do about a watch that fails.
fn hint(error: &watcher::Error) -> &'static str {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code,
        _ => 0,
    };
    match code {
        404 => ": install the CRDs",
        403 => ": allow the operator to list and watch it",
        _ => "",
    }
}

/// What an object looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Face {
    /// To its own pass.
    inner: u64,
    /// To those who refer to it.
    outer: u64,
    /// Whether we have reported something about it.
    reported: bool,
}

/// What each object looked like last.
#[derive(Debug, Default)]
struct Faces {
    seen: HashMap<Key, Face>,
    listing: HashSet<Key>,
    relist: Vec<Key>,
}

impl Faces {
    fn notice<K: Reconcile>(&mut self, engine: &Engine, event: Event<K>) {
        match event {
            Event::Apply(object) => {
                for key in self.changed(engine, &object) {
                    engine.wake(&key);
                }
            }
            Event::Delete(object) => {
                engine.memory.forget(&object.uid().unwrap_or_default());
                self.gone::<K>(engine, &Key::of(&object));
            }
            Event::Init => {
                self.listing.clear();
                self.relist.clear();
            }
            Event::InitApply(object) => {
                // The cache shows these objects only when the list is complete, so the wakes wait until then.
                self.listing.insert(Key::of(&object));
                let changed = self.changed(engine, &object);
                self.relist.extend(changed);
            }
            Event::InitDone => {
                let lost: Vec<_> = self
                    .seen
                    .keys()
                    .filter(|key| !self.listing.contains(*key))
                    .cloned()
                    .collect();
                for key in &lost {
                    self.gone::<K>(engine, key);
                }
                for key in self.relist.drain(..) {
                    engine.wake(&key);
                }
            }
        }
    }

    /// Notes the object; gives those who need a pass now.
    fn changed<K: Reconcile>(&mut self, engine: &Engine, object: &K) -> Vec<Key> {
        let key = Key::of(object);
        let reported = object.status().map(AsRef::as_ref);
        let face = Face {
            inner: inner_face(object),
            outer: outer_face(object),
            reported: reported.is_some_and(|it| !it.conditions.is_empty()),
        };
        let before = self.seen.insert(key.clone(), face);
        let references = object.references();
        engine.graph().set(&key, references);
        let mut woken = Vec::new();
        let is_lost = |before: Face| before.reported && !face.reported;
        if before.is_none_or(|it| it.inner != face.inner || is_lost(it)) {
            woken.push(key.clone());
        }
        if before.is_none_or(|it| it.outer != face.outer) {
            let me = Reference {
                target: Target::Kind(K::KIND),
                name: key.name.clone(),
            };
            woken.extend(engine.graph().referrers(&key.namespace, &me));
        }
        woken
    }

    /// Wakes those whose deletion waited for this object to go.
    fn gone<K: Reconcile>(&mut self, engine: &Engine, key: &Key) {
        self.seen.remove(key);
        engine.refusals.forget(key);
        engine.settings.metrics.gone(key);
        if key.kind == Kind::Sandbox {
            // It may have been let go by force.
            engine.sessions.close(&key.namespace, &key.name);
        }
        let references = engine.graph().forget(key);
        for reference in references {
            if let Target::Kind(kind) = reference.target {
                engine.wake_deleting(&Key {
                    kind,
                    namespace: key.namespace.clone(),
                    name: reference.name,
                });
            }
        }
        let me = Reference {
            target: Target::Kind(K::KIND),
            name: key.name.clone(),
        };
        engine.wake_referrers(&key.namespace, &me);
    }
}

/// What calls for a pass over the object itself: not its status, which is ours.
fn inner_face<K: Reconcile>(object: &K) -> u64 {
    let meta = object.meta();
    let asked =
        [REQUESTED_AT, EXTERNAL_ID, FORCE_DELETE].map(|name| object.annotations().get(name));
    hash(&(
        &meta.uid,
        meta.generation,
        meta.deletion_timestamp.is_some(),
        asked,
    ))
}

/// Fields of a status that others build upon.
const SHOWN: [&str; 4] = ["id", "version", "connectionSpecId", "schemaId"];

/// What those who refer to the object depend on.
fn outer_face<K: Reconcile>(object: &K) -> u64 {
    let meta = object.meta();
    let common = object.status().map(AsRef::as_ref);
    let ready = common.is_some_and(|it| it.is_ready(meta.generation));
    let stalled = common.and_then(|it| it.condition(STALLED));
    let stalled = stalled.map(|it| it.reason.clone());
    let status = serde_json::to_value(object.status()).unwrap_or_default();
    let shown = SHOWN.map(|field| status[field].to_string());
    let suspended = object.management().suspended();
    hash(&(
        &meta.uid,
        meta.deletion_timestamp.is_some(),
        ready,
        stalled,
        suspended,
        shown,
    ))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
