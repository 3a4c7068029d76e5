//! Drift is found by listing, per sandbox and kind, never by one read per object.

use super::orphans::orphans;
use super::periodic::{Open, periodic};
use crate::api::{Kind, Reference};
use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::kind::{ManagedKind, Objects};
use crate::engine::sandbox::{Findings, Index, Session};
use crate::engine::shared::Engine;

/// How many objects a line of the log names.
const NAMED: usize = 5;

/// Lists the kind in each sandbox whenever that is due, and then has each custom resource compared in memory. Never ends.
pub async fn resync<K: ManagedKind>(engine: &Engine) {
    let is_due = |session: &Session| {
        let collection = session.collection::<K>();
        session.unusable().is_none()
            && collection.is_due(session.resync(), session.requested_resync())
    };
    periodic(engine, is_due, |open| resync_one::<K>(engine, open)).await;
}

async fn resync_one<K: ManagedKind>(engine: &Engine, open: Open) {
    let Open {
        namespace,
        sandbox,
        session,
    } = open;
    let collection = session.collection::<K>();
    let listed = collection.resync(|| K::Objects::list(&session)).await;
    match listed {
        Ok(()) => {
            let count = collection.index(|it| tell_unreadable(K::KIND, it));
            let home = Key::new(Kind::Sandbox, &namespace, &sandbox);
            engine.queues.waits.moved(&home);
            note_list(engine, (K::KIND, count), &namespace, &sandbox);
        }
        Err(error) => {
            tracing::warn!(kind = %K::KIND, namespace, sandbox, %error, "list failed, it will be repeated");
        }
    }
    let home = Reference::new(Kind::Sandbox, &sandbox);
    let mut keys = engine.queues.registry.referrers(&namespace, &home);
    keys.retain(|key| key.kind == K::KIND);
    let known = keys.iter().filter_map(|key| engine.queues.adobe_id(key));
    collection.count(&known.collect());
    let error = collection.lasting_list_error();
    let findings = Findings {
        list_error: error.map(|error| error.to_string()),
        orphans: orphans::<K>(engine, &session, (&namespace, &sandbox)),
    };
    let is_news = collection.set_findings(findings);
    // The last kind to be listed for the first time completes what the Sandbox has to report.
    let completes = collection.end_resync() && session.is_resynced();
    let whole = session.unchecked().is_some() || session.reset().is_some();
    if is_news || completes || whole {
        engine
            .queues
            .enqueue(&Key::new(Kind::Sandbox, &namespace, &sandbox));
    }
    for key in &keys {
        engine.queues.enqueue(key);
    }
}

/// Objects that cannot be read and are not ours do no harm; the others block their resources.
fn tell_unreadable<H: Held>(kind: Kind, index: &Index<H>) -> usize {
    let unreadable = index.unreadable();
    let count = unreadable.count();
    if count > 0 {
        let ids = unreadable.named(NAMED).join(", ");
        tracing::warn!(%kind, count, ids, "objects at Adobe cannot be read");
    }
    count
}

fn note_list(engine: &Engine, (kind, odd): (Kind, usize), namespace: &str, sandbox: &str) {
    let metrics = &engine.settings.metrics;
    metrics.listed(kind, namespace, sandbox);
    metrics.unreadable_objects(kind, namespace, sandbox, odd);
    // Where the Sandbox went during the list, its metrics must not come back.
    if engine.sessions.get(namespace, sandbox).is_none() {
        metrics.forget_sandbox(namespace, sandbox);
    }
}
