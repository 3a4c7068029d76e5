//! Drift is found by listing, per sandbox and kind, never by one read per object.

use std::sync::Arc;
use std::time::Instant;

use super::context::Engine;
use super::graph::Key;
use super::kind::Kind;
use super::session::Session;

/// Sweeps every sandbox whose turn has come, then looks at each custom resource in memory.
pub async fn sweep<K: Kind>(engine: &Engine) {
    for ((namespace, sandbox), session) in engine.sessions.list() {
        if due::<K>(&session) {
            sweep_one::<K>(engine, &namespace, &sandbox, &session).await;
        }
    }
}

fn due<K: Kind>(session: &Arc<Session>) -> bool {
    let last = session.observations::<K::Observed>().swept();
    last.is_none_or(|at| Instant::now().duration_since(at) >= session.resync)
}

async fn sweep_one<K: Kind>(
    engine: &Engine,
    namespace: &str,
    sandbox: &str,
    session: &Arc<Session>,
) {
    let all = session.observations::<K::Observed>();
    // The first sweep may be under way for the sake of a pass: it is shared.
    let swept = match all.swept() {
        None => all.first_sweep(|| K::list(session)).await,
        Some(_) => all.sweep(|| K::list(session)).await,
    };
    if let Err(error) = swept {
        tracing::warn!(kind = %K::KIND, namespace, sandbox, %error, "sweep failed");
        return;
    }
    let keys: Vec<Key> = engine.graph().keys(K::KIND);
    for key in keys.iter().filter(|key| key.namespace == namespace) {
        engine.wake(key);
    }
}
