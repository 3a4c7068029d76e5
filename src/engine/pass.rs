//! One pass over one custom resource: what it may ask for, and the writes to Kubernetes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::context::Engine;
use super::error::{Error, Result};
use super::graph::Key;
use super::mark::Mark;
use super::session::Session;
use crate::api::{
    AepResource, CommonStatus, GROUP, Kind, REQUESTED_AT, Reference, Sandbox, SecretKeyRef, Target,
    VERSION,
};

const STATUS_MANAGER: &str = "aep-operator-status";

/// One pass.
#[derive(Debug)]
pub struct Pass<'a, K: AepResource> {
    engine: &'a Engine,
    object: Arc<K>,
    status: K::Status,
    happened: Mutex<Vec<(&'static str, String)>>,
}

impl<'a, K: AepResource> Pass<'a, K> {
    pub(super) fn new(engine: &'a Engine, object: Arc<K>) -> Self {
        let uid = object.uid().unwrap_or_default();
        let newer = engine
            .memory
            .newer_status(&uid, object.meta().resource_version.as_deref());
        let newer = newer.and_then(|status| serde_json::from_value(status).ok());
        let status = newer
            .or_else(|| object.status().cloned())
            .unwrap_or_default();
        Self {
            engine,
            object,
            status,
            happened: Mutex::default(),
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// The custom resource.
    #[must_use]
    pub fn object(&self) -> &Arc<K> {
        &self.object
    }

    /// Its status, our own last write included even where the cache trails behind.
    #[must_use]
    pub fn status(&self) -> &K::Status {
        &self.status
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.object.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.object.name_any()
    }

    pub(super) fn uid(&self) -> String {
        self.object.uid().unwrap_or_default()
    }

    pub(super) fn common(&self) -> &CommonStatus {
        self.status.as_ref()
    }

    /// The Adobe id in status.
    #[must_use]
    pub fn known_id(&self) -> Option<&str> {
        self.common().id.as_deref()
    }

    /// The session of the sandbox that the object names.
    pub fn session(&self) -> Result<Arc<Session>> {
        let name = self.object.management().sandbox_ref.name;
        let session = self.engine.sessions.get(self.namespace(), &name);
        session.ok_or_else(|| {
            let sandbox = self.sandbox();
            let ready = |s: Arc<Sandbox>| {
                let status = s.status.as_ref();
                status.is_some_and(|status| status.common.is_ready(s.meta().generation))
            };
            if sandbox.is_some_and(ready) {
                return Error::Opening;
            }
            waiting(Kind::Sandbox, &name, "it is not ready")
        })
    }

    fn sandbox(&self) -> Option<Arc<Sandbox>> {
        let name = self.object.management().sandbox_ref.name;
        let key = ObjectRef::<Sandbox>::new(&name).within(self.namespace());
        self.engine.store().and_then(|store| store.get(&key))
    }

    /// The mark of this object.
    pub fn mark(&self) -> Result<Mark> {
        let owner = &self.session()?.owner;
        Ok(Mark::new(owner, K::KIND, self.namespace(), &self.name()))
    }

    /// A referenced custom resource, once it is usable.
    ///
    /// An object that exists at Adobe already stays bound to a dependency whose id is known, even while that one is
    /// in trouble: its trouble is told there, once.
    pub fn dependency<D: AepResource>(&self, name: &str) -> Result<Arc<D>> {
        let key = ObjectRef::<D>::new(name).within(self.namespace());
        let found = self.engine.store::<D>().and_then(|store| store.get(&key));
        let found =
            found.ok_or_else(|| waiting(D::KIND, name, "it does not exist in this namespace"))?;
        if found.meta().deletion_timestamp.is_some() && self.known_id().is_none() {
            return Err(waiting(D::KIND, name, "it is being deleted"));
        }
        let status = found.status().map(AsRef::as_ref);
        let has_id = status.is_some_and(|s| s.id.is_some());
        let ready = status.is_some_and(|s| s.is_ready(found.meta().generation));
        if has_id && (ready || self.known_id().is_some()) {
            return Ok(found);
        }
        let why = status
            .and_then(|s| s.condition("Ready"))
            .map(|c| c.reason.clone());
        let why = why.map_or_else(
            || "it is not ready yet".into(),
            |r| format!("it is not ready yet ({r})"),
        );
        Err(waiting(D::KIND, name, &why))
    }

    /// The Adobe id of a referenced custom resource.
    pub fn id_of<D: AepResource>(&self, name: &str) -> Result<String> {
        let found = self.dependency::<D>(name)?;
        let id = found.status().and_then(|s| s.as_ref().id.clone());
        id.ok_or_else(|| waiting(D::KIND, name, "it has no id yet"))
    }

    /// All keys of a Secret of this namespace.
    pub async fn secret(&self, name: &str) -> Result<BTreeMap<String, SecretString>> {
        let api: Api<Secret> = Api::namespaced(self.engine.client.clone(), self.namespace());
        let secret = api.get_opt(name).await?;
        let secret = secret.ok_or_else(|| {
            Error::Secret(format!(
                "Secret `{name}` does not exist: create it in namespace `{}`",
                self.namespace()
            ))
        })?;
        let data = secret.data.unwrap_or_default().into_iter();
        Ok(data
            .filter_map(|(key, value)| {
                Some((key, SecretString::from(String::from_utf8(value.0).ok()?)))
            })
            .collect())
    }

    /// One value of a Secret of this namespace.
    pub async fn secret_value(&self, reference: &SecretKeyRef) -> Result<SecretString> {
        let mut data = self.secret(&reference.name).await?;
        let value = data.remove(&reference.key);
        value.ok_or_else(|| {
            Error::Secret(format!(
                "Secret `{}` has no key `{}`: add it",
                reference.name, reference.key
            ))
        })
    }

    /// Whether nothing may be changed: the object says so, or its Sandbox.
    pub(super) fn suspended(&self) -> bool {
        let whole = self.sandbox().is_some_and(|s| s.management().suspended());
        self.object.management().suspended() || whole
    }

    /// The user's request for a fresh look, cut to what the status can hold.
    pub(super) fn requested(&self) -> Option<String> {
        let requested = self.object.annotations().get(REQUESTED_AT)?;
        Some(requested.chars().take(1024).collect())
    }

    /// Who still uses this object.
    pub(super) fn referrers(&self) -> Vec<Key> {
        let me = Reference {
            target: Target::Kind(K::KIND),
            name: self.name(),
        };
        self.engine.graph().referrers(self.namespace(), &me)
    }

    /// Notes something worth an event, such as a create.
    pub(super) fn note(&self, reason: &'static str, text: String) {
        self.happened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((reason, text));
    }

    /// Writes the status unless it says the same already, and tells what happened as events.
    pub(super) async fn write_status(&self, status: &K::Status, warning: bool) -> Result<()> {
        if status != &self.status {
            let api: Api<K> = Api::namespaced(self.engine.client.clone(), self.namespace());
            let body = json!({
                "apiVersion": format!("{GROUP}/{VERSION}"), "kind": K::KIND.name(),
                "metadata": { "name": self.name(), "uid": self.uid() }, "status": status,
            });
            let params = PatchParams::apply(STATUS_MANAGER).force();
            let written = api
                .patch_status(&self.name(), &params, &Patch::Apply(&body))
                .await?;
            let value = serde_json::to_value(status).unwrap_or(Value::Null);
            self.engine.memory.wrote(
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
            self.note("Warning", format!("{}\n{}", after.reason, after.message));
        }
    }

    /// Publishes what happened. An event that cannot be written is not worth a failed pass.
    async fn publish(&self) {
        let happened =
            std::mem::take(&mut *self.happened.lock().unwrap_or_else(PoisonError::into_inner));
        for (reason, text) in happened {
            let (type_, reason, note) = match text.split_once('\n') {
                Some((cause, message)) if reason == "Warning" => {
                    (EventType::Warning, cause.to_owned(), message.to_owned())
                }
                _ => (EventType::Normal, reason.to_owned(), text),
            };
            let note = note
                .char_indices()
                .take_while(|(at, c)| at + c.len_utf8() <= 1000)
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
                .engine
                .recorder
                .publish(&event, &self.object.object_ref(&()))
                .await
            {
                tracing::debug!(%error, "event not written");
            }
        }
    }
}

fn waiting(kind: Kind, name: &str, why: &str) -> Error {
    let reference = Reference {
        target: Target::Kind(kind),
        name: name.to_owned(),
    };
    let why = why.to_owned();
    Error::Waiting { reference, why }
}
