//! What the engine counts, under the names that dashboards of other operators know where there are such.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::graph::Key;
use super::labels::{
    Answers, Asked, Calls, Controller, Passes, Place, Queue, Resource, controller, place, queue,
    resource,
};
use super::now::Now;
use super::run_figures::RunGauges;
use super::running::Running;
use super::shelf::AnyShelf;
use crate::adobe::{Attempt, Meter};
use crate::api::Kind;

/// All figures. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics(pub(super) Arc<Figures>);

/// See [`Metrics`].
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) passes: Family<Passes, Counter>,
    pub(super) errors: Family<Controller, Counter>,
    pub(super) terminal: Family<Controller, Counter>,
    pub(super) times: Histograms<Controller>,
    pub(super) active: Family<Controller, Gauge>,
    most: Family<Controller, Gauge>,
    waiting: Family<Queue, Gauge>,
    adds: Family<Queue, Counter>,
    pub(super) retries: Family<Queue, Counter>,
    waits: Histograms<Queue>,
    pub(super) work: Histograms<Queue>,
    synced: Family<Resource, Gauge>,
    sweeps: Family<Resource, Gauge>,
    orphans: Family<Place, Gauge>,
    runs: RunGauges,
    requests: Family<Answers, Counter>,
    durations: Histograms<Calls>,
    throttled: Family<Asked, Counter>,
    tokens: Family<Place, Gauge>,
    pub(super) running: Mutex<BTreeMap<u64, (Kind, Instant)>>,
    /// Since when a pass was asked for that has not begun.
    queued: Mutex<HashMap<Key, Instant>>,
    numbers: AtomicU64,
    shelves: Mutex<Vec<Arc<dyn AnyShelf>>>,
}

pub(super) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// From 5 ms to 80 s.
fn passes() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 15))
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            passes: Family::default(),
            errors: Family::default(),
            terminal: Family::default(),
            times: Family::new_with_constructor(passes),
            active: Family::default(),
            most: Family::default(),
            waiting: Family::default(),
            adds: Family::default(),
            retries: Family::default(),
            waits: Family::new_with_constructor(passes),
            work: Family::new_with_constructor(passes),
            synced: Family::default(),
            sweeps: Family::default(),
            orphans: Family::default(),
            runs: RunGauges::default(),
            requests: Family::default(),
            // From 10 ms to 40 s.
            durations: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.01, 2.0, 13))
            }),
            throttled: Family::default(),
            tokens: Family::default(),
            running: Mutex::default(),
            queued: Mutex::default(),
            numbers: AtomicU64::default(),
            shelves: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Makes the figures known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        self.register_passes(registry);
        self.register_queues(registry);
        self.register_adobe(registry);
        self.0.runs.register(registry);
        registry.register_collector(Box::new(Now(self.clone())));
    }

    fn register_passes(&self, registry: &mut Registry) {
        let figures = &self.0;
        registry.register(
            "controller_runtime_reconcile",
            "Passes over custom resources, by kind and by what follows",
            figures.passes.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Passes that met trouble and are repeated later and later",
            figures.errors.clone(),
        );
        registry.register(
            "controller_runtime_terminal_reconcile_errors",
            "Passes that ended with something only a person can change",
            figures.terminal.clone(),
        );
        registry.register_with_unit(
            "controller_runtime_reconcile_time",
            "How long passes take",
            Unit::Seconds,
            figures.times.clone(),
        );
        registry.register(
            "controller_runtime_active_workers",
            "Passes under way",
            figures.active.clone(),
        );
        registry.register(
            "controller_runtime_max_concurrent_reconciles",
            "Passes that may be under way in one sandbox",
            figures.most.clone(),
        );
    }

    fn register_queues(&self, registry: &mut Registry) {
        let figures = &self.0;
        registry.register(
            "workqueue_depth",
            "Custom resources that wait for their turn in their sandbox",
            figures.waiting.clone(),
        );
        registry.register(
            "workqueue_adds",
            "How often a pass was asked for",
            figures.adds.clone(),
        );
        registry.register(
            "workqueue_retries",
            "How often a pass was asked for since one met trouble",
            figures.retries.clone(),
        );
        registry.register_with_unit(
            "workqueue_queue_duration",
            "How long passes that were asked for have waited for their begin",
            Unit::Seconds,
            figures.waits.clone(),
        );
        registry.register_with_unit(
            "workqueue_work_duration",
            "How long passes take",
            Unit::Seconds,
            figures.work.clone(),
        );
    }

    fn register_adobe(&self, registry: &mut Registry) {
        let figures = &self.0;
        registry.register_with_unit(
            "aep_resource_last_sync_timestamp",
            "When a custom resource was last found to be what its spec says, or made so",
            Unit::Seconds,
            figures.synced.clone(),
        );
        registry.register_with_unit(
            "aep_sweep_last_success_timestamp",
            "When all of a kind at Adobe was last seen, by Sandbox",
            Unit::Seconds,
            figures.sweeps.clone(),
        );
        registry.register(
            "aep_sandbox_orphans",
            "Objects at Adobe that bear the Sandbox's mark although no custom resource stands for them",
            figures.orphans.clone(),
        );
        registry.register(
            "aep_api_requests",
            "Requests to Adobe, by HTTP status, or `none` where no answer came",
            figures.requests.clone(),
        );
        registry.register_with_unit(
            "aep_api_request_duration",
            "Time from sending a request to Adobe to the end of its answer",
            Unit::Seconds,
            figures.durations.clone(),
        );
        registry.register(
            "aep_api_rate_limited",
            "Requests that Adobe answered with 429",
            figures.throttled.clone(),
        );
        registry.register_with_unit(
            "aep_token_expiry_timestamp",
            "When the access token in use ends, by Sandbox",
            Unit::Seconds,
            figures.tokens.clone(),
        );
    }

    /// What is told about runs.
    #[must_use]
    pub fn runs(&self) -> &RunGauges {
        &self.0.runs
    }

    /// Makes a kind known whose custom resources are to be told about.
    pub(super) fn opened(&self, kind: Kind, most: u16, objects: Arc<dyn AnyShelf>) {
        let figures = &self.0;
        figures
            .most
            .get_or_create(&controller(kind))
            .set(most.into());
        figures.waiting.get_or_create(&queue(kind)).set(0);
        lock(&figures.shelves).push(objects);
    }

    /// A pass was asked for.
    pub(super) fn asked(&self, key: &Key) {
        self.0.adds.get_or_create(&queue(key.kind)).inc();
        let mut queued = lock(&self.0.queued);
        queued.entry(key.clone()).or_insert_with(Instant::now);
    }

    /// A pass has found Adobe as the spec says, or made it so.
    pub(super) fn synced(&self, key: &Key) {
        let synced = self.0.synced.get_or_create(&of(key));
        synced.set(seconds(SystemTime::now()));
    }

    /// A pass waits for its turn, or no longer does.
    pub(super) fn waiting(&self, kind: Kind, change: i64) {
        self.0.waiting.get_or_create(&queue(kind)).inc_by(change);
    }

    /// A pass begins; it ends when what is given back is told how it went, or is dropped.
    pub(super) fn begin(&self, key: &Key) -> Running {
        let (figures, kind) = (&self.0, key.kind);
        if let Some(since) = lock(&figures.queued).remove(key) {
            let waits = figures.waits.get_or_create(&queue(kind));
            waits.observe(since.elapsed().as_secs_f64());
        }
        figures.active.get_or_create(&controller(kind)).inc();
        let number = figures.numbers.fetch_add(1, Ordering::Relaxed);
        lock(&figures.running).insert(number, (kind, Instant::now()));
        let metrics = self.clone();
        Running {
            metrics,
            kind,
            number,
        }
    }

    /// Everything of a kind was seen.
    pub(super) fn swept(&self, kind: Kind, namespace: &str, sandbox: &str) {
        let labels = resource(kind, namespace, sandbox);
        self.0
            .sweeps
            .get_or_create(&labels)
            .set(seconds(SystemTime::now()));
    }

    /// Notes how many orphans a Sandbox has.
    pub fn orphans(&self, namespace: &str, name: &str, count: i64) {
        let place = place(namespace, name);
        self.0.orphans.get_or_create(&place).set(count);
    }

    /// Forgets a custom resource that is gone.
    pub(super) fn gone(&self, key: &Key) {
        lock(&self.0.queued).remove(key);
        self.0.synced.remove(&of(key));
        match key.kind {
            Kind::Sandbox => self.closed(&key.namespace, &key.name),
            Kind::Dataflow => self.0.runs.forget(&key.namespace, &key.name),
            _ => {}
        }
    }

    /// Forgets a Sandbox that is gone.
    pub(super) fn closed(&self, namespace: &str, name: &str) {
        let place = place(namespace, name);
        self.0.orphans.remove(&place);
        self.0.tokens.remove(&place);
        for kind in Kind::ALL {
            self.0.sweeps.remove(&resource(kind, namespace, name));
        }
    }

    /// Keeps the figures about the requests of one Sandbox.
    #[must_use]
    pub fn of(&self, namespace: &str, name: &str) -> impl Meter + use<> {
        let (metrics, place) = (self.clone(), place(namespace, name));
        SandboxMeter { metrics, place }
    }

    /// How long passes of each kind have been under way: the oldest one, and all of them together.
    pub(super) fn under_way(&self) -> BTreeMap<Kind, (f64, f64)> {
        let running = lock(&self.0.running);
        let mut times: BTreeMap<Kind, (f64, f64)> = Kind::ALL.map(|kind| (kind, (0.0, 0.0))).into();
        for (kind, since) in running.values() {
            let (oldest, all) = times.entry(*kind).or_default();
            let time = since.elapsed().as_secs_f64();
            *oldest = oldest.max(time);
            *all += time;
        }
        times
    }

    pub(super) fn shelves(&self) -> Vec<Arc<dyn AnyShelf>> {
        lock(&self.0.shelves).clone()
    }
}

/// Keeps the figures about the requests of one Sandbox.
struct SandboxMeter {
    metrics: Metrics,
    place: Place,
}

impl Meter for SandboxMeter {
    fn observe(&self, attempt: &Attempt) {
        let figures = &self.metrics.0;
        let (service, method) = (attempt.service.label(), attempt.method);
        let code = attempt.status.map(|status| status.to_string());
        let code = code.unwrap_or_else(|| "none".into());
        if attempt.status == Some(429) {
            figures.throttled.get_or_create(&Asked { service }).inc();
        }
        let answers = Answers {
            service,
            method,
            code,
        };
        figures.requests.get_or_create(&answers).inc();
        let calls = Calls { service, method };
        let durations = figures.durations.get_or_create(&calls);
        durations.observe(attempt.elapsed.as_secs_f64());
    }

    fn renewed(&self, ends_at: SystemTime) {
        let tokens = &self.metrics.0.tokens;
        tokens.get_or_create(&self.place).set(seconds(ends_at));
    }
}

fn of(key: &Key) -> Resource {
    resource(key.kind, &key.namespace, &key.name)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
