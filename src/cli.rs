//! The command line: `run`, `check` and `crds`. Every flag has an environment variable. Durations are written `30s` or
//! `10m`; a plain number is in seconds, as the names of the flags say.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;
use kube::client::ClientBuilder;
use kube::{Client, Config};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::adobe::{Endpoints, Permission};
use crate::engine::Milestone;
use crate::lease::{Candidate, Leadership, LeaseTimings};
use crate::readiness::Readiness;
use crate::telemetry::{LogFormat, Telemetry};
use crate::{api, check, engine, http, operator, process};

/// Declarative Adobe Experience Platform ingestion pipelines.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator.
    Run(Box<Run>),
    /// Check that the cluster has the CRDs and rights that the operator needs.
    Check(Check),
    /// Print the CRDs as YAML.
    Crds,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    watched: Watched,
    /// Endpoints that a Sandbox may name besides Adobe's own, separated by commas.
    #[arg(long, env = "ALLOWED_ENDPOINTS", value_delimiter = ',')]
    allowed_endpoints: Vec<String>,
    /// Let base connections use only Secrets with the label `aep-operator.io/allow-in-connections: "true"`.
    #[arg(long, env = "REQUIRE_SECRET_LABEL", default_value_t = false)]
    require_secret_label: bool,
    /// Endpoint of Adobe's identity service, for Sandboxes that name none.
    #[arg(long, env = "IMS_ENDPOINT", default_value_t = Endpoints::default().ims)]
    ims_endpoint: String,
    /// Endpoint of Adobe Experience Platform, for Sandboxes that name none.
    #[arg(long, env = "PLATFORM_ENDPOINT", default_value_t = Endpoints::default().platform)]
    platform_endpoint: String,
    /// Concurrent reconciles, per sandbox and kind.
    #[arg(long, env = "WORKERS", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,
    /// How long Adobe's listings may lag behind a create, such as `15s`; a plain number is in seconds.
    #[arg(long = "list-lag-seconds", env = "LIST_LAG_SECONDS", value_name = "DURATION", default_value = "15s", value_parser = duration)]
    list_lag: Duration,
    /// How long to wait for one answer of Adobe, such as `30s`; a plain number is in seconds. A create without an answer may
    /// take effect until then, so it is not tried again before this and the lag of the listings have passed.
    #[arg(long = "request-timeout-seconds", env = "REQUEST_TIMEOUT_SECONDS", value_name = "DURATION", default_value = "30s", value_parser = period)]
    request_timeout: Duration,
    /// How often everything at Adobe is compared with the specs, such as `10m`, for Sandboxes that do not say; a plain number
    /// is in seconds.
    #[arg(long = "resync-period-seconds", env = "RESYNC_PERIOD_SECONDS", value_name = "DURATION", default_value = "10m", value_parser = period)]
    resync_period: Duration,
    /// How many Sandboxes of one namespace are served: the oldest. The others say `LimitExceeded`.
    #[arg(long, env = "MAX_SANDBOXES_PER_NAMESPACE", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    max_sandboxes_per_namespace: u32,
    /// How many resources may name one Sandbox. While there are more, those that have no object at Adobe yet get none, and say
    /// `LimitExceeded`.
    #[arg(long, env = "MAX_RESOURCES_PER_SANDBOX", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_resources_per_sandbox: u32,
    /// Name under which events are reported.
    #[arg(long, env = "POD_NAME", default_value = "aep-operator")]
    pod_name: String,
    #[command(flatten)]
    election: Election,
    /// Address at which `/metrics` is served, e.g. `0.0.0.0:8080`; nowhere if absent.
    #[arg(long, env = "METRICS_ADDRESS")]
    metrics_address: Option<SocketAddr>,
    /// Address at which `/livez` and `/readyz` are served, e.g. `0.0.0.0:8081`; nowhere if absent.
    #[arg(long, env = "HEALTH_ADDRESS")]
    health_address: Option<SocketAddr>,
    /// How log lines are written.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    watched: Watched,
    #[command(flatten)]
    election: Election,
}

/// Which namespaces are watched.
#[derive(Debug, Args)]
struct Watched {
    /// The namespaces to watch, separated by commas; all there are if empty or `*`.
    #[arg(long, env = "WATCH_NAMESPACES", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
}

impl Watched {
    fn namespaces(self) -> Vec<String> {
        let named = self.watch_namespaces.into_iter();
        let named: BTreeSet<_> = named.map(|it| it.trim().to_owned()).collect();
        if named.contains("*") {
            return Vec::new();
        }
        named.into_iter().filter(|it| !it.is_empty()).collect()
    }
}

/// Leader election among several replicas.
#[derive(Debug, Args)]
struct Election {
    /// Name of the Lease whose holder acts while the other replicas stand by; no election if empty. Needs `get`, `create`
    /// and `update` on `leases` of `coordination.k8s.io`.
    #[arg(long, env = "LEASE")]
    lease: Option<String>,
    /// Namespace of the Lease; the watched one if empty, else the Pod's own.
    #[arg(long, env = "LEASE_NAMESPACE")]
    lease_namespace: Option<String>,
    /// How long after its last renewal another replica takes over from a leader that has vanished, such as `15s`, in whole
    /// seconds; a plain number is in seconds. The leader renews seven times as often, and exits if it could not for two
    /// thirds of that time.
    #[arg(long, env = "LEASE_SECONDS", value_name = "DURATION", default_value = "15s", value_parser = lease_seconds)]
    lease_seconds: u16,
    /// Namespace of the Pod; the kubeconfig's own if empty.
    #[arg(long, env = "POD_NAMESPACE")]
    pod_namespace: Option<String>,
}

impl Election {
    /// Namespace and name of the Lease, if there is to be an election.
    fn lease(&self, config: &Config, watched: &[String]) -> Option<(String, String)> {
        let lease = given(self.lease.clone())?;
        let alone = match watched {
            [only] => Some(only.clone()),
            _ => None,
        };
        let namespace = given(self.lease_namespace.clone())
            .or(alone)
            .or(given(self.pod_namespace.clone()))
            .unwrap_or_else(|| config.default_namespace.clone());
        Some((namespace, lease))
    }

    /// This replica as a candidate for the Lease.
    fn candidate(
        &self,
        config: &Config,
        (namespace, lease): &(String, String),
        pod: &str,
    ) -> anyhow::Result<Candidate> {
        // A client of its own: renewals do not wait for other requests.
        let client = Client::try_from(config.clone())?;
        let timings = LeaseTimings::new(self.lease_seconds);
        Ok(Candidate::new(client, namespace, lease, pod, timings))
    }
}

fn given(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// Longer durations mean a typo, and much longer ones cannot be added to an instant.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A duration such as `30s`, `10m` or `1h30m`; a plain number is in seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let written = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let written = text.parse::<SignedDuration>();
        let written = written.map_err(|error| error.to_string())?;
        Duration::try_from(written).map_err(|_| format!("{text} is negative"))?
    };
    if written > LONGEST {
        return Err(format!(
            "{text} is not in 0..={} seconds",
            LONGEST.as_secs()
        ));
    }
    Ok(written)
}

/// A duration of at least a second.
fn period(text: &str) -> Result<Duration, String> {
    let period = duration(text)?;
    if period < Duration::from_secs(1) {
        return Err(format!("{text} is not in 1.. seconds"));
    }
    Ok(period)
}

/// A duration in whole seconds, as a Lease holds it; long enough to be renewed more than once.
fn lease_seconds(text: &str) -> Result<u16, String> {
    let lasts = duration(text)?;
    match u16::try_from(lasts.as_secs()) {
        Ok(seconds @ 3..) if lasts.subsec_nanos() == 0 => Ok(seconds),
        _ => Err(format!("{text} is not in 3..=65535 whole seconds")),
    }
}

/// Parses the command line and runs the command.
pub async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run(flags) => run(*flags).await,
        Command::Check(flags) => check(flags).await,
        Command::Crds => {
            for crd in api::crds() {
                print!("---\n{}", api::render(&crd));
            }
            Ok(())
        }
    }
}

async fn check(flags: Check) -> anyhow::Result<()> {
    let Check { watched, election } = flags;
    let (config, namespaces) = (config().await?, watched.namespaces());
    let lease = election.lease(&config, &namespaces);
    let client = Client::try_from(config.clone())?;
    check::check(client, &namespaces, lease).await
}

async fn config() -> anyhow::Result<Config> {
    let config = Config::infer().await;
    config.context("no Kubernetes cluster: set KUBECONFIG, or run in a Pod")
}

async fn run(flags: Run) -> anyhow::Result<()> {
    let Run {
        watched,
        allowed_endpoints,
        require_secret_label,
        ims_endpoint,
        platform_endpoint,
        workers,
        list_lag,
        request_timeout,
        resync_period,
        max_sandboxes_per_namespace,
        max_resources_per_sandbox,
        pod_name,
        election,
        metrics_address,
        health_address,
        log_format,
    } = flags;
    let telemetry = Telemetry::begin(log_format, &pod_name)?;
    let (config, namespaces) = (config().await?, watched.namespaces());
    let lease = election.lease(&config, &namespaces);
    let candidate = lease.as_ref();
    let candidate = candidate.map(|it| election.candidate(&config, it, &pod_name));
    let candidate = candidate.transpose()?;
    let leadership = candidate
        .as_ref()
        .map_or_else(Leadership::unlimited, Candidate::leadership);
    let synced = Milestone::default();
    let probes = Client::try_from(config.clone())?;
    let readiness = Readiness::new(probes, leadership.clone(), synced.clone());
    let mut registry = Registry::default();
    let lease = lease.map(|(_, name)| name);
    process::register(&mut registry, lease, leadership.clone());
    let requests = process::Requests::registered(&mut registry, &config);
    let client = ClientBuilder::try_from(config)?;
    let client = client.with_layer(&requests);
    let client = client.with_layer(&leadership.guard()).build();
    let settings = engine::Settings {
        namespaces,
        allowed_endpoints,
        require_secret_label,
        endpoints: Endpoints {
            ims: ims_endpoint,
            platform: platform_endpoint,
        },
        workers,
        list_lag,
        request_timeout,
        resync: resync_period,
        max_sandboxes: max_sandboxes_per_namespace,
        max_resources: max_resources_per_sandbox,
        instance: pod_name,
        synced,
        permission: Permission::new(move || leadership.is_valid()),
        ..engine::Settings::default()
    };
    settings.metrics.register(&mut registry);
    let metrics = http::serve(metrics_address, http::metrics(registry));
    let health = http::serve(health_address, http::health(readiness));
    let stop = CancellationToken::new();
    let operator = Box::pin(operator::operate(client, settings, stop.clone()));
    let work = async {
        match candidate {
            Some(candidate) => candidate.lead(operator, &stop).await?,
            None => operator.await,
        }
        anyhow::Ok(())
    };
    let signal = async {
        shutdown().await;
        stop.cancel();
        // The first signal lets running reconciles finish, the second one ends them.
        shutdown().await;
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        outcome = metrics => outcome,
        outcome = health => outcome,
        () = signal => Ok(()),
    };
    telemetry.end();
    outcome
}

async fn shutdown() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(of_run: &[&str]) -> Result<Run, clap::Error> {
        let line = ["aep-operator", "run"].iter().chain(of_run);
        match Cli::try_parse_from(line)?.command {
            Command::Run(flags) => Ok(*flags),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn durations_are_written_with_a_unit_or_as_plain_seconds() {
        let seconds = |text| duration(text).unwrap().as_secs();
        let texts = ["30s", "30", "10m", "1h30m", "0", "1 hour"];
        assert_eq!(texts.map(seconds), [30, 30, 600, 5400, 0, 3600]);
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        for wrong in ["", "s", "-5s", "-5", "1d", "ten minutes"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_take_durations_and_keep_their_defaults() {
        let given = flags(&[
            "--list-lag-seconds=1m",
            "--request-timeout-seconds=45s",
            "--resync-period-seconds=1h",
            "--lease-seconds=1m",
        ]);
        let given = given.unwrap();
        assert_eq!(given.list_lag, Duration::from_secs(60));
        assert_eq!(given.request_timeout, Duration::from_secs(45));
        assert_eq!(given.resync_period, Duration::from_secs(3600));
        assert_eq!(given.election.lease_seconds, 60);
        let default = flags(&[]).unwrap();
        assert_eq!(default.list_lag, Duration::from_secs(15));
        assert_eq!(default.request_timeout, Duration::from_secs(30));
        assert_eq!(default.resync_period, Duration::from_secs(600));
        assert_eq!(default.election.lease_seconds, 15);
    }

    #[test]
    fn durations_that_would_break_the_operator_are_refused() {
        for flag in [
            "--request-timeout-seconds=0",
            "--resync-period-seconds=999ms",
            "--lease-seconds=2s",
            "--lease-seconds=3500ms",
            "--lease-seconds=24h",
            "--list-lag-seconds=18446744073709551615",
            "--request-timeout-seconds=18446744073709551615",
            "--resync-period-seconds=8760h",
        ] {
            let told = flags(&[flag]).unwrap_err().to_string();
            assert!(told.contains("is not in"), "{flag}: {told}");
        }
    }

    #[test]
    fn help_shows_how_durations_are_written() {
        let told = flags(&["--help"]).unwrap_err().to_string();
        for line in [
            "--resync-period-seconds <DURATION>",
            "such as `10m`",
            "a plain number is in seconds",
            "[default: 10m]",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
    }
}
