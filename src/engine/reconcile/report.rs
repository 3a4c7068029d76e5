//! What a reconcile reports to Kubernetes: the status, and events.

use kube::api::{Patch, PatchParams};
use kube::core::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use crate::api::condition_types::READY;
use crate::api::{AepResource, GROUP, VERSION};
use crate::engine::error::{Error, Result, is_not_found};
use crate::engine::events::Events;
use crate::engine::status;
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
            status: status::known::<K>(cx.status()),
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
        self.publish(cx);
        Ok(())
    }

    /// Publishes the events.
    pub fn publish(&mut self, cx: &Context<'_, K>) {
        let about = cx.resource().object_ref(&());
        self.events.publish(&cx.engine().recorders, &about);
    }

    async fn write_status(&mut self, cx: &Context<'_, K>) -> Result<()> {
        let (identity, registry) = (cx.identity(), &cx.engine().queues.registry);
        let sent = serde_json::to_value(&self.status).unwrap_or(Value::Null);
        let hash = status::hash::<K>(&self.status);
        registry.writing(identity, hash);
        let version = write(cx, &sent).await?;
        self.writes += 1;
        registry.wrote(identity, version.as_deref(), hash, sent);
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

/// Writes the whole status; returns the version of the resource that then holds it. An apply leaves what other managers have
/// written, such as the conditions of a status that was restored from a backup. That is removed by a second request, and then it
/// is nobody's.
async fn write<K: AepResource>(cx: &Context<'_, K>, status: &Value) -> Result<Option<String>> {
    let params = PatchParams::apply(STATUS_MANAGER);
    let body = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": K::KIND.name(),
        "metadata": { "name": cx.name(), "uid": cx.identity().uid }, "status": status,
    });
    let answer = patch(cx, &params.clone().force(), &Patch::Apply(&body)).await?;
    let version = answer.metadata.resource_version;
    let Some(removal) = status::difference(&answer.status, status) else {
        return Ok(version);
    };
    let body = json!({ "metadata": { "resourceVersion": version }, "status": removal });
    let answer = patch(cx, &params, &Patch::Merge(&body)).await?;
    Ok(answer.metadata.resource_version)
}

async fn patch<K: AepResource>(
    cx: &Context<'_, K>,
    params: &PatchParams,
    patch: &Patch<&Value>,
) -> Result<Answer> {
    let request = Request::new(K::url_path(&(), Some(cx.namespace())));
    let request = request.patch_subresource("status", cx.name(), params, patch);
    let request = request.map_err(kube::Error::BuildRequest)?;
    Ok(cx.engine().client.request(request).await?)
}

/// What is read of the resource as it is after a write: all else may be more than can be read.
#[derive(Deserialize)]
struct Answer {
    metadata: Metadata,
    #[serde(default)]
    status: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: Option<String>,
}
