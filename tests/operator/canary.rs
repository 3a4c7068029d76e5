//! Values of Secrets that are searched for in everything the operator shows.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use aep_control_plane::ControlPlane;
use aep_simulator::{Fault, Options, Reply, RunOutcome, Times};
use aep_test_kit::{World, condition, name, ours, sample, use_default_resync_period};
use k8s_openapi::ByteString;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::telemetry::{Sent, collector};
use crate::unreadable::plant_a_time_of_year_10000;

const COPY: &str = "kubectl.kubernetes.io/last-applied-configuration";

const CANARY: &str = "Sing-2/the+Canary&\"x";
const SANDBOX_CANARY: &str = "Another~Canary=9<z";

fn base64(text: &str) -> String {
    let encoded = serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap();
    encoded.as_str().unwrap().to_owned()
}

/// A secret in eight spellings.
fn spellings(secret: &str) -> [String; 8] {
    let quoted = Value::from(secret).to_string();
    let percent: Vec<_> = secret.bytes().map(|it| format!("%{it:02X}")).collect();
    let escaped = secret.replace('&', "&amp;").replace('"', "&quot;");
    [
        secret.to_owned(),
        base64(secret),
        base64(&format!("joe:{secret}")),
        base64(&format!("j:{secret}")),
        percent.concat(),
        escaped.replace('<', "&lt;"),
        quoted[1..quoted.len() - 1].to_owned(),
        format!("joe:{}", &secret[..12]),
    ]
}

/// What of a secret a text shows: any eight characters of it, in clear or in an encoding.
fn shown(text: &str, secret: &str) -> Option<String> {
    let [_, plain, joe, j, percent, html, json, _] = spellings(secret);
    let pieces = |of: &str, many: usize| {
        let all = (0..=of.len() - many).map(|at| of[at..at + many].to_owned());
        all.collect::<Vec<_>>()
    };
    let of = [
        pieces(secret, 8),
        pieces(&plain[..24], 12),
        pieces(&joe[6..], 12),
    ];
    let whole = vec![j, percent, html, json];
    let mut all = of.into_iter().flatten().chain(whole);
    all.find(|it| text.contains(it))
}

/// An operator that logs and traces everything, and what it shows.
struct Watched {
    world: World,
    id: String,
    log: JoinHandle<std::io::Result<std::process::Output>>,
    traces: Sent,
    metrics: SocketAddr,
    health: SocketAddr,
    /// What was seen so far, each with where it was seen.
    texts: Vec<(String, String)>,
}

impl Watched {
    async fn start() -> Self {
        let world = World::unattended(Options::default()).await;
        let secrets = vec![SANDBOX_CANARY.to_owned()];
        let set = world.simulator.set_secrets("aep-operator-demo", secrets);
        set.unwrap();
        let (metrics, health) = (free_address(), free_address());
        let (collector, traces) = collector().await;
        let process = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
            .arg("run")
            .env("WATCH_NAMESPACES", &world.namespace)
            .env("IMS_ENDPOINT", world.simulator.url())
            .env("PLATFORM_ENDPOINT", world.simulator.url())
            .env("ALLOWED_ENDPOINTS", world.simulator.url())
            .env("METRICS_ADDRESS", metrics.to_string())
            .env("HEALTH_ADDRESS", health.to_string())
            .env("RESYNC_PERIOD_SECONDS", "1")
            .env("LIST_LAG_SECONDS", "1")
            .env("REQUEST_TIMEOUT_SECONDS", "5")
            .env("KUBECONFIG", ControlPlane::shared().await.kubeconfig())
            .env("RUST_LOG", "trace")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            world,
            id: process.id().unwrap().to_string(),
            // Read all the time, since the pipe is small.
            log: tokio::spawn(process.wait_with_output()),
            traces,
            metrics,
            health,
            texts: Vec::new(),
        }
    }

    /// Applies a sample with the values that are searched for. Its Secrets carry the copy of the manifest that kubectl keeps,
    /// and a time that no library reads.
    async fn apply(&self, folder: &str) -> Vec<Value> {
        let mut objects = sample(folder);
        use_default_resync_period(&mut objects);
        for object in &mut objects {
            let url = self.world.simulator.url();
            if let Some(endpoints) = object.pointer_mut("/spec/endpoints") {
                *endpoints = json!({ "ims": url, "platform": url });
            }
            if object["kind"] == "Secret" {
                place_canaries(object);
            }
        }
        for object in &objects {
            self.world.apply(object).await.unwrap();
            if object["kind"] == "Secret" {
                plant_a_time_of_year_10000(&self.world, object).await;
            }
        }
        objects
    }

    fn saw(&mut self, what: impl Into<String>, text: impl Into<String>) {
        self.texts.push((what.into(), text.into()));
    }

    /// Looks at everything that can be asked for now.
    async fn look(&mut self, objects: &[Value]) {
        for (kind, name) in ours(objects).map(name) {
            let held = self.world.get(kind, name).await.to_string();
            self.saw(format!("{kind}/{name}"), held);
        }
        let events: Api<Event> = Api::namespaced(self.world.client.clone(), &self.world.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        let events = serde_json::to_string(&events.items).unwrap();
        self.saw("the events", events);
        let (metrics, health) = (self.metrics, self.health);
        for (address, path) in [(metrics, "metrics"), (health, "readyz"), (health, "livez")] {
            let answer = reqwest::get(format!("http://{address}/{path}"));
            let answer = answer.await.unwrap().text().await.unwrap();
            self.saw(path, answer);
        }
    }

    /// Ends the operator, and searches all that was ever seen of it.
    async fn search(mut self) {
        let mut kill = Command::new("kill");
        let killed = kill.arg(&self.id).status().await.unwrap();
        assert!(killed.success());
        let log = (&mut self.log).await.unwrap().unwrap().stderr;
        let log = String::from_utf8_lossy(&log).into_owned();
        assert!(log.contains("TRACE"), "not at this level");
        self.saw("the log", log);
        let traces = self.traces.lock().unwrap().clone();
        assert!(!traces.is_empty());
        self.saw("the traces", String::from_utf8_lossy(&traces));
        for (what, text) in &self.texts {
            for secret in [CANARY, SANDBOX_CANARY] {
                assert_eq!(shown(text, secret), None, "in {what}");
            }
        }
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Gives a Secret the values that are searched for.
fn place_canaries(secret: &mut Value) {
    let values = secret["stringData"].as_object_mut().unwrap();
    if values.contains_key("scopes") {
        values["clientSecret"] = SANDBOX_CANARY.into();
    } else {
        values.values_mut().for_each(|it| *it = CANARY.into());
    }
    let copy = secret.to_string();
    secret["metadata"]["annotations"][COPY] = copy.into();
}

#[tokio::test]
async fn no_secret_is_shown_in_the_whole_life_of_any_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/samples");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    for folder in folders.map(|it| it.file_name().into_string().unwrap()) {
        let mut watched = Watched::start().await;
        let objects = watched.apply(&folder).await;
        let resources: Vec<_> = ours(&objects).cloned().collect();
        watched.world.all_ready(&resources).await;
        watched.look(&resources).await;
        watched.world.delete_all(&resources).await;
        watched.look(&[]).await;
        watched.search().await;
    }
}

#[tokio::test]
async fn no_secret_is_shown_anywhere_however_adobe_repeats_it() {
    let mut watched = Watched::start().await;
    let simulator = &watched.world.simulator;
    let spoken = format!("{} {}", spellings(CANARY).join(" "), base64(SANDBOX_CANARY));
    assert!(spoken.len() < 500, "all of it is shown: {}", spoken.len());
    // By IMS, to the call that carries it, and to another one.
    let away = json!({ "error": "x", "error_description": spoken });
    let away = Fault::answer(Reply::json(503, away)).service("ims");
    simulator.inject(away);
    let refusal = |path: &str| {
        let detail = json!({ "title": "The echo", "report": { "detailed-message": spoken } });
        let refusal = Fault::answer(Reply::json(400, detail)).method("POST");
        refusal.path(path).times(Times::Every)
    };
    simulator.inject(refusal("/connections"));
    let objects = watched.apply("payments").await;
    let again = json!({ "metadata": { "annotations": { "aep-operator.io/requested-at": "1" } } });
    for (kind, next) in [
        ("BaseConnection", Some("/sourceConnections")),
        ("SourceConnection", None),
    ] {
        let of_kind = |it: &(&str, &str)| it.0 == kind;
        let (_, name) = objects.iter().map(name).find(of_kind).unwrap();
        let held = watched.world.reason(kind, name, "Rejected").await;
        let message = condition(&held, "Ready")["message"].to_string();
        assert!(message.contains("The echo: ***"), "{message}");
        watched.saw(format!("{kind} when it was refused"), held.to_string());
        watched.world.simulator.clear_faults();
        if let Some(next) = next {
            watched.world.simulator.inject(refusal(next));
        }
        watched.world.patch(kind, name, again.clone()).await;
    }
    let resources: Vec<_> = ours(&objects).cloned().collect();
    watched.world.all_ready(&resources).await;
    let flow = watched.world.get("Dataflow", "payments").await;
    let id = flow["status"]["id"].as_str().unwrap();
    let failed = RunOutcome::failed("CONNECTOR-1", &spoken);
    let run = watched.world.simulator.simulate_run("prod", id, &failed);
    run.unwrap();
    let event = watched
        .world
        .event("Dataflow", "payments", "DataflowRunFailed");
    event.await;
    watched.look(&resources).await;
    watched.search().await;
}
