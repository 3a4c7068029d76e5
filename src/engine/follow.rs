//! What Adobe does with our objects by itself is followed in one go per sandbox, and told in the status. It has no say in
//! whether the objects are as they should be.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::context::Engine;
use super::graph::Key;
use super::kind::Kind;
use super::rounds::rounds;
use super::session::{Place, Session};
use crate::api::{AepResource, Sandbox};

/// How long the first look waits for the first sweep, which tells what there is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks in each sandbox as often as the kind wants, but not more often than it is swept. Never ends.
pub async fn follow<K: Kind>(engine: &Engine) {
    let Some(period) = K::FOLLOWED else { return };
    let is_due = |session: &Session| session.is_time(K::KIND, period.min(session.resync()));
    rounds(engine, is_due, |place, session| {
        follow_one::<K>(engine, place, session)
    })
    .await;
}

async fn follow_one<K: Kind>(engine: &Engine, (namespace, sandbox): Place, session: Arc<Session>) {
    let all = session.observations::<K::Observed>();
    if !all.swept_within(PATIENCE).await {
        return;
    }
    let objects = active::<K>(engine, &namespace, &sandbox);
    if objects.is_empty() {
        return;
    }
    match K::follow(&session, &objects).await {
        Ok(news) => {
            for object in news {
                engine.revisit(&Key {
                    kind: K::KIND,
                    namespace: namespace.clone(),
                    name: object.name_any(),
                });
            }
        }
        Err(error) => {
            tracing::warn!(kind = %K::KIND, namespace, sandbox, %error, "look failed, what is known stays");
        }
    }
}

/// The custom resources in a sandbox that have an object there, and that nobody wants to be let alone.
fn active<K: Kind>(engine: &Engine, namespace: &str, sandbox: &str) -> Vec<Arc<K>> {
    let place = ObjectRef::<Sandbox>::new(sandbox).within(namespace);
    let home = engine.store::<Sandbox>().and_then(|it| it.get(&place));
    if home.is_none_or(|it| it.management().suspended()) {
        return Vec::new();
    }
    let objects = engine.store::<K>().map(|it| it.state());
    let mut objects = objects.unwrap_or_default();
    objects.retain(|object| {
        let (meta, management) = (object.meta(), object.management());
        meta.namespace.as_deref() == Some(namespace)
            && management.sandbox_ref.name == sandbox
            && meta.deletion_timestamp.is_none()
            && !management.suspended()
            && object.status().is_some_and(|it| it.as_ref().id.is_some())
    });
    objects
}
