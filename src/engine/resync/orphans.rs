//! Objects that carry our mark, but that no custom resource stands for.

use std::collections::HashSet;
use std::sync::Arc;

use kube::{Resource as _, ResourceExt};

use crate::api::{CommonStatus, Kind, Reference, Sandbox};
use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::kind::ManagedKind;
use crate::engine::mark::Mark;
use crate::engine::sandbox::Session;
use crate::engine::shared::Engine;

/// Objects that carry this Sandbox's mark without a custom resource, and all but one of several with the mark of one; as kind
/// and id. What a status names is not among them.
pub fn orphans<K: ManagedKind>(
    engine: &Engine,
    session: &Session,
    (namespace, sandbox): (&str, &str),
) -> Vec<String> {
    let names = names::<K>(engine, namespace, sandbox);
    let collection = session.collection::<K>();
    let is_orphan = |object: &K::Held| {
        let Some(mark) = object.mark() else {
            return false;
        };
        let claim = mark.claim();
        let (its_namespace, name) = mark.object();
        let is_ours = mark.owner() == session.owner && its_namespace == namespace;
        if !is_ours || collection.index(|it| it.is_busy(&claim)) {
            return false;
        }
        let resource = names.contains(name).then(|| resource::<K>(engine, &claim));
        let Some(resource) = resource.flatten() else {
            return true;
        };
        let claimed = collection.index(|it| it.claimed(&claim));
        let default = CommonStatus::default();
        let status = resource.status().map_or(&default, AsRef::as_ref);
        !is_known(object, status, &claimed)
    };
    let marked = collection.index(|it| it.marked()).into_iter();
    let orphans = marked.filter(|object| is_orphan(object));
    let mut orphans: Vec<_> = orphans
        .map(|object| format!("{} {}", K::KIND, object.id()))
        .collect();
    orphans.sort();
    orphans
}

/// Whether a status names an object, or is about to.
fn is_known<H: Held>(object: &H, status: &CommonStatus, claimed: &[Arc<H>]) -> bool {
    let begun = object.mark().map(|it| it.revision().into());
    if (begun.is_some() && begun == status.next_revision)
        || status.obsolete_ids.iter().any(|it| it == object.id())
    {
        return true;
    }
    // The one in status counts, else the first.
    let known = status.id.as_deref();
    let current = claimed.iter().find(|it| Some(it.id()) == known);
    let current = current.or(claimed.first());
    current.is_none_or(|it| it.id() == object.id())
}

/// The names of the custom resources of a kind that belong to this Sandbox, or to another one that marks objects in the same
/// sandbox of Adobe as the same owner.
fn names<K: ManagedKind>(engine: &Engine, namespace: &str, sandbox: &str) -> HashSet<String> {
    let sandboxes = engine.queues.store::<Sandbox>().map(|it| it.state());
    let mut sandboxes = sandboxes.unwrap_or_default();
    sandboxes.retain(|it| it.meta().namespace.as_deref() == Some(namespace));
    let this = sandboxes.iter().find(|it| it.name_any() == sandbox);
    let others = sandboxes.iter();
    let others = others.filter(|other| this.is_some_and(|it| it.shares_objects_with(other)));
    let homes: HashSet<_> = others
        .map(|it| it.name_any())
        .chain([sandbox.to_owned()])
        .collect();
    let homes = homes.iter().map(|it| Reference::new(Kind::Sandbox, it));
    let keys = homes.flat_map(|home| engine.queues.registry.referrers(namespace, &home));
    let keys = keys.filter(|key| key.kind == K::KIND);
    keys.map(|key| key.name).collect()
}

/// The custom resource that a mark names.
fn resource<K: ManagedKind>(engine: &Engine, mark: &Mark) -> Option<Arc<K>> {
    let (namespace, name) = mark.object();
    let key = Key::new(K::KIND, namespace, name);
    engine.queues.store::<K>()?.get(&key.object_ref())
}
