//! What a reconcile reports to Kubernetes: the status, and events.

use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use super::context::Context;
use crate::api::condition_types::READY;
use crate::api::{AepResource, GROUP, VERSION};
use crate::engine::error::{Error, Result, is_not_found};
use crate::engine::events::Events;
use crate::engine::parse::Stub;
use crate::engine::verdict::Retry;

const STATUS_MANAGER: &str = "aep-operator-status";

/// What is to be reported.
#[derive(Debug)]
pub struct Report<K: AepResource> {
    /// The status as it is to be.
    pub status: K::Status,
    /// What happened.
    pub events: Events,
    /// The status as Kubernetes has it.
    written: K::Status,
    writes: u32,
}

impl<K: AepResource> Report<K> {
    /// Nothing new yet.
    #[must_use]
    pub fn new(cx: &Context<'_, K>) -> Self {
        Self {
            status: cx.status(),
            events: Events::default(),
            written: cx.status(),
            writes: 0,
        }
    }

    /// Whether a status was written in this reconcile.
    #[must_use]
    pub fn has_written(&self) -> bool {
        self.writes > 0
    }

    /// Writes the status unless Kubernetes has it already, and publishes the events; `warning` if they are to tell of a
    /// problem. Returns when to try again if that fails.
    pub async fn write(&mut self, cx: &Context<'_, K>, warning: bool) -> Option<Retry> {
        match self.try_write(cx, warning).await {
            Ok(()) => None,
            // The resource went while we looked at it: nothing is left to report.
            Err(Error::Kubernetes(error)) if is_not_found(&error) => None,
            Err(error) => {
                error.log();
                Some(error.verdict().retry)
            }
        }
    }

    /// The same, but a failure is the caller's.
    pub async fn try_write(&mut self, cx: &Context<'_, K>, warning: bool) -> Result<()> {
        if self.status != self.written {
            self.write_status(cx).await?;
            self.announce(warning);
            self.written = self.status.clone();
        }
        let about = cx.resource().object_ref(&());
        self.events.publish(&cx.engine().recorders, &about).await;
        Ok(())
    }

    async fn write_status(&mut self, cx: &Context<'_, K>) -> Result<()> {
        // What comes back may be more than can be read.
        let api: Api<Stub<K>> = Api::namespaced(cx.engine().client.clone(), cx.namespace());
        let identity = cx.identity();
        let body = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"), "kind": K::KIND.name(),
            "metadata": { "name": cx.name(), "uid": identity.uid }, "status": self.status,
        });
        let params = PatchParams::apply(STATUS_MANAGER).force();
        let patch = Patch::Apply(&body);
        let answer = api.patch_status(cx.name(), &params, &patch).await?;
        self.writes += 1;
        let status = serde_json::to_value(&self.status).unwrap_or(Value::Null);
        let version = answer.resource_version();
        let registry = &cx.engine().queues.registry;
        registry.wrote(identity, version.as_deref(), status);
        Ok(())
    }

    /// Logs a transition of `Ready`; of a problem it also makes an event.
    fn announce(&mut self, warning: bool) {
        let Some(after) = self.status.as_ref().condition(READY) else {
            return;
        };
        let before = self.written.as_ref().condition(READY);
        let logged =
            before.is_some_and(|it| (it.status, &it.reason) == (after.status, &after.reason));
        if !logged {
            tracing::info!(reason = after.reason, warning, "{}", after.message);
        }
        let same =
            before.is_some_and(|it| (&it.reason, &it.message) == (&after.reason, &after.message));
        if warning && !same {
            self.events.warning(&after.reason, after.message.clone());
        }
    }
}
