//! What the engine counts, under the names that dashboards of other operators know where there are such.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::error::Retry;
use super::run_figures::RunGauges;
use crate::adobe::{Attempt, Meter};
use crate::api::Kind;

/// All figures. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Figures>);

#[derive(Debug)]
struct Figures {
    passes: Family<Passes, Counter>,
    orphans: Family<Place, Gauge>,
    runs: RunGauges,
    requests: Family<Answers, Counter>,
    durations: Family<Calls, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Passes {
    controller: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    namespace: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answers {
    service: &'static str,
    method: &'static str,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Calls {
    service: &'static str,
    method: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Figures {
            passes: Family::default(),
            orphans: Family::default(),
            runs: RunGauges::default(),
            requests: Family::default(),
            // From 10 ms to 40 s.
            durations: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.01, 2.0, 13))
            }),
        }))
    }
}

impl Metrics {
    /// Makes the figures known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let figures = &self.0;
        registry.register(
            "controller_runtime_reconcile",
            "Passes over custom resources, by kind and by what follows",
            figures.passes.clone(),
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
        figures.runs.register(registry);
    }

    /// What is told about runs.
    #[must_use]
    pub fn runs(&self) -> &RunGauges {
        &self.0.runs
    }

    /// Counts a pass.
    pub(super) fn passed(&self, kind: Kind, retry: Option<Retry>) {
        let result = match retry {
            None | Some(Retry::OnChange) => "success",
            Some(Retry::After(_)) => "requeue_after",
            Some(Retry::Backoff) => "error",
        };
        let controller = kind.name().to_lowercase();
        let labels = Passes { controller, result };
        self.0.passes.get_or_create(&labels).inc();
    }

    /// Notes how many orphans a Sandbox has.
    pub fn orphans(&self, namespace: &str, name: &str, count: i64) {
        let place = place(namespace, name);
        self.0.orphans.get_or_create(&place).set(count);
    }

    /// Forgets a Sandbox that is gone.
    pub fn closed(&self, namespace: &str, name: &str) {
        self.0.orphans.remove(&place(namespace, name));
    }
}

impl Meter for Metrics {
    fn observe(&self, attempt: &Attempt) {
        let (service, method) = (attempt.service.label(), attempt.method);
        let code = attempt.status.map(|status| status.to_string());
        let code = code.unwrap_or_else(|| "none".into());
        let answers = Answers {
            service,
            method,
            code,
        };
        self.0.requests.get_or_create(&answers).inc();
        let calls = Calls { service, method };
        let durations = self.0.durations.get_or_create(&calls);
        durations.observe(attempt.elapsed.as_secs_f64());
    }
}

fn place(namespace: &str, name: &str) -> Place {
    Place {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
