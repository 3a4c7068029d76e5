//! Secrets: the latest version of all, and the contents of those that a custom resource names.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::GetParams;
use kube::core::Request;
use kube::{Client, Resource as _};
use secrecy::SecretString;
use serde::Deserialize;

use super::error::{Error, Result, is_not_found};
use crate::api::{Reference, Target};

/// The keys of one Secret, as far as they are text.
pub type SecretData = BTreeMap<String, SecretString>;

/// Namespace and name.
type Name = (String, String);

/// What is known of Secrets. Only what a custom resource names is ever read.
#[derive(Default)]
pub struct Secrets(Mutex<HashMap<Name, Entry>>);

#[derive(Default)]
struct Entry {
    latest: Option<String>,
    /// Whether a label allows base connections to use it.
    allowed: bool,
    read: Option<(String, Arc<SecretData>)>,
}

impl Secrets {
    /// Notes the latest version of a Secret, and whether a label allows base connections to use it; returns whether it is
    /// another one than before.
    pub fn observe(
        &self,
        namespace: &str,
        name: &str,
        version: Option<String>,
        allowed: bool,
    ) -> bool {
        let mut all = self.all();
        let entry = all.entry(key(namespace, name)).or_default();
        let is_news = entry.latest != version;
        entry.latest = version;
        entry.allowed = allowed;
        is_news
    }

    /// Whether a label allows base connections to use a Secret; unknown of one that does not exist.
    #[must_use]
    pub fn is_allowed(&self, namespace: &str, name: &str) -> Option<bool> {
        let all = self.all();
        all.get(&key(namespace, name)).map(|it| it.allowed)
    }

    /// Forgets a Secret that is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.all().remove(&key(namespace, name));
    }

    /// Namespace and name of every Secret, in one namespace or in all.
    #[must_use]
    pub fn names(&self, namespace: Option<&str>) -> Vec<Name> {
        let all = self.all();
        let here = |it: &&Name| namespace.is_none_or(|namespace| namespace == it.0);
        all.keys().filter(here).cloned().collect()
    }

    /// All keys of a Secret. It is read again only after it has changed.
    pub async fn read(
        &self,
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Arc<SecretData>> {
        if let Some(data) = self.current(namespace, name) {
            return Ok(data);
        }
        // It may well arrive later, as one that an external store fills does.
        let secret = contents(client, namespace, name).await?;
        let secret = secret.ok_or_else(|| Error::Waiting {
            reference: Reference::new(Target::Secret, name),
            why: format!("it does not exist, create it in namespace `{namespace}`"),
        })?;
        let version = secret.metadata.resource_version;
        let data = secret.data.unwrap_or_default().into_iter();
        let text = data.filter_map(|(key, value)| {
            Some((key, SecretString::from(String::from_utf8(value.0).ok()?)))
        });
        let data = Arc::new(text.collect());
        self.keep(namespace, name, version, Arc::clone(&data));
        Ok(data)
    }

    /// What was read of the latest version.
    fn current(&self, namespace: &str, name: &str) -> Option<Arc<SecretData>> {
        let all = self.all();
        let entry = all.get(&key(namespace, name))?;
        let (version, data) = entry.read.as_ref()?;
        (entry.latest.as_ref() == Some(version)).then(|| data.clone())
    }

    fn keep(&self, namespace: &str, name: &str, version: String, data: Arc<SecretData>) {
        let mut all = self.all();
        all.entry(key(namespace, name)).or_default().read = Some((version, data));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Name, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is read of a Secret: its metadata may hold what cannot be read.
#[derive(Deserialize)]
struct Contents {
    metadata: Metadata,
    data: Option<BTreeMap<String, ByteString>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
}

async fn contents(client: &Client, namespace: &str, name: &str) -> Result<Option<Contents>> {
    let path = Secret::url_path(&(), Some(namespace));
    let request = Request::new(path).get(name, &GetParams::default());
    let request = request.map_err(kube::Error::BuildRequest)?;
    match client.request(request).await {
        Ok(secret) => Ok(Some(secret)),
        Err(error) if is_not_found(&error) => Ok(None),
        // The parser's words may hold a value.
        Err(kube::Error::SerdeError(_)) => Err(Error::Secret(format!(
            "Secret `{name}` cannot be read: create it anew"
        ))),
        Err(error) => Err(error.into()),
    }
}

fn key(namespace: &str, name: &str) -> Name {
    (namespace.to_owned(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_served_from_memory_until_it_changes_or_goes() {
        let secrets = Secrets::default();
        secrets.observe("ns", "s", Some("1".into()), false);
        secrets.keep("ns", "s", "1".into(), Arc::default());
        assert!(secrets.current("ns", "s").is_some());
        assert!(secrets.observe("ns", "s", Some("2".into()), true));
        assert!(secrets.current("ns", "s").is_none());
        assert_eq!(secrets.is_allowed("ns", "s"), Some(true));
        secrets.keep("ns", "s", "2".into(), Arc::default());
        secrets.forget("ns", "s");
        assert!(secrets.current("ns", "s").is_none());
        assert_eq!(secrets.is_allowed("ns", "s"), None);
    }
}
