//! Metrics of the process: requests to Kubernetes, leadership, CPU and memory, build.

use std::fmt::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::http::{Request, Response};
use kube::Config;
use kube::client::Body;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tower::{Layer, Service};

use crate::lease::Leadership;

/// Registers the metrics of build, leadership and consumption.
pub fn register(registry: &mut Registry, lease: Option<String>, leadership: Leadership) {
    let build = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", option_env!("REVISION").unwrap_or("unknown")),
        ("rustc", env!("RUSTC_VERSION")),
    ];
    registry.register(
        "aep_operator_build",
        "Which build this is",
        Info::new(build.to_vec()),
    );
    registry.register_collector(Box::new(Process));
    if let Some(lease) = lease {
        registry.register_collector(Box::new(Leader { lease, leadership }));
    }
}

/// Whether this replica leads, computed at scrape time, since leadership expires by the clock.
#[derive(Debug)]
struct Leader {
    lease: String,
    leadership: Leadership,
}

impl Collector for Leader {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let help = "Whether this replica holds the Lease (1) or stands by (0)";
        let name = "leader_election_master_status";
        let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        let labels = [("name", self.lease.as_str())];
        let leads = ConstGauge::new(i64::from(self.leadership.is_valid()));
        leads.encode(gauge.encode_family(&labels)?)
    }
}

/// CPU, memory and files of the process. On Linux only.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    #[cfg(not(target_os = "linux"))]
    fn encode(&self, _: DescriptorEncoder) -> Result<(), Error> {
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        use procfs::WithCurrentSystemInfo as _;

        let Ok(process) = procfs::process::Process::myself() else {
            return Ok(());
        };
        let Ok(stat) = process.stat() else {
            return Ok(());
        };
        #[expect(clippy::cast_precision_loss, reason = "precise enough for a metric")]
        let cpu = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        let help = "CPU time spent";
        let kind = MetricType::Counter;
        let counter = encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), kind)?;
        ConstCounter::new(cpu).encode(counter)?;

        let memory = i64::try_from(stat.rss_bytes().get()).unwrap_or(i64::MAX);
        let booted = procfs::boot_time_secs().ok();
        let started = booted.map(|it| it + stat.starttime / procfs::ticks_per_second());
        let started = started.and_then(|it| i64::try_from(it).ok());
        let files = process
            .fd_count()
            .ok()
            .and_then(|it| i64::try_from(it).ok());
        let gauges = [
            (
                "process_resident_memory",
                "Memory in use",
                Some(Unit::Bytes),
                Some(memory),
            ),
            (
                "process_start_time",
                "When the process began",
                Some(Unit::Seconds),
                started,
            ),
            (
                "process_open_fds",
                "Open files and connections",
                None,
                files,
            ),
        ];
        for (name, help, unit, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        Ok(())
    }
}

/// Counts the requests to Kubernetes.
#[derive(Clone, Debug)]
pub struct Requests {
    host: String,
    answers: Family<Answers, Counter>,
    durations: Family<Calls, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answers {
    code: String,
    method: String,
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Calls {
    verb: String,
    host: String,
}

impl Requests {
    /// A counter of the requests to the API server of this configuration, registered.
    pub fn registered(registry: &mut Registry, config: &Config) -> Self {
        let host = config.cluster_url.authority().map(ToString::to_string);
        let requests = Self {
            host: host.unwrap_or_default(),
            answers: Family::default(),
            // From 5 ms to 20 s.
            durations: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.005, 2.0, 13))
            }),
        };
        registry.register(
            "rest_client_requests",
            "Requests to Kubernetes, by HTTP status, or `<error>` where no answer came",
            requests.answers.clone(),
        );
        registry.register_with_unit(
            "rest_client_request_duration",
            "Time until Kubernetes began to answer",
            Unit::Seconds,
            requests.durations.clone(),
        );
        requests
    }

    fn record(&self, method: String, code: String, since: Instant) {
        let host = self.host.clone();
        let calls = Calls {
            verb: method.clone(),
            host: host.clone(),
        };
        let durations = self.durations.get_or_create(&calls);
        durations.observe(since.elapsed().as_secs_f64());
        let answers = Answers { code, method, host };
        self.answers.get_or_create(&answers).inc();
    }
}

impl<S> Layer<S> for Requests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        let requests = self.clone();
        Counted { inner, requests }
    }
}

/// A service whose requests are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    inner: S,
    requests: Requests,
}

impl<S, B> Service<Request<Body>> for Counted<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (requests, since) = (self.requests.clone(), Instant::now());
        let method = request.method().to_string();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = answer.as_ref().map(|it| it.status().as_u16().to_string());
            requests.record(method, code.unwrap_or_else(|_| "<error>".into()), since);
            answer
        })
    }
}
