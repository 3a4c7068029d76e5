//! Objects that carry our mark, but that no custom resource stands for.

use std::collections::HashSet;

use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::kind::ManagedKind;
use crate::engine::sandbox::Session;
use crate::engine::shared::Engine;

/// Objects that carry this Sandbox's mark without a custom resource among the `keys`, and all but the first of several with
/// one mark; as kind and id. What was replaced is not among them: its custom resource deletes it.
pub fn orphans<K: ManagedKind>(
    engine: &Engine,
    session: &Session,
    namespace: &str,
    keys: &[Key],
) -> Vec<String> {
    let names: HashSet<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let known = known_ids::<K>(engine, namespace);
    let collection = session.collection::<K>();
    let is_orphan = |object: &K::Held| {
        let Some(mark) = object.mark() else {
            return false;
        };
        let (its_namespace, name) = mark.object();
        if mark.owner() != session.owner || its_namespace != namespace {
            return false;
        }
        let claim = mark.claim();
        if collection.index(|it| it.is_busy(&claim)) {
            return false;
        }
        let claimed = collection.index(|it| it.claimed(&claim));
        // The one in status counts, else the first.
        let current = claimed.iter().find(|it| known.contains(it.id()));
        let current = current.or(claimed.first());
        let spare = current.is_some_and(|it| it.mark() == Some(mark) && it.id() != object.id());
        spare || !names.contains(name)
    };
    let marked = collection.index(|it| it.marked()).into_iter();
    let orphans = marked.filter(|object| is_orphan(object));
    let mut orphans: Vec<_> = orphans
        .map(|object| format!("{} {}", K::KIND, object.id()))
        .collect();
    orphans.sort();
    orphans
}

/// The ids in the status of all custom resources of a kind.
fn known_ids<K: ManagedKind>(engine: &Engine, namespace: &str) -> HashSet<String> {
    let resources = engine.queues.store::<K>().map(|it| it.state());
    let resources = resources.into_iter().flatten();
    let here = resources.filter(|it| it.meta().namespace.as_deref() == Some(namespace));
    here.filter_map(|it| it.status()?.as_ref().id.clone())
        .collect()
}
