//! Drift is found by listing, per sandbox and kind, never by one read per object.

use std::collections::HashSet;
use std::sync::Arc;

use super::context::Engine;
use super::graph::Key;
use super::kind::Kind;
use super::observations::Observed;
use super::session::Session;

/// Sweeps every sandbox whose turn has come, then looks at each custom resource in memory.
pub async fn sweep<K: Kind>(engine: &Engine) {
    let sandboxes = engine.sessions.list().into_iter();
    let due = sandboxes.filter(|(_, session)| {
        let all = session.observations::<K::Observed>();
        all.is_due(session.resync())
    });
    // Side by side: a slow sandbox holds up nobody but itself.
    let sweeps = due.map(|((namespace, sandbox), session)| async move {
        sweep_one::<K>(engine, &namespace, &sandbox, &session).await;
    });
    futures::future::join_all(sweeps).await;
}

async fn sweep_one<K: Kind>(
    engine: &Engine,
    namespace: &str,
    sandbox: &str,
    session: &Arc<Session>,
) {
    let all = session.observations::<K::Observed>();
    if let Err(error) = all.sweep(|| K::list(session)).await {
        tracing::warn!(kind = %K::KIND, namespace, sandbox, %error, "sweep failed");
    }
    let keys = engine.graph().keys(K::KIND);
    let keys: Vec<Key> = keys
        .into_iter()
        .filter(|key| key.namespace == namespace)
        .collect();
    let orphans = orphans::<K>(session, namespace, &keys);
    if session.note_orphans(K::KIND, orphans) {
        engine.revisit(&Key {
            kind: crate::api::Kind::Sandbox,
            namespace: namespace.to_owned(),
            name: sandbox.to_owned(),
        });
    }
    for key in &keys {
        engine.revisit(key);
    }
}

/// Objects that bear this Sandbox's mark, but that no custom resource stands for: those without one, and all but the
/// first of several with one mark. What was replaced is not among them: its custom resource deletes it.
fn orphans<K: Kind>(session: &Session, namespace: &str, keys: &[Key]) -> Vec<String> {
    let names: HashSet<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let all = session.observations::<K::Observed>();
    let mut orphans: Vec<_> = all
        .marked()
        .into_iter()
        .filter(|object| {
            let Some(mark) = object.mark() else {
                return false;
            };
            let (its_namespace, name) = mark.object();
            if mark.owner() != session.owner || its_namespace != namespace {
                return false;
            }
            let claimed = all.claimed(&mark.claim());
            let first = claimed.first();
            let spare = first.is_some_and(|it| it.mark() == Some(mark) && it.id() != object.id());
            spare || !names.contains(name)
        })
        .map(|object| format!("{} {}", K::KIND, object.id()))
        .collect();
    orphans.sort();
    orphans
}
