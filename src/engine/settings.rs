//! What the operator was started with, as far as the engine is concerned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::metrics::Metrics;
use crate::adobe::{Endpoints, Permission};

/// What the operator was started with, as far as the engine is concerned.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespaces to watch; all there are if none is named.
    pub namespaces: Vec<String>,
    /// Endpoints that a `Sandbox` may name, besides Adobe's own.
    pub allowed_endpoints: Vec<String>,
    /// Whether base connections may use only Secrets whose label allows it.
    pub require_secret_label: bool,
    /// Endpoints of a Sandbox that names none.
    pub endpoints: Endpoints,
    /// The limit of concurrent reconciles, per sandbox and kind; there is no limit for the whole process.
    pub workers: u16,
    /// How long Adobe's lists may lag behind a create.
    pub list_lag: Duration,
    /// How long one answer of Adobe is waited for, and how long a create without an answer may still take effect.
    pub request_timeout: Duration,
    /// How often everything at Adobe is listed, for Sandboxes that do not say.
    pub resync: Duration,
    /// How long a Sandbox must have been ready until what lies in it counts as seen before: longer than it takes to rebuild a
    /// cluster.
    pub established: Duration,
    /// How many Sandboxes of one namespace are served.
    pub max_sandboxes: u32,
    /// How many resources may name one Sandbox; while there are more, those without an object get none.
    pub max_resources: u32,
    /// Where metrics are kept.
    pub metrics: Metrics,
    /// Who reports events: the Pod's name.
    pub instance: String,
    /// Reached once the caches are synced: every watch has delivered its first list.
    pub synced: Milestone,
    /// Whether Adobe may be asked, since this replica is the leader.
    pub permission: Permission,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            allowed_endpoints: Vec::new(),
            require_secret_label: false,
            endpoints: Endpoints::default(),
            workers: 32,
            list_lag: Duration::from_secs(15),
            request_timeout: Duration::from_secs(30),
            resync: Duration::from_secs(600),
            established: Duration::from_secs(3600),
            max_sandboxes: 10,
            max_resources: 100_000,
            metrics: Metrics::default(),
            instance: "aep-operator".into(),
            synced: Milestone::default(),
            permission: Permission::default(),
        }
    }
}

/// Something that happens once in the life of the process.
#[derive(Clone, Debug, Default)]
pub struct Milestone(Arc<AtomicBool>);

impl Milestone {
    /// It happens now.
    pub fn reach(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has happened.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
