//! The metric families, and their registration.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::exported::Exported;
use super::labels::{
    Answers, Asked, Calls, Controller, Object, Queue, Reconciles, Resource, Watched,
};
use crate::api::Kind;

/// Everything that is counted or measured as it happens.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) reconciles: Family<Reconciles, Counter>,
    pub(super) errors: Family<Controller, Counter>,
    pub(super) terminal: Family<Controller, Counter>,
    pub(super) times: Histograms<Controller>,
    pub(super) active: Family<Controller, Gauge>,
    pub(super) most: Family<Controller, Gauge>,
    pub(super) waiting: Family<Queue, Gauge>,
    pub(super) adds: Family<Queue, Counter>,
    pub(super) retries: Family<Queue, Counter>,
    pub(super) waits: Histograms<Queue>,
    pub(super) work: Histograms<Queue>,
    pub(super) synced: Family<Resource, Gauge>,
    pub(super) unreadable: Family<Resource, Gauge>,
    pub(super) lists: Family<Resource, Gauge>,
    pub(super) objects: Family<Resource, Gauge>,
    pub(super) orphans: Family<Object, Gauge>,
    pub(super) requests: Family<Answers, Counter>,
    pub(super) durations: Histograms<Calls>,
    pub(super) throttled: Family<Asked, Counter>,
    pub(super) tokens: Family<Object, Gauge>,
    pub(super) watch_errors: Family<Watched, Counter>,
    pub(super) dropped_events: Counter,
    pub(super) running: Mutex<BTreeMap<u64, (Kind, Instant)>>,
    pub(super) numbers: AtomicU64,
    pub(super) stores: Mutex<Vec<Arc<dyn Exported>>>,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// From 5 ms to 80 s.
fn reconcile_times() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 15))
}

impl Default for Families {
    fn default() -> Self {
        Self {
            reconciles: Family::default(),
            errors: Family::default(),
            terminal: Family::default(),
            times: Family::new_with_constructor(reconcile_times),
            active: Family::default(),
            most: Family::default(),
            waiting: Family::default(),
            adds: Family::default(),
            retries: Family::default(),
            waits: Family::new_with_constructor(reconcile_times),
            work: Family::new_with_constructor(reconcile_times),
            synced: Family::default(),
            unreadable: Family::default(),
            lists: Family::default(),
            objects: Family::default(),
            orphans: Family::default(),
            requests: Family::default(),
            // From 10 ms to 40 s.
            durations: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.01, 2.0, 13))
            }),
            throttled: Family::default(),
            tokens: Family::default(),
            watch_errors: Family::default(),
            dropped_events: Counter::default(),
            running: Mutex::default(),
            numbers: AtomicU64::default(),
            stores: Mutex::default(),
        }
    }
}

impl Families {
    /// Registers all families.
    pub(super) fn register(&self, registry: &mut Registry) {
        self.register_reconciles(registry);
        self.register_queues(registry);
        self.register_adobe(registry);
        self.register_kubernetes(registry);
    }

    fn register_reconciles(&self, registry: &mut Registry) {
        registry.register(
            "controller_runtime_reconcile",
            "Reconciles of custom resources, by kind and result",
            self.reconciles.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Reconciles that failed and are retried with backoff",
            self.errors.clone(),
        );
        registry.register(
            "controller_runtime_terminal_reconcile_errors",
            "Reconciles that failed for a reason that only a person can remove",
            self.terminal.clone(),
        );
        registry.register_with_unit(
            "controller_runtime_reconcile_time",
            "How long reconciles take",
            Unit::Seconds,
            self.times.clone(),
        );
        registry.register(
            "controller_runtime_active_workers",
            "Reconciles under way",
            self.active.clone(),
        );
        registry.register(
            "controller_runtime_max_concurrent_reconciles",
            "Reconciles that may be under way in one sandbox",
            self.most.clone(),
        );
    }

    fn register_queues(&self, registry: &mut Registry) {
        registry.register(
            "workqueue_depth",
            "Custom resources that wait for a free worker in their sandbox",
            self.waiting.clone(),
        );
        registry.register(
            "workqueue_adds",
            "How often a custom resource was enqueued",
            self.adds.clone(),
        );
        registry.register(
            "workqueue_retries",
            "How often a reconcile was requeued since one failed",
            self.retries.clone(),
        );
        registry.register_with_unit(
            "workqueue_queue_duration",
            "How long custom resources stay in the queue before a reconcile begins",
            Unit::Seconds,
            self.waits.clone(),
        );
        registry.register_with_unit(
            "workqueue_work_duration",
            "How long reconciles take",
            Unit::Seconds,
            self.work.clone(),
        );
    }

    fn register_adobe(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "aep_resource_last_sync_timestamp",
            "When a custom resource was last in sync with Adobe",
            Unit::Seconds,
            self.synced.clone(),
        );
        registry.register(
            "aep_resource_unreadable",
            "1 for a custom resource of which not everything can be read",
            self.unreadable.clone(),
        );
        registry.register(
            "aep_objects_unreadable",
            "Objects in the last list of a kind at Adobe that could not be read, by Sandbox",
            self.objects.clone(),
        );
        registry.register_with_unit(
            "aep_sweep_last_success_timestamp",
            "When all objects of a kind at Adobe were last listed, by Sandbox",
            Unit::Seconds,
            self.lists.clone(),
        );
        registry.register(
            "aep_sandbox_orphans",
            "Objects at Adobe that bear the Sandbox's owner mark and have no custom resource",
            self.orphans.clone(),
        );
        registry.register(
            "aep_api_requests",
            "Requests to Adobe, by HTTP status, or `none` where no answer came",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "aep_api_request_duration",
            "Time from sending a request to Adobe to the end of its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "aep_api_rate_limited",
            "Requests that Adobe answered with 429",
            self.throttled.clone(),
        );
        registry.register_with_unit(
            "aep_token_expiry_timestamp",
            "When the access token in use ends, by Sandbox",
            Unit::Seconds,
            self.tokens.clone(),
        );
    }

    fn register_kubernetes(&self, registry: &mut Registry) {
        registry.register(
            "aep_watch_errors",
            "Lists and watches of the Kubernetes API that failed or were interrupted by an error",
            self.watch_errors.clone(),
        );
        registry.register(
            "aep_events_dropped",
            "Kubernetes events that were not written since too many were waiting",
            self.dropped_events.clone(),
        );
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
