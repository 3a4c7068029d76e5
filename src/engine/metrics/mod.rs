//! The engine's metrics, under the names that dashboards for controller-runtime know where there are such.

mod collector;
mod exported;
mod families;
mod labels;
mod timer;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

pub use exported::Exported;
pub(super) use timer::{ReconcileResult, ReconcileTimer};

use collector::Collector;
use families::{Families, lock};
use labels::{
    Answers, Asked, Calls, Object, Resource, Watched, controller, object, queue, resource,
};

use super::key::Key;
use crate::adobe::{Attempt, Meter};
use crate::api::Kind;

/// All metrics. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Families>);

impl Metrics {
    /// Registers all metrics.
    pub fn register(&self, registry: &mut Registry) {
        self.0.register(registry);
        registry.register_collector(Box::new(Collector(self.0.clone())));
    }

    /// Adds a kind whose custom resources are exported, with so many workers per sandbox.
    pub(super) fn add_kind(&self, workers: u16, store: Arc<dyn Exported>) {
        let (families, kind) = (&self.0, store.kind());
        let workers = workers.into();
        families.most.get_or_create(&controller(kind)).set(workers);
        families.waiting.get_or_create(&queue(kind)).set(0);
        lock(&families.stores).push(store);
    }

    /// A custom resource was enqueued.
    pub(super) fn enqueued(&self, kind: Kind) {
        self.0.adds.get_or_create(&queue(kind)).inc();
    }

    /// A reconcile has found that Adobe holds what the spec says, or has made it so.
    pub(super) fn synced(&self, key: &Key) {
        let synced = self.0.synced.get_or_create(&of(key));
        synced.set(seconds(SystemTime::now()));
    }

    /// A reconcile waits for a slot, or no longer does.
    pub(super) fn waiting(&self, kind: Kind, change: i64) {
        self.0.waiting.get_or_create(&queue(kind)).inc_by(change);
    }

    /// A reconcile begins after so long in the queue.
    pub(super) fn started(&self, kind: Kind, queued: Option<Duration>) -> ReconcileTimer {
        if let Some(queued) = queued {
            let waits = self.0.waits.get_or_create(&queue(kind));
            waits.observe(queued.as_secs_f64());
        }
        ReconcileTimer::start(self.0.clone(), kind)
    }

    /// A custom resource cannot be read as a whole, or can be again.
    pub(super) fn unreadable(&self, key: &Key, is_unreadable: bool) {
        let unreadable = &self.0.unreadable;
        if is_unreadable {
            unreadable.get_or_create(&of(key)).set(1);
        } else {
            unreadable.remove(&of(key));
        }
    }

    /// Sets how many objects of a kind could not be read in the last list.
    pub(super) fn unreadable_objects(&self, kind: Kind, namespace: &str, name: &str, count: usize) {
        let objects = self
            .0
            .objects
            .get_or_create(&resource(kind, namespace, name));
        objects.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Too many events wait to be published for one more.
    pub(super) fn event_dropped(&self) {
        self.0.dropped_events.inc();
    }

    /// The watch of a kind begins.
    pub(super) fn watches(&self, kind: &str) {
        self.watch_errors(kind);
    }

    /// The watch of a kind failed, and is resumed.
    pub(super) fn watch_failed(&self, kind: &str) {
        self.watch_errors(kind).inc();
    }

    fn watch_errors(&self, kind: &str) -> Counter {
        let kind = kind.to_owned();
        let errors = &self.0.watch_errors;
        errors.get_or_create(&Watched { kind }).clone()
    }

    /// Everything of a kind was listed.
    pub(super) fn listed(&self, kind: Kind, namespace: &str, sandbox: &str) {
        let labels = resource(kind, namespace, sandbox);
        let listed = self.0.lists.get_or_create(&labels);
        listed.set(seconds(SystemTime::now()));
    }

    /// Sets how many orphans a Sandbox has.
    pub fn orphans(&self, namespace: &str, name: &str, count: i64) {
        let sandbox = object(namespace, name);
        self.0.orphans.get_or_create(&sandbox).set(count);
    }

    /// Forgets a custom resource that is gone.
    pub(super) fn forget(&self, key: &Key) {
        self.0.synced.remove(&of(key));
        self.0.unreadable.remove(&of(key));
        if key.kind == Kind::Sandbox {
            self.forget_sandbox(&key.namespace, &key.name);
        }
    }

    /// Forgets what is kept by Sandbox.
    pub(super) fn forget_sandbox(&self, namespace: &str, name: &str) {
        let sandbox = object(namespace, name);
        self.0.orphans.remove(&sandbox);
        self.0.tokens.remove(&sandbox);
        for kind in Kind::ALL {
            self.0.lists.remove(&resource(kind, namespace, name));
            self.0.objects.remove(&resource(kind, namespace, name));
        }
    }

    /// Measures the requests of one Sandbox.
    #[must_use]
    pub fn meter(&self, namespace: &str, name: &str) -> impl Meter + use<> {
        SandboxMeter {
            metrics: self.clone(),
            sandbox: object(namespace, name),
        }
    }
}

/// Measures the requests of one Sandbox.
struct SandboxMeter {
    metrics: Metrics,
    sandbox: Object,
}

impl Meter for SandboxMeter {
    fn observe(&self, attempt: &Attempt) {
        let families = &self.metrics.0;
        let (service, method) = (attempt.service.label(), attempt.method);
        let code = attempt.status.map(|status| status.to_string());
        let code = code.unwrap_or_else(|| "none".into());
        if attempt.status == Some(429) {
            families.throttled.get_or_create(&Asked { service }).inc();
        }
        let answers = Answers {
            service,
            method,
            code,
        };
        families.requests.get_or_create(&answers).inc();
        let calls = Calls { service, method };
        let durations = families.durations.get_or_create(&calls);
        durations.observe(attempt.elapsed.as_secs_f64());
    }

    fn uses_token(&self, ends_at: SystemTime) {
        let tokens = &self.metrics.0.tokens;
        tokens.get_or_create(&self.sandbox).set(seconds(ends_at));
    }
}

fn of(key: &Key) -> Resource {
    resource(key.kind, &key.namespace, &key.name)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
