//! The watch of one kind: it fills the cache, and enqueues those whom a change concerns.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures::StreamExt;
use kube::ResourceExt;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use tokio::sync::SetOnce;

use super::relist::{Notification, watch};
use crate::api::condition_types::STALLED;
use crate::api::{
    AepResource, EXTERNAL_ID, FINALIZER, FORCE_DELETE, Kind, RECREATE_APPROVED, REQUESTED_AT,
};
use crate::engine::key::{Identity, Key};
use crate::engine::lookup::is_on_its_way;
use crate::engine::parse::{Fault, Parsed};
use crate::engine::registry::Fingerprint;
use crate::engine::shared::Engine;
use crate::engine::status;

/// Watches a kind until this is dropped; `listed` is set once everything was listed.
pub async fn watch_resources<K: AepResource>(
    engine: Arc<Engine>,
    mut writer: Writer<K>,
    listed: Arc<SetOnce<()>>,
) {
    let known = {
        let engine = engine.clone();
        move |namespace: Option<&str>| {
            let keys = engine.queues.registry.keys(K::KIND, namespace);
            keys.into_iter().map(|it| (it.namespace, it.name)).collect()
        }
    };
    let mut notifications = Box::pin(watch::<Parsed<K>>(&engine.client, &engine.settings, known));
    while let Some(notification) = notifications.next().await {
        match notification {
            Notification::Applied(resource) => applied(&engine, &mut writer, resource),
            Notification::Gone((namespace, name)) => {
                gone(&engine, &mut writer, &Key::new(K::KIND, &namespace, &name));
            }
            Notification::Listed => {
                // Set once only.
                let _ = listed.set(());
            }
        }
    }
}

fn gone<K: AepResource>(engine: &Engine, writer: &mut Writer<K>, key: &Key) {
    if let Some(resource) = writer.as_reader().get(&key.object_ref()) {
        writer.apply_watcher_event(&Event::Delete(Arc::unwrap_or_clone(resource)));
    }
    if K::KIND == Kind::Sandbox {
        // It may have been let go by force.
        engine.sessions.close(&key.namespace, &key.name);
    }
    engine.queues.forget(key);
}

fn applied<K: AepResource>(engine: &Engine, writer: &mut Writer<K>, parsed: Parsed<K>) {
    let Parsed { resource, fault } = parsed;
    let identity = Identity::of(&resource);
    let registry = &engine.queues.registry;
    let former = registry.uid(&identity.key);
    if former.is_some_and(|uid| uid != identity.uid) {
        // Another resource has taken its name while the watch was interrupted.
        gone(engine, writer, &identity.key);
    }
    let mut references = resource.references();
    let hidden = fault.iter().flat_map(|it| it.references());
    for reference in hidden {
        if !references.contains(reference) {
            references.push(reference.clone());
        }
    }
    // Noted before the cache shows it: no reconcile may find a resource of which nothing can be remembered.
    let fingerprint = fingerprint(&resource, fault.as_deref());
    let affected = registry.observe(&identity, fingerprint, references);
    let is_unreadable = fault.is_some();
    if registry.note_fault(&identity, fault) {
        engine
            .queues
            .metrics
            .unreadable(&identity.key, is_unreadable);
    }
    let version = resource.resource_version();
    writer.apply_watcher_event(&Event::Apply(resource));
    // Our own last status is kept until the cache shows it.
    let _ = registry.newer_status(&identity, version.as_deref());
    for key in affected {
        engine.queues.enqueue_changed(&key);
    }
}

fn has_finalizer<K: AepResource>(resource: &K) -> bool {
    resource.finalizers().iter().any(|it| it == FINALIZER)
}

fn fingerprint<K: AepResource>(resource: &K, fault: Option<&Fault>) -> Fingerprint {
    let version = resource.resource_version();
    let version = version.and_then(|it| it.parse().ok());
    Fingerprint {
        own: own(resource, fault),
        published: published(resource),
        status: resource.status().map(status::hash::<K>).unwrap_or_default(),
        version: version.unwrap_or_default(),
        has_finalizer: has_finalizer(resource),
    }
}

/// What calls for a reconcile of the resource itself, but for a status that is not ours.
fn own<K: AepResource>(resource: &K, fault: Option<&Fault>) -> u64 {
    let meta = resource.meta();
    let asked = [REQUESTED_AT, EXTERNAL_ID, FORCE_DELETE, RECREATE_APPROVED];
    let asked = asked.map(|name| resource.annotations().get(name));
    let deleting = meta.deletion_timestamp.is_some();
    hash(&(
        meta.generation,
        deleting,
        asked,
        fault.map(ToString::to_string),
    ))
}

/// What those who refer to the resource depend on.
fn published<K: AepResource>(resource: &K) -> u64 {
    let meta = resource.meta();
    let status = resource.status();
    let common = status.map(AsRef::as_ref);
    let stalled = common.and_then(|it| it.condition(STALLED));
    hash(&(
        meta.deletion_timestamp.is_some(),
        is_on_its_way(resource),
        common.is_some_and(|it| it.is_ready(meta.generation)),
        stalled.map(|it| &it.reason),
        resource.management().suspended(),
        resource.annotations().get(RECREATE_APPROVED),
        status.map(K::published),
    ))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
