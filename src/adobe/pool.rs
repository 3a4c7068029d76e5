//! What the handles of a process share: connections, the account of the same credentials, the gate of the same sandbox.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reqwest::Certificate;

use super::account::Account;
use super::gate::{Gate, Share};
use super::handle::Shared;
use super::transport::Transport;
use super::{Adobe, Credentials, Permission, RetryPolicy, Settings};

/// How long a connection may take to open. Shorter than an attempt, so that an address that does not answer counts as
/// unreachable, and not as a request that may have been sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept. Shorter than the gateway's own timeout: when a request meets a connection that is
/// just being closed, it is unknown whether it was carried out.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The handles of a process.
///
/// Handles with the same credentials use one access token. Handles on the same sandbox, with the same client id, keep to one
/// rate limit, one bound on concurrent requests and one pause, since Adobe counts their requests together; where their
/// limits differ, the strictest apply. What is shared goes with the last handle that uses it.
pub struct Pool {
    http: reqwest::Client,
    policy: RetryPolicy,
    accounts: InUse<AccountKey, Account>,
    gates: InUse<GateKey, Gate>,
}

/// A digest: the secret itself is no part of a key.
type AccountKey = String;

/// Endpoint, organisation, client id, sandbox.
type GateKey = [String; 4];

impl Pool {
    /// An empty pool.
    ///
    /// # Panics
    ///
    /// When the TLS back end cannot be set up.
    #[must_use]
    pub fn new() -> Self {
        Self::with_policy(RetryPolicy::default())
    }

    pub(super) fn with_policy(policy: RetryPolicy) -> Self {
        Self {
            http: http_client(),
            policy,
            accounts: InUse::default(),
            gates: InUse::default(),
        }
    }

    /// A handle; the first call of an account fetches its token.
    #[must_use]
    pub fn open(&self, settings: Settings) -> Adobe {
        let account = self.accounts.get(account_key(&settings), Account::default);
        let gate = self
            .gates
            .get(gate_key(&settings), || Gate::new(self.policy));
        let shared = Shared {
            gate: Share::new(gate, settings.limits),
            settings,
            policy: self.policy,
            account,
        };
        let adobe = Adobe {
            shared: Arc::new(shared),
            transport: Transport {
                http: self.http.clone(),
                meter: None,
                permission: Permission::default(),
                redactor: Arc::default(),
            },
        };
        adobe.redact_with(Arc::default())
    }

    /// How many accounts and gates are in use.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> (usize, usize) {
        (self.accounts.count(), self.gates.count())
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

fn account_key(settings: &Settings) -> AccountKey {
    let credentials = &settings.credentials;
    let kind = match credentials {
        Credentials::OAuth { .. } => "oauth",
        Credentials::Token { .. } => "token",
    };
    let ims = settings.endpoints.ims.trim_end_matches('/');
    let scopes = credentials.scopes().iter().map(String::as_str);
    let parts = [kind, ims, &settings.ims_org_id, credentials.client_id()];
    // Keyed with the secret, so another secret is another account.
    credentials.fingerprint(parts.into_iter().chain(scopes))
}

fn gate_key(settings: &Settings) -> GateKey {
    let platform = settings.endpoints.platform.trim_end_matches('/');
    [
        platform,
        &settings.ims_org_id,
        settings.credentials.client_id(),
        &settings.sandbox_name,
    ]
    .map(ToOwned::to_owned)
}

/// Values that are shared by all who use them at the same time.
struct InUse<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K: Eq + Hash, V> InUse<K, V> {
    /// The value of this key, if it is in use, or else a new one.
    fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| it.strong_count() > 0);
        if let Some(found) = all.get(&key).and_then(Weak::upgrade) {
            return found;
        }
        let value = Arc::new(make());
        all.insert(key, Arc::downgrade(&value));
        value
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().filter(|it| it.strong_count() > 0).count()
    }
}

impl<K, V> Default for InUse<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Pooled connections, TLS by rustls, and no redirects, since following one could carry credentials to another host. It
/// trusts the system's certificate authorities (`SSL_CERT_FILE` names others) and Mozilla's.
fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .user_agent(concat!("aep-operator/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_merge(mozilla_roots())
        .build()
        .expect("the TLS back end is usable")
}

/// The certificate authorities that browsers trust, so that an image that holds only the binary can verify Adobe.
fn mozilla_roots() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|it| Certificate::from_der(it).ok())
}
