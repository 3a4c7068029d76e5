//! Secrets: which of them change, and what those hold that somebody here names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::watcher::Event;
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::context::Engine;
use super::error::{Error, Result};
use super::watch::watch;
use crate::api::{Reference, Target};

/// The keys of one Secret, as far as they are text.
pub type Data = BTreeMap<String, SecretString>;

/// Namespace and name.
type Place = (String, String);

/// The Secrets that were read, and the latest version of all. Only what somebody names is ever read.
#[derive(Default)]
pub struct Secrets(Mutex<HashMap<Place, Entry>>);

#[derive(Default)]
struct Entry {
    latest: Option<String>,
    read: Option<(String, Arc<Data>)>,
}

impl Secrets {
    /// Notes the latest version of a Secret; tells whether it is another one than before.
    fn notice(&self, place: &Place, version: Option<String>) -> bool {
        let mut all = self.all();
        let entry = all.entry(place.clone()).or_default();
        let news = entry.latest != version;
        entry.latest = version;
        news
    }

    fn forget(&self, place: &Place) {
        self.all().remove(place);
    }

    /// What was read of the latest version.
    fn current(&self, place: &Place) -> Option<Arc<Data>> {
        let all = self.all();
        let entry = all.get(place)?;
        let (version, data) = entry.read.as_ref()?;
        (entry.latest.as_ref() == Some(version)).then(|| data.clone())
    }

    fn keep(&self, place: Place, version: String, data: Arc<Data>) {
        self.all().entry(place).or_default().read = Some((version, data));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Place, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All keys of a Secret. Read again only after it has changed.
pub async fn read(engine: &Engine, namespace: &str, name: &str) -> Result<Arc<Data>> {
    let place = (namespace.to_owned(), name.to_owned());
    if let Some(data) = engine.secrets.current(&place) {
        return Ok(data);
    }
    let api: Api<Secret> = Api::namespaced(engine.client.clone(), namespace);
    // It may well arrive later, as one that an external store fills does.
    let secret = api.get_opt(name).await?.ok_or_else(|| Error::Waiting {
        reference: Reference::new(Target::Secret, name),
        why: format!("it does not exist, create it in namespace `{namespace}`"),
    })?;
    let version = secret.resource_version().unwrap_or_default();
    let data = secret.data.unwrap_or_default().into_iter();
    let text = data.filter_map(|(key, value)| {
        Some((key, SecretString::from(String::from_utf8(value.0).ok()?)))
    });
    let data = Arc::new(text.collect());
    engine.secrets.keep(place, version, Arc::clone(&data));
    Ok(data)
}

/// Watches which Secrets change, not what they hold, and wakes those who name them; `listed` hears of the first list.
pub async fn secrets(engine: Arc<Engine>, listed: oneshot::Sender<()>) {
    let namespaces = &engine.settings.namespaces;
    let mut seen = watch::<PartialObjectMeta<Secret>>(&engine.client, namespaces);
    let mut listed = Some(listed);
    let mut unlisted: HashSet<usize> = (0..namespaces.len().max(1)).collect();
    while let Some((from, event)) = seen.next().await {
        match event {
            Ok(Event::Apply(secret) | Event::InitApply(secret)) => {
                let place = place_of(&secret);
                // A list after an interruption shows what was known before, too.
                if engine.secrets.notice(&place, secret.resource_version()) {
                    wake_users(&engine, place);
                }
            }
            Ok(Event::Delete(secret)) => {
                let place = place_of(&secret);
                engine.secrets.forget(&place);
                wake_users(&engine, place);
            }
            Ok(Event::InitDone) => {
                unlisted.remove(&from);
                if let Some(listed) = listed.take_if(|_| unlisted.is_empty()) {
                    // Nobody listens any more once the operator is about to end.
                    let _ = listed.send(());
                }
            }
            Ok(Event::Init) => {}
            Err(error) => {
                tracing::warn!(%error, "watch of Secrets interrupted, it will be resumed");
            }
        }
    }
}

fn place_of(secret: &PartialObjectMeta<Secret>) -> Place {
    (secret.namespace().unwrap_or_default(), secret.name_any())
}

fn wake_users(engine: &Engine, (namespace, name): Place) {
    let target = Target::Secret;
    engine.wake_referrers(&namespace, &Reference { target, name });
}
