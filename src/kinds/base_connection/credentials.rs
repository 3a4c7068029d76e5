//! How Adobe authenticates at a source system.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::adobe::Auth;
use crate::api::{self, BaseConnection, OpenObject};
use crate::engine::{Lookup, Result, Session};
use crate::kinds::compare;

/// Parameters for one way to authenticate, secrets included.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) spec_name: String,
    /// Never compared with a secret's name in it: what Adobe shows of a secret is a mask.
    pub(super) params: OpenObject,
    pub(super) secrets: Vec<(String, SecretString)>,
    /// Fingerprint of the secrets.
    pub(super) fingerprint: String,
    /// Fingerprint of the secrets that were sent last, as far as the status shows.
    pub(super) given: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The user may have put a secret among the other parameters.
        f.debug_struct("Credentials")
            .field("spec_name", &self.spec_name)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    pub(super) async fn resolve(
        connection: &BaseConnection,
        auth: &api::Auth,
        lookup: &Lookup<'_>,
        session: &Session,
    ) -> Result<Self> {
        let mut params = compare::open("spec.auth.params", &auth.params)?;
        let mut secrets = Vec::with_capacity(auth.secret_params.len());
        for secret in &auth.secret_params {
            params.remove(&secret.name);
            let reference = &secret.value_from.secret_key_ref;
            secrets.push((secret.name.clone(), lookup.secret_value(reference).await?));
        }
        let adobe = session.adobe();
        let parts = secrets
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.expose_secret()]);
        let status = connection.status.as_ref();
        Ok(Self {
            spec_name: auth.spec_name.clone(),
            params,
            fingerprint: adobe.settings().credentials.fingerprint(parts),
            given: status.and_then(|it| it.credentials_fingerprint.clone()),
            secrets,
        })
    }

    /// All parameters, secrets in clear: only to be sent.
    pub(super) fn exposed(&self) -> Map<String, Value> {
        let secrets = self.secrets.iter();
        let secrets = secrets.map(|(name, value)| (name.clone(), value.expose_secret().into()));
        self.params.clone().into_iter().chain(secrets).collect()
    }
}

/// The parameters that can be compared: Adobe also masks secrets that the user wrote among the others.
pub(super) fn readable(wanted: &OpenObject, held: &Auth) -> OpenObject {
    let is_mask = |text: &str| !text.is_empty() && text.chars().all(|c| c == '*');
    let masked = |name: &String| {
        held.params
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(is_mask)
    };
    let readable = wanted.iter().filter(|(name, _)| !masked(name));
    readable
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
