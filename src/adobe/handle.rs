//! The handle on one sandbox, from which every call starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;

use super::auth::TokenCache;
use super::send::{Gate, Patience};
use super::{
    Catalog, DataPrep, FlowService, Meter, Permission, Sandboxes, SchemaRegistry, Settings,
};

/// How long a connection may take to open. Shorter than an attempt, so that an address nobody answers is known to be
/// out of reach instead of leaving in doubt whether the request was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept. Shorter than the gateway's own patience, since a request on a connection that is
/// just being closed leaves in doubt whether it was carried out.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A handle on one sandbox of one organisation.
///
/// Cheap to clone. All clones share the access token, the rate limit, the bound on concurrent requests and the pause
/// that Adobe asks for when it is asked too much.
#[derive(Clone)]
pub struct Adobe {
    pub(super) shared: Arc<Shared>,
    pub(super) meter: Option<Arc<dyn Meter>>,
    pub(super) permission: Permission,
}

/// What all clones of a handle have in common.
pub(super) struct Shared {
    pub(super) http: reqwest::Client,
    pub(super) settings: Settings,
    pub(super) patience: Patience,
    pub(super) tokens: TokenCache,
    pub(super) gate: Gate,
}

impl Adobe {
    /// A handle that has asked nothing yet: the first call fetches the token.
    #[must_use]
    pub fn new(http: reqwest::Client, settings: Settings) -> Self {
        Self::with_patience(http, settings, Patience::default())
    }

    pub(super) fn with_patience(
        http: reqwest::Client,
        settings: Settings,
        patience: Patience,
    ) -> Self {
        let gate = Gate::new(settings.limits, patience);
        let tokens = TokenCache::default();
        let shared = Shared {
            http,
            settings,
            patience,
            tokens,
            gate,
        };
        Self {
            shared: Arc::new(shared),
            meter: None,
            permission: Permission::default(),
        }
    }

    /// An HTTP client fit for Adobe, to be shared by all handles of the process: pooled connections, TLS by rustls, and
    /// no redirects, since following one could carry credentials to another host. It trusts the authorities of the system
    /// (`SSL_CERT_FILE` names others) and Mozilla's.
    ///
    /// # Panics
    ///
    /// When the TLS back end cannot be set up, which is a fault of the installation.
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
        self.meter = Some(meter);
        self
    }

    /// The same handle, sending nothing through this clone and its clones unless `permission` is given.
    #[must_use]
    pub fn permission(mut self, permission: Permission) -> Self {
        self.permission = permission;
        self
    }

    /// Schemas, classes, field groups and descriptors.
    #[must_use]
    pub fn schema_registry(&self) -> SchemaRegistry<'_> {
        SchemaRegistry { adobe: self }
    }

    /// Data sets.
    #[must_use]
    pub fn catalog(&self) -> Catalog<'_> {
        Catalog { adobe: self }
    }

    /// Mapping sets.
    #[must_use]
    pub fn data_prep(&self) -> DataPrep<'_> {
        DataPrep { adobe: self }
    }

    /// Connections, source and target connections, and flows.
    #[must_use]
    pub fn flow_service(&self) -> FlowService<'_> {
        FlowService { adobe: self }
    }

    /// The organisation's sandboxes.
    #[must_use]
    pub fn sandboxes(&self) -> Sandboxes<'_> {
        Sandboxes { adobe: self }
    }
}

impl fmt::Debug for Adobe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adobe")
            .field("settings", self.settings())
            .finish_non_exhaustive()
    }
}

/// The authorities that browsers trust, so that an image without a single file beside the binary knows Adobe.
fn mozilla_roots() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|it| Certificate::from_der(it).ok())
}
