//! What all reconciles share.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use kube::Client;
use kube::runtime::events::Reporter;

use super::error::{Error, Result};
use super::events::Recorders;
use super::key::Key;
use super::lookup::Resources;
use super::queue::Queues;
use super::sandbox::{AnyCollection, Sessions};
use super::secrets::{SecretData, Secrets};
use super::settings::Settings;
use crate::adobe::Pool;
use crate::api::{ALLOW_IN_CONNECTIONS, Kind, Reference, Target};

/// Makes the empty collection of a kind; lists lag behind writes for so long.
pub type NewCollection = fn(Duration) -> Arc<dyn AnyCollection>;

/// The engine's shared state: caches and queues, open sandboxes, Secrets.
pub struct Engine {
    /// What the operator was started with.
    pub settings: Settings,
    /// Open sandboxes.
    pub sessions: Sessions,
    /// The handles on Adobe, which share connections, tokens and limits.
    pub adobe: Pool,
    /// The caches and queues of all kinds.
    pub queues: Queues,
    pub(super) client: Client,
    pub(super) secrets: Secrets,
    pub(super) recorders: Recorders,
    pub(super) collections: Vec<NewCollection>,
    started: Instant,
}

impl Engine {
    /// An engine that drives no kind yet.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        let reporter = Reporter {
            controller: "aep-operator.io/aep-operator".into(),
            instance: Some(settings.instance.clone()),
        };
        Self {
            recorders: Recorders::new(client.clone(), reporter, settings.metrics.clone()),
            client,
            queues: Queues::new(settings.metrics.clone()),
            settings,
            sessions: Sessions::default(),
            adobe: Pool::new(),
            secrets: Secrets::default(),
            collections: Vec::new(),
            started: Instant::now(),
        }
    }

    /// Publishes the events of all reconciles. Never ends.
    pub async fn publish_events(&self) {
        self.recorders.run().await;
    }

    /// Publishes the events that are left, for so long at most.
    pub async fn flush_events(&self, patience: Duration) {
        // What is not published by then is not worth holding up the end of the process.
        let _ = tokio::time::timeout(patience, self.recorders.flush()).await;
    }

    /// The empty collections of a sandbox.
    #[must_use]
    pub fn collections(&self) -> Vec<Arc<dyn AnyCollection>> {
        let lag = self.settings.list_lag;
        self.collections.iter().map(|new| new(lag)).collect()
    }

    /// From when on nothing that an earlier process sent to Adobe can still take effect.
    pub(super) fn earlier_requests_done_at(&self) -> Instant {
        self.started + self.settings.request_timeout
    }
}

impl Resources for Engine {
    fn get(&self, key: &Key) -> Option<Arc<dyn Any + Send + Sync>> {
        self.queues.get(key)
    }

    fn is_unreadable(&self, key: &Key) -> bool {
        self.queues.registry.fault(key).is_some()
    }

    fn secret<'s>(
        &'s self,
        namespace: &'s str,
        name: &'s str,
    ) -> BoxFuture<'s, Result<Arc<SecretData>>> {
        Box::pin(self.secrets.read(&self.client, namespace, name))
    }

    /// A base connection may send a Secret anywhere: its author chooses the host.
    fn check_secret(&self, namespace: &str, name: &str) -> Result<()> {
        let secret = Reference::new(Target::Secret, name);
        let users = self.queues.registry.referrers(namespace, &secret);
        if let Some(sandbox) = users.into_iter().find(|it| it.kind == Kind::Sandbox) {
            return Err(Error::Invalid(format!(
                "Secret `{name}` holds the credentials of {sandbox}, which are for Adobe alone: name another Secret in \
                 `spec.auth.secretParams`, with nothing in it but what the source system needs"
            )));
        }
        let is_barred = self.settings.require_secret_label
            && self.secrets.is_allowed(namespace, name) == Some(false);
        if is_barred {
            return Err(Error::Invalid(format!(
                "Secret `{name}` lacks the label `{ALLOW_IN_CONNECTIONS}: \"true\"`, without which no connection may use \
                 it here: add the label, or name another Secret in `spec.auth.secretParams`"
            )));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
