//! What the process logs, and the traces it sends: enough to follow one reconcile, and never a secret.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use aep_control_plane::ControlPlane;
use aep_simulator::Options;
use aep_test_kit::World;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

/// What a collector was sent.
pub type Sent = Arc<Mutex<Vec<u8>>>;

#[tokio::test]
async fn a_reconcile_can_be_followed_through_lines_and_traces_and_neither_holds_a_secret() {
    let world = World::unattended(Options::default()).await;
    let (collector, sent) = collector().await;
    let process = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
        .arg("run")
        .env("WATCH_NAMESPACES", &world.namespace)
        .env("IMS_ENDPOINT", world.simulator.url())
        .env("PLATFORM_ENDPOINT", world.simulator.url())
        .env("KUBECONFIG", ControlPlane::shared().await.kubeconfig())
        .env("LOG_FORMAT", "json")
        .env("RUST_LOG", "aep_operator=debug")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let id = process.id().unwrap().to_string();
    let stopped = Command::new("kill").arg(id).status().await.unwrap();
    assert!(stopped.success());
    let log = process.wait_with_output().await.unwrap().stderr;
    let log = String::from_utf8(log).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let ready = |line: &&Value| line["controller"] == "dataflow" && line["reason"] == "Succeeded";
    let ready = lines.iter().find(ready).unwrap();
    assert_eq!(ready["name"], "payments");
    assert_eq!(ready["namespace"], world.namespace.as_str());
    assert_eq!(ready["level"], "INFO");
    for field in ["timestamp", "target", "message"] {
        assert!(ready[field].is_string(), "{ready}");
    }
    let same = |line: &&Value| line["reconcile_id"] == ready["reconcile_id"];
    let asked = lines
        .iter()
        .filter(same)
        .filter_map(|line| line["route"].as_str());
    let asked: BTreeSet<_> = asked.collect();
    // It was created before, and is Ready once it was read.
    assert!(asked.contains("/flows/{id}"), "{asked:?}");

    let sent = sent.lock().unwrap().clone();
    let trace = ready["trace_id"].as_str().unwrap();
    let trace: Vec<_> = (0..trace.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&trace[at..at + 2], 16).unwrap())
        .collect();
    assert!(holds(&sent, &trace));
    for name in ["reconcile Dataflow", "POST /flows", "aep-operator"] {
        assert!(holds(&sent, name.as_bytes()), "{name}");
    }
    let secrets = objects.iter().filter(|it| it["kind"] == "Secret");
    let secrets = secrets.flat_map(|it| it["stringData"].as_object().unwrap());
    for (key, secret) in secrets.filter(|(key, _)| key.to_lowercase().contains("secret")) {
        let secret = secret.as_str().unwrap();
        assert!(!log.contains(secret), "{key} is in the log");
        assert!(!holds(&sent, secret.as_bytes()), "{key} is in the traces");
    }
}

fn holds(sent: &[u8], part: &[u8]) -> bool {
    sent.windows(part.len()).any(|window| window == part)
}

/// A collector of traces: its address, and what it is sent.
pub async fn collector() -> (String, Sent) {
    let sent = Sent::default();
    let kept = sent.clone();
    let keep = move |body: Bytes| async move {
        kept.lock().unwrap().extend_from_slice(&body);
    };
    let router = Router::new().route("/v1/traces", post(keep));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, sent)
}

#[tokio::test]
async fn no_level_of_the_log_holds_what_a_secret_holds() {
    let world = World::unattended(Options::default()).await;
    let canary = "canary-in-the-manifest-of-a-secret";
    let copy = "kubectl.kubernetes.io/last-applied-configuration";
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "applied", "annotations": { copy: canary } },
        "stringData": { "key": canary },
    });
    world.apply(&secret).await.unwrap();
    // More than a pipe holds.
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
        .arg("run")
        .env("WATCH_NAMESPACES", &world.namespace)
        .env("IMS_ENDPOINT", world.simulator.url())
        .env("PLATFORM_ENDPOINT", world.simulator.url())
        .env("KUBECONFIG", ControlPlane::shared().await.kubeconfig())
        .env("RUST_LOG", "trace,kube_client::client=trace,hyper=trace")
        .stderr(file.reopen().unwrap())
        .spawn()
        .unwrap();
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let id = process.id().unwrap().to_string();
    let stopped = Command::new("kill").arg(id).status().await.unwrap();
    assert!(stopped.success());
    process.wait().await.unwrap();
    let log = std::fs::read_to_string(file.path()).unwrap();
    assert!(log.contains("TRACE"), "not at this level");
    for value in [canary, "demo-secret"] {
        assert!(!log.contains(value));
        let encoded = data_encoding(value);
        assert!(!log.contains(&encoded), "{value} in base64");
    }
}

/// The value as the API server writes it.
fn data_encoding(value: &str) -> String {
    let bytes = k8s_openapi::ByteString(value.as_bytes().to_vec());
    let encoded = serde_json::to_value(bytes).unwrap();
    encoded.as_str().unwrap().to_owned()
}
