//! How Adobe authenticates at a source system.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::adobe::{Auth, SpecRef};
use crate::api::{self, BaseConnection, OpenObject};
use crate::engine::{Error, Lookup, Result, Session};
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
        let adobe = session.adobe();
        let mut params = compare::open("spec.auth.params", &auth.params)?;
        let mut secrets = Vec::with_capacity(auth.secret_params.len());
        for secret in &auth.secret_params {
            params.remove(&secret.name);
            let reference = &secret.value_from.secret_key_ref;
            let value = lookup.secret_value(reference).await?;
            let redactor = adobe.redactor();
            redactor.learn(&reference.name, &reference.key, &value);
            secrets.push((secret.name.clone(), value));
        }
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

    /// What is written in the place of all parameters: those of the spec, and what else can be read at Adobe. Without those
    /// that are `declared` secret: of them, a read shows something else than what was written.
    pub(super) fn over(&self, held: &Auth, declared: &[Param]) -> Map<String, Value> {
        let secret = |name: &String| declared.iter().any(|it| it.name == *name && it.secret);
        let others = self.others(held).filter(|(name, _)| !secret(name));
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

    /// A secret that Adobe has and that was never ours, as far as a read shows it: a write would take it away.
    pub(super) fn lost<'h>(&self, held: &'h Auth) -> Option<&'h str> {
        let params = held.params.iter();
        let mut unknown = params.filter(|(name, value)| is_mask(value) && !self.names(name));
        let (name, _) = unknown.next()?;
        self.given.is_empty().then_some(name.as_str())
    }

    /// The same for a secret that must be there, though reads may not show it.
    pub(super) fn surely_lost<'d>(&self, declared: &'d [Param]) -> Option<&'d str> {
        let mut needed = declared.iter().filter(|it| it.secret && it.required);
        let unknown = needed.find(|it| !self.names(&it.name))?;
        self.given.is_empty().then_some(unknown.name.as_str())
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

/// Why nothing is written that would take a secret away.
pub(super) fn would_be_lost(name: &str) -> Error {
    Error::Invalid(format!(
        "Adobe has a secret parameter `{name}`, which `spec.auth` does not name: Adobe replaces all parameters together and \
         shows no secret, so it would be lost. Add it to `spec.auth.secretParams`"
    ))
}

/// A parameter that a connection spec declares for one way to authenticate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) secret: bool,
    pub(super) required: bool,
}

/// The parameters that the connection spec declares, read once per sandbox.
pub(super) async fn declared(
    session: &Session,
    spec: &SpecRef,
    spec_name: &str,
) -> Result<Vec<Param>> {
    let read = || async {
        let adobe = session.adobe();
        let found = adobe.flow_service().connection_spec(&spec.id).await?;
        let ways = found.map(|it| it.auth_spec).unwrap_or_default();
        let way = ways.into_iter().find(|it| it.name == spec_name);
        let way = way.ok_or_else(|| {
            Error::Invalid(format!(
                "the connection spec {} does not describe `{spec_name}`, so nobody knows which parameters would be lost by a \
                 change: name all of them in `spec.auth`",
                spec.id
            ))
        })?;
        let properties = way.spec["properties"].as_object();
        let required = way.spec["required"].as_array();
        let params = properties.into_iter().flatten().map(|(name, it)| Param {
            name: name.clone(),
            secret: it["format"] == "password",
            required: required.is_some_and(|all| all.iter().any(|it| it == name)),
        });
        Ok(json!(params.collect::<Vec<_>>()).to_string())
    };
    let key = format!("authParams:{}:{spec_name}", spec.id);
    let params = session.fact(key, read).await?;
    Ok(serde_json::from_str(&params).unwrap_or_default())
}

/// Whether a read shows a mask, in whole or in part, instead of the value.
fn is_mask(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let all = !text.is_empty() && text.chars().all(|it| it == '*');
    all || text.contains("***") || text.contains("•••")
}
