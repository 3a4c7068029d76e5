//! The watch of Secrets: which of them change, not what they hold.

use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::PartialObjectMeta;
use tokio::sync::oneshot;

use super::relist::{Notification, watch};
use crate::api::{ALLOW_IN_CONNECTIONS, Reference, Target};
use crate::engine::shared::Engine;

/// Watches Secrets and enqueues those who name them; `listed` hears of the first list.
pub async fn watch_secrets(engine: Arc<Engine>, listed: oneshot::Sender<()>) {
    let known = {
        let engine = engine.clone();
        move |namespace: Option<&str>| engine.secrets.names(namespace)
    };
    let namespaces = &engine.settings.namespaces;
    let mut notifications = Box::pin(watch::<PartialObjectMeta<Secret>>(
        &engine.client,
        namespaces,
        known,
    ));
    let mut listed = Some(listed);
    while let Some(notification) = notifications.next().await {
        match notification {
            Notification::Applied(secret) => {
                let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
                // A list after an interruption shows what was known before, too.
                let version = secret.resource_version();
                let allowed = is_allowed(&secret);
                if engine.secrets.observe(&namespace, &name, version, allowed) {
                    enqueue_users(&engine, &namespace, name);
                }
            }
            Notification::Gone((namespace, name)) => {
                engine.secrets.forget(&namespace, &name);
                engine.sessions.retire_secret(&namespace, &name);
                enqueue_users(&engine, &namespace, name);
            }
            Notification::Listed => {
                if let Some(listed) = listed.take() {
                    // Nobody listens any more once the operator is about to end.
                    let _ = listed.send(());
                }
            }
        }
    }
}

fn is_allowed(secret: &PartialObjectMeta<Secret>) -> bool {
    let label = secret.labels().get(ALLOW_IN_CONNECTIONS);
    label.is_some_and(|it| it == "true")
}

fn enqueue_users(engine: &Engine, namespace: &str, name: String) {
    let target = Target::Secret;
    let secret = Reference { target, name };
    engine.queues.enqueue_referrers(namespace, &secret);
}
