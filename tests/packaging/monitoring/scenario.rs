//! The operator as it runs in a Pod, beside an Adobe that is not always well, and the metrics it exports.

use std::path::PathBuf;
use std::time::Duration;

use aep_control_plane::ControlPlane;
use aep_simulator::{Fault, Options, Reply, RunOutcome, Times};
use aep_test_kit::World;
use serde_json::{Value, json};

use super::exported::{self, Metrics};
use super::process::KeptProcess;

/// The operator has met all that it exports metrics about.
pub struct Scenario {
    pub world: World,
    pub operator: Replica,
}

/// A replica of the operator.
pub struct Replica {
    /// Where its metrics are, as `HOST:PORT`.
    pub address: String,
    _process: KeptProcess,
}

impl Scenario {
    /// A pipeline that Adobe was slow to take, ran once, and was then changed in a way that needs a person.
    pub async fn start() -> Self {
        let world = World::unattended(Options::default()).await;
        let busy = Fault::answer(Reply::throttled(Some(Duration::ZERO)));
        let busy = busy.service("flow").method("GET").times(Times::Next(1));
        world.simulator.inject(busy);
        // More often than one reconcile asks.
        let fails = Fault::answer(Reply::empty(503)).path("/mappingSets");
        world.simulator.inject(fails.times(Times::Next(8)));
        let objects = world.apply_sample_with_default_resync("payments").await;
        let operator = Replica::start(&world, "aep-operator-0").await;
        world.all_ready(&objects).await;
        run(&world).await;
        add_unreadable(&world).await;
        let change = json!({ "spec": { "deltaColumn": { "name": "other" } } });
        world.patch("Dataflow", "payments", change).await;
        world
            .reason("Dataflow", "payments", "ReplaceRequired")
            .await;
        Self { world, operator }
    }
}

impl Replica {
    /// The one in a Pod of that name, which resyncs each second if it leads.
    pub async fn start(world: &World, pod: &str) -> Self {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_aep-operator"));
        let kubeconfig = ControlPlane::shared().await.kubeconfig();
        let url = world.simulator.url();
        let settings = [
            ("WATCH_NAMESPACES", world.namespace.as_str()),
            ("POD_NAME", pod),
            ("METRICS_ADDRESS", "127.0.0.1:0"),
            ("LEASE", "aep-operator"),
            ("IMS_ENDPOINT", url),
            ("PLATFORM_ENDPOINT", url),
            ("RESYNC_PERIOD_SECONDS", "1"),
            ("LIST_LAG_SECONDS", "1"),
            ("REQUEST_TIMEOUT_SECONDS", "5"),
            ("LOG_FORMAT", "json"),
            ("KUBECONFIG", kubeconfig.to_str().unwrap()),
        ];
        let process = KeptProcess::start(&binary, &["run"], &settings, &[]);
        let address = process.address("serving").await;
        Self {
            address,
            _process: process,
        }
    }

    /// What it exports now.
    pub async fn metrics(&self) -> Metrics {
        let url = format!("http://{}/metrics", self.address);
        let answer = reqwest::get(url).await.unwrap();
        exported::metrics(&answer.text().await.unwrap())
    }
}

/// Adds a resource that is nested more deeply than can be read.
async fn add_unreadable(world: &World) {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(135), "}".repeat(135));
    let manifest = json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "PlatformSchema", "metadata": { "name": "deep" },
        "spec": { "title": "Deep", "adHoc": { "fields": "DEEP" } },
    });
    let manifest = manifest.to_string().replace(r#""DEEP""#, &deep);
    let path = format!(
        "/apis/aep-operator.io/v1alpha1/namespaces/{}/platformschemas",
        world.namespace
    );
    let request = axum::http::Request::post(path).header("content-type", "application/json");
    let request = request.body(manifest.into_bytes()).unwrap();
    world.client.request_text(request).await.unwrap();
}

/// Has a run of the dataflow, and waits until the operator reports it.
async fn run(world: &World) {
    let flow = world.get("Dataflow", "payments").await;
    let id = flow["status"]["id"].as_str().unwrap();
    let outcome = RunOutcome::partial(100, 1, "MAPPER-3700-400", "a bad row");
    let run = world.simulator.simulate_run("prod", id, &outcome).unwrap();
    world
        .eventually("the run to be reported", || async {
            let flow = world.get("Dataflow", "payments").await;
            let last: &Value = &flow["status"]["lastRun"];
            (last["id"] == *run).then_some(()).ok_or(last.to_string())
        })
        .await;
}
