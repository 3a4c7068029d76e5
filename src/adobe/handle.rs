//! The handle on one sandbox, from which every call starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;

use super::auth::TokenCache;
use super::gate::Gate;
use super::transport::Transport;
use super::{Meter, Permission, RetryPolicy, Settings};

/// How long a connection may take to open. Shorter than an attempt, so that an address that does not answer counts as
/// unreachable, and not as a request that may have been sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept. Shorter than the gateway's own timeout: when a request meets a connection that is
/// just being closed, it is unknown whether it was carried out.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A handle on one sandbox of one organisation.
///
/// Cheap to clone. All clones share the access token, the rate limit, the bound on concurrent requests and the pause
/// that Adobe asks for when it throttles.
#[derive(Clone)]
pub struct Adobe {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Transport,
}

/// What all clones of a handle have in common.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) policy: RetryPolicy,
    pub(super) tokens: TokenCache,
    pub(super) gate: Gate,
}

impl Adobe {
    /// A handle; its first call fetches the token.
    #[must_use]
    pub fn new(http: reqwest::Client, settings: Settings) -> Self {
        Self::with_policy(http, settings, RetryPolicy::default())
    }

    pub(super) fn with_policy(
        http: reqwest::Client,
        settings: Settings,
        policy: RetryPolicy,
    ) -> Self {
        let gate = Gate::new(settings.limits, policy);
        let tokens = TokenCache::default();
        let shared = Shared {
            settings,
            policy,
            tokens,
            gate,
        };
        let transport = Transport {
            http,
            meter: None,
            permission: Permission::default(),
        };
        Self {
            shared: Arc::new(shared),
            transport,
        }
    }

    /// An HTTP client fit for Adobe, to be shared by all handles of the process: pooled connections, TLS by rustls, and
    /// no redirects, since following one could carry credentials to another host. It trusts the system's certificate authorities
    /// (`SSL_CERT_FILE` names others) and Mozilla's.
    ///
    /// # Panics
    ///
    /// When the TLS back end cannot be set up.
    #[must_use]
    pub fn http_client() -> reqwest::Client {
        reqwest::Client::builder()
            .user_agent(concat!("aep-operator/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_merge(mozilla_roots())
            .build()
            .expect("the TLS back end is usable")
    }

    /// What the handle was made from.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The same handle, reporting every finished attempt of this clone and of its clones to `meter`.
    #[must_use]
    pub fn meter(mut self, meter: Arc<dyn Meter>) -> Self {
        self.transport.meter = Some(meter);
        self
    }

    /// The same handle, sending nothing through this clone and its clones unless `permission` is given.
    #[must_use]
    pub fn permission(mut self, permission: Permission) -> Self {
        self.transport.permission = permission;
        self
    }
}

impl fmt::Debug for Adobe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adobe")
            .field("settings", self.settings())
            .finish_non_exhaustive()
    }
}

/// The certificate authorities that browsers trust, so that an image that holds only the binary can verify Adobe.
fn mozilla_roots() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|it| Certificate::from_der(it).ok())
}
