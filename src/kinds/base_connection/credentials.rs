//! How Adobe authenticates at a source system.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::adobe::{Auth, SpecRef};
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
    /// Fingerprint of the secrets; empty if there are none.
    pub(super) fingerprint: String,
    /// Fingerprint of the secrets that were sent last, as far as the status shows.
    pub(super) given: String,
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
        let fingerprint = adobe.settings().credentials.fingerprint(parts);
        let status = connection.status.as_ref();
        let given = status.and_then(|it| it.credentials_fingerprint.clone());
        Ok(Self {
            spec_name: auth.spec_name.clone(),
            params,
            fingerprint: if secrets.is_empty() {
                String::new()
            } else {
                fingerprint
            },
            given: given.unwrap_or_default(),
            secrets,
        })
    }

    /// All parameters, secrets in clear: only to be sent.
    pub(super) fn exposed(&self) -> Map<String, Value> {
        let secrets = self.secrets.iter();
        let secrets = secrets.map(|(name, value)| (name.clone(), value.expose_secret().into()));
        self.params.clone().into_iter().chain(secrets).collect()
    }

    fn names(&self, param: &str) -> bool {
        self.params.contains_key(param) || self.secrets.iter().any(|(name, _)| name == param)
    }

    /// What is written in the place of all parameters: those of the spec, and what else can be read at Adobe. Without the
    /// `secret` ones, of which a read shows something else.
    pub(super) fn over(&self, held: &Auth, secret: &[String]) -> Map<String, Value> {
        let others = self.others(held).filter(|(name, _)| !secret.contains(name));
        let others = others.map(|(name, value)| (name.clone(), value.clone()));
        others.chain(self.exposed()).collect()
    }

    /// What can be read at Adobe and is not in the spec.
    pub(super) fn others<'s>(
        &'s self,
        held: &'s Auth,
    ) -> impl Iterator<Item = (&'s String, &'s Value)> {
        let params = held.params.iter();
        params.filter(move |(name, value)| !self.names(name) && !is_mask(value))
    }

    /// Secrets that Adobe has and that were never ours: a write would take them away.
    pub(super) fn lost<'h>(&self, held: &'h Auth) -> Option<&'h str> {
        let params = held.params.iter();
        let mut unknown = params.filter(|(name, value)| is_mask(value) && !self.names(name));
        let (name, _) = unknown.next()?;
        self.given.is_empty().then_some(name.as_str())
    }

    /// The parameters that differ from what Adobe has, as far as reads show it.
    pub(super) fn differing<'s>(&'s self, held: &'s Auth) -> impl Iterator<Item = &'s str> {
        let differs = move |(name, wanted): &(&String, &Value)| {
            let held = held.params.get(*name).unwrap_or(&Value::Null);
            // Adobe also masks secrets that the user wrote among the others.
            !is_mask(held) && !compare::covers(wanted, held)
        };
        let differing = self.params.iter().filter(differs);
        differing.map(|(name, _)| name.as_str())
    }
}

/// The parameters that are secret as the connection spec declares them, read once per sandbox.
pub(super) async fn secret_params(
    session: &Session,
    spec: &SpecRef,
    spec_name: &str,
) -> Result<Vec<String>> {
    let read = || async {
        let adobe = session.adobe();
        let found = adobe.flow_service().connection_spec(&spec.id).await?;
        let ways = found.map(|it| it.auth_spec).unwrap_or_default();
        let way = ways.into_iter().find(|it| it.name == spec_name);
        let params = way
            .as_ref()
            .and_then(|it| it.spec["properties"].as_object());
        let secret = params.into_iter().flatten();
        let secret = secret.filter(|(_, it)| it["format"] == "password");
        let names: Vec<_> = secret.map(|(name, _)| name.as_str()).collect();
        Ok(names.join("\n"))
    };
    let key = format!("secretParams:{}:{spec_name}", spec.id);
    let names = session.fact(key, read).await?;
    Ok(names.lines().map(ToOwned::to_owned).collect())
}

/// Whether a read shows a mask, in whole or in part, instead of the value.
fn is_mask(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let all = !text.is_empty() && text.chars().all(|it| it == '*');
    all || text.contains("***") || text.contains("•••")
}
