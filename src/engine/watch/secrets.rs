//! The watch of Secrets: which of them change, not what they hold.

use std::sync::Arc;

use axum::http::header::ACCEPT;
use axum::http::{HeaderValue, Request};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::client::Body;
use kube::{Client, ResourceExt};
use tokio::sync::oneshot;

use super::relist::{Notification, watch};
use crate::api::{ALLOW_IN_CONNECTIONS, Reference, Target};
use crate::engine::parse::Stub;
use crate::engine::shared::Engine;

/// How the API server is asked for metadata alone.
const OBJECT: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Watches Secrets and enqueues those who name them; `listed` hears of the first list.
pub async fn watch_secrets(engine: Arc<Engine>, listed: oneshot::Sender<()>) {
    let known = {
        let engine = engine.clone();
        move |namespace: Option<&str>| engine.secrets.names(namespace)
    };
    let client = metadata_only(&engine.client);
    let mut notifications = Box::pin(watch::<Stub<Secret>>(&client, &engine.settings, known));
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

fn is_allowed(secret: &Stub<Secret>) -> bool {
    let label = secret.labels().get(ALLOW_IN_CONNECTIONS);
    label.is_some_and(|it| it == "true")
}

/// The same client, to which the API server sends no more of an object than its metadata.
fn metadata_only(client: &Client) -> Client {
    let inner = client.clone();
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default();
        let is_watch = query.split('&').any(|it| it.starts_with("watch="));
        let accept = if is_watch { OBJECT } else { LIST };
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
        let client = inner.clone();
        async move { client.send(request).await }
    });
    Client::new(service, client.default_namespace())
}

fn enqueue_users(engine: &Engine, namespace: &str, name: String) {
    let target = Target::Secret;
    let secret = Reference { target, name };
    engine.queues.enqueue_referrers(namespace, &secret);
}
