//! Drift is found by listing, per sandbox and kind, never by one read per object.

use std::collections::HashSet;
use std::sync::Arc;

use super::context::Engine;
use super::graph::Key;
use super::kind::Kind;
use super::observations::Observed;
use super::rounds::rounds;
use super::session::{Place, Session};
use crate::api::{self, Reference};

/// Sweeps each sandbox whenever its time has come, and then looks at each custom resource in memory. Never ends.
pub async fn sweep<K: Kind>(engine: &Engine) {
    let is_due = |session: &Session| {
        let all = session.observations::<K::Observed>();
        all.is_due(session.resync())
    };
    rounds(engine, is_due, |place, session| {
        sweep_one::<K>(engine, place, session)
    })
    .await;
}

async fn sweep_one<K: Kind>(engine: &Engine, (namespace, sandbox): Place, session: Arc<Session>) {
    let all = session.observations::<K::Observed>();
    let swept = all.sweep(|| K::list(&session)).await;
    let before = session.is_surveyed(engine.owning_kinds());
    session.note_sweep(K::KIND, swept.is_ok());
    if let Err(error) = swept {
        tracing::warn!(kind = %K::KIND, namespace, sandbox, %error, "sweep failed");
    } else {
        let metrics = &engine.settings.metrics;
        metrics.swept(K::KIND, &namespace, &sandbox);
        // Where the Sandbox went during the sweep, its figures must not come back.
        if engine.sessions.get(&namespace, &sandbox).is_none() {
            metrics.closed(&namespace, &sandbox);
        }
    }
    let home = Reference::new(api::Kind::Sandbox, &sandbox);
    let mut keys = engine.graph().referrers(&namespace, &home);
    keys.retain(|key| key.kind == K::KIND);
    let known = known_ids::<K>(engine, &namespace);
    let orphans = orphans::<K>(&session, &namespace, &keys, &known);
    let trouble = all.lasting_trouble().map(|error| error.to_string());
    // All are to be noted, whichever is news.
    let mut news = session.note_trouble(K::KIND, trouble);
    news |= session.note_orphans(K::KIND, orphans);
    news |= !before && session.is_surveyed(engine.owning_kinds());
    if news {
        engine.revisit(&Key {
            kind: api::Kind::Sandbox,
            namespace,
            name: sandbox,
        });
    }
    for key in &keys {
        engine.revisit(key);
    }
}

/// The ids in the status of all custom resources of a kind.
fn known_ids<K: Kind>(engine: &Engine, namespace: &str) -> HashSet<String> {
    let objects = engine.store::<K>().map(|it| it.state());
    let objects = objects.into_iter().flatten();
    let here = objects.filter(|it| it.meta().namespace.as_deref() == Some(namespace));
    here.filter_map(|it| it.status()?.as_ref().id.clone())
        .collect()
}

/// Objects that bear this Sandbox's mark, but that no custom resource stands for: those without one, and all but the
/// first of several with one mark. What was replaced is not among them: its custom resource deletes it.
fn orphans<K: Kind>(
    session: &Session,
    namespace: &str,
    keys: &[Key],
    known: &HashSet<String>,
) -> Vec<String> {
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
            let claim = mark.claim();
            if all.is_busy(&claim) {
                return false;
            }
            let claimed = all.claimed(&claim);
            // The one in status counts, else the first.
            let current = claimed.iter().find(|it| known.contains(it.id()));
            let current = current.or(claimed.first());
            let spare = current.is_some_and(|it| it.mark() == Some(mark) && it.id() != object.id());
            spare || !names.contains(name)
        })
        .map(|object| format!("{} {}", K::KIND, object.id()))
        .collect();
    orphans.sort();
    orphans
}
