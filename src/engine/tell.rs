//! What a pass tells Kubernetes: the status, and events.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use kube::api::{Api, Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use serde_json::{Value, json};

use super::error::Result;
use super::pass::Pass;
use crate::api::{AepResource, GROUP, VERSION};

const STATUS_MANAGER: &str = "aep-operator-status";
/// Kubernetes refuses a note of more than 1024 bytes.
const LONGEST_NOTE: usize = 1000;

/// Something worth an event.
#[derive(Debug)]
pub(super) struct Happening {
    type_: EventType,
    reason: String,
    note: String,
}

impl<K: AepResource> Pass<'_, K> {
    /// Notes something worth an event, such as a create.
    pub fn note(&self, reason: &str, note: String) {
        self.happen(EventType::Normal, reason, note);
    }

    /// Notes something that people should know of.
    pub fn warn(&self, reason: &str, note: String) {
        self.happen(EventType::Warning, reason, note);
    }

    fn happen(&self, type_: EventType, reason: &str, note: String) {
        let mut happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = reason.to_owned();
        happened.push(Happening {
            type_,
            reason,
            note,
        });
    }

    /// Writes the status unless it says the same already, and tells what happened as events.
    pub(super) async fn write_status(&self, status: &K::Status, warning: bool) -> Result<()> {
        if status != self.status() {
            let api: Api<K> = Api::namespaced(self.engine().client.clone(), self.namespace());
            let body = json!({
                "apiVersion": format!("{GROUP}/{VERSION}"), "kind": K::KIND.name(),
                "metadata": { "name": self.name(), "uid": self.uid() }, "status": status,
            });
            let params = PatchParams::apply(STATUS_MANAGER).force();
            let written = api
                .patch_status(&self.name(), &params, &Patch::Apply(&body))
                .await?;
            self.written.store(true, Ordering::Relaxed);
            let value = serde_json::to_value(status).unwrap_or(Value::Null);
            self.engine().memory.wrote(
                &self.uid(),
                written.meta().resource_version.as_deref(),
                value,
            );
            self.announce(status, warning);
        }
        self.publish().await;
        Ok(())
    }

    fn announce(&self, status: &K::Status, warning: bool) {
        let (before, after) = (
            self.common().condition("Ready"),
            status.as_ref().condition("Ready"),
        );
        let Some(after) = after else { return };
        let told = before.is_some_and(|b| (b.status, &b.reason) == (after.status, &after.reason));
        if !told {
            tracing::info!(kind = %K::KIND, namespace = self.namespace(), name = self.name(), reason = after.reason, warning, "{}", after.message);
        }
        let same =
            before.is_some_and(|b| (&b.reason, &b.message) == (&after.reason, &after.message));
        if warning && !same {
            self.warn(&after.reason, after.message.clone());
        }
    }

    /// Publishes what happened. An event that cannot be written is not worth a failed pass.
    async fn publish(&self) {
        let happened =
            std::mem::take(&mut *self.happened.lock().unwrap_or_else(PoisonError::into_inner));
        for Happening {
            type_,
            reason,
            note,
        } in happened
        {
            let note = note
                .char_indices()
                .take_while(|(at, c)| at + c.len_utf8() <= LONGEST_NOTE)
                .map(|(_, c)| c)
                .collect();
            let event = Event {
                type_,
                reason,
                note: Some(note),
                action: "Reconcile".into(),
                secondary: None,
            };
            if let Err(error) = self
                .engine()
                .recorder
                .publish(&event, &self.object().object_ref(&()))
                .await
            {
                tracing::debug!(%error, "event not written");
            }
        }
    }
}
