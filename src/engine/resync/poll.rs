//! What Adobe does with our objects by itself is polled in one go per sandbox, and reported in the status. It has no say in
//! whether the objects are in sync.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Open, periodic};
use crate::api::{Kind, Sandbox};
use crate::engine::key::Key;
use crate::engine::kind::{ManagedKind, Observing};
use crate::engine::sandbox::Session;
use crate::engine::shared::Engine;

/// How long the first poll waits for the first list, which tells what there is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls each sandbox as often as the kind wants, but not more often than it is listed. Never ends.
pub async fn poll<K: ManagedKind>(engine: &Engine) {
    let Some(period) = K::Observing::PERIOD else {
        return;
    };
    let is_due = |session: &Session| {
        let period = period.min(session.resync());
        session.unusable().is_none() && session.collection::<K>().is_poll_due(period)
    };
    periodic(engine, is_due, |open| poll_one::<K>(engine, open)).await;
}

async fn poll_one<K: ManagedKind>(engine: &Engine, open: Open) {
    let Open {
        namespace,
        sandbox,
        session,
    } = open;
    if !session.collection::<K>().first_list(PATIENCE).await {
        return;
    }
    let resources = active::<K>(engine, &namespace, &sandbox);
    if resources.is_empty() {
        return;
    }
    match K::Observing::poll(&session, &resources).await {
        Ok(news) => {
            for resource in news {
                engine.queues.enqueue(&Key::of(resource.as_ref()));
            }
        }
        Err(error) => {
            tracing::warn!(kind = %K::KIND, namespace, sandbox, %error, "poll failed, what is known stays");
        }
    }
}

/// The custom resources in a sandbox that have an object there, and that are not suspended.
fn active<K: ManagedKind>(engine: &Engine, namespace: &str, sandbox: &str) -> Vec<Arc<K>> {
    let key = Key::new(Kind::Sandbox, namespace, sandbox);
    let sandboxes = engine.queues.store::<Sandbox>();
    let home = sandboxes.and_then(|it| it.get(&key.object_ref()));
    if home.is_none_or(|it| it.spec.suspend == Some(true)) {
        return Vec::new();
    }
    let resources = engine.queues.store::<K>().map(|it| it.state());
    let mut resources = resources.unwrap_or_default();
    resources.retain(|resource| {
        let (meta, management) = (resource.meta(), resource.management());
        meta.namespace.as_deref() == Some(namespace)
            && management.sandbox_ref.name == sandbox
            && meta.deletion_timestamp.is_none()
            && !management.suspended()
            && resource.status().is_some_and(|it| it.as_ref().id.is_some())
    });
    resources
}
