//! Secrets stay secrets: who may use which, and what becomes of one that Adobe repeats.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use aep_control_plane::ControlPlane;
use aep_simulator::{Fault, Options, Reply, RunOutcome, Times};
use aep_test_kit::{World, condition, sample};
use k8s_openapi::ByteString;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

fn one<'o>(objects: &'o mut [Value], kind: &str) -> &'o mut Value {
    objects.iter_mut().find(|it| it["kind"] == kind).unwrap()
}

/// How often a text was sent to create or change a connection.
fn sent(world: &World, text: &str) -> usize {
    let calls = world.simulator.calls();
    let bodies = calls.iter().filter(|it| it.path.contains("/connections"));
    let bodies = bodies.filter_map(|it| it.body.as_ref());
    bodies.filter(|it| it.to_string().contains(text)).count()
}

#[tokio::test]
async fn the_credentials_of_a_sandbox_are_sent_to_no_source_system() {
    let world = World::new().await;
    let mut objects = sample("payments");
    let params = &mut one(&mut objects, "BaseConnection")["spec"]["auth"]["secretParams"];
    params[1]["valueFrom"]["secretKeyRef"]["name"] = "adobe-io".into();
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    let held = world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    let message = condition(&held, "Stalled")["message"].to_string();
    for part in ["`adobe-io`", "Sandbox/default", "name another Secret"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(sent(&world, "demo-secret"), 0);
}

#[tokio::test]
async fn a_secret_that_a_sandbox_begins_to_use_is_refused_until_it_stops() {
    let world = World::new().await;
    let mut objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let sandbox = one(&mut objects, "Sandbox");
    sandbox["metadata"]["name"] = "second".into();
    sandbox["spec"]["credentialsRef"]["name"] = "paypal".into();
    world.apply(sandbox).await.unwrap();
    world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    sandbox["spec"]["credentialsRef"]["name"] = "adobe-io".into();
    world.apply(sandbox).await.unwrap();
    world.reason("BaseConnection", "paypal", "Succeeded").await;
    sandbox["spec"]["credentialsRef"]["name"] = "paypal".into();
    world.apply(sandbox).await.unwrap();
    world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    world.delete("Sandbox", "second").await;
    world.reason("BaseConnection", "paypal", "Succeeded").await;
}

#[tokio::test]
async fn where_a_label_is_required_only_secrets_that_have_it_are_sent() {
    let require = |settings: &mut aep_operator::engine::Settings| {
        settings.require_secret_label = true;
    };
    let world = World::tuned(Options::default(), require).await;
    let objects = world.apply_sample("payments").await;
    let held = world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    let message = condition(&held, "Stalled")["message"].to_string();
    assert!(
        message.contains("aep-operator.io/allow-in-connections"),
        "{message}"
    );
    let label = json!({ "aep-operator.io/allow-in-connections": "true" });
    let label = json!({ "metadata": { "labels": label } });
    world.patch("Secret", "paypal", label).await;
    world.all_ready(&objects).await;
}

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

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// An operator that logs everything.
async fn operator(world: &World, metrics: SocketAddr, health: SocketAddr) -> Child {
    Command::new(env!("CARGO_BIN_EXE_aep-operator"))
        .arg("run")
        .env("WATCH_NAMESPACES", &world.namespace)
        .env("IMS_ENDPOINT", world.simulator.url())
        .env("PLATFORM_ENDPOINT", world.simulator.url())
        .env("METRICS_ADDRESS", metrics.to_string())
        .env("HEALTH_ADDRESS", health.to_string())
        .env("RESYNC_PERIOD_SECONDS", "1")
        .env("LIST_LAG_SECONDS", "1")
        .env("REQUEST_TIMEOUT_SECONDS", "5")
        .env("KUBECONFIG", ControlPlane::shared().await.kubeconfig())
        .env("RUST_LOG", "trace")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn no_secret_is_shown_anywhere_however_adobe_repeats_it() {
    let world = World::unattended(Options::default()).await;
    let secrets = vec![SANDBOX_CANARY.to_owned()];
    world
        .simulator
        .set_secrets("aep-operator-demo", secrets)
        .unwrap();
    let (metrics, health) = (free_address(), free_address());
    let process = operator(&world, metrics, health).await;
    // Read all the time, since the pipe is small.
    let id = process.id().unwrap().to_string();
    let log = tokio::spawn(process.wait_with_output());
    let mut objects = sample("payments");
    aep_test_kit::use_default_resync_period(&mut objects);
    for object in &mut objects {
        let values = [("adobe-io", SANDBOX_CANARY), ("paypal", CANARY)];
        let value = values.iter().find(|it| object["metadata"]["name"] == it.0);
        if let Some((_, value)) = value.filter(|_| object["kind"] == "Secret") {
            object["stringData"]["clientSecret"] = (*value).into();
        }
    }
    let mut texts = Vec::new();
    let spoken = format!("{} {}", spellings(CANARY).join(" "), base64(SANDBOX_CANARY));
    assert!(spoken.len() < 500, "all of it is shown: {}", spoken.len());
    // To the call that carries it, to another one, and by IMS.
    let refuse = |path: &str| {
        let detail = json!({ "title": "The echo", "report": { "detailed-message": spoken } });
        let refusal = Fault::answer(Reply::json(400, detail)).method("POST");
        world
            .simulator
            .inject(refusal.path(path).times(Times::Every));
    };
    let away = json!({ "error": "x", "error_description": spoken });
    let away = Fault::answer(Reply::json(503, away)).service("ims");
    world.simulator.inject(away);
    refuse("/connections");
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    let again = json!({ "metadata": { "annotations": { "aep-operator.io/requested-at": "1" } } });
    for (kind, next) in [
        ("BaseConnection", Some("/sourceConnections")),
        ("SourceConnection", None),
    ] {
        let (_, name) = objects
            .iter()
            .map(aep_test_kit::name)
            .find(|it| it.0 == kind)
            .unwrap();
        let held = world.reason(kind, name, "Rejected").await;
        let message = condition(&held, "Ready")["message"].to_string();
        assert!(message.contains("The echo: ***"), "{message}");
        texts.push((format!("{kind} when it was refused"), held.to_string()));
        world.simulator.clear_faults();
        next.map(refuse);
        world.patch(kind, name, again.clone()).await;
    }
    world.all_ready(&objects).await;
    let flow = world.get("Dataflow", "payments").await["status"]["id"].clone();
    let failed = RunOutcome::failed("CONNECTOR-1", &spoken);
    world
        .simulator
        .simulate_run("prod", flow.as_str().unwrap(), &failed)
        .unwrap();
    world
        .event("Dataflow", "payments", "DataflowRunFailed")
        .await;

    for (kind, name) in objects.iter().map(aep_test_kit::name) {
        if kind != "Secret" {
            texts.push((
                format!("{kind}/{name}"),
                world.get(kind, name).await.to_string(),
            ));
        }
    }
    let events: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    let events = events.list(&ListParams::default()).await.unwrap();
    texts.push((
        "the events".into(),
        serde_json::to_string(&events.items).unwrap(),
    ));
    for (address, path) in [(metrics, "metrics"), (health, "readyz"), (health, "livez")] {
        let answer = reqwest::get(format!("http://{address}/{path}"))
            .await
            .unwrap();
        texts.push((path.into(), answer.text().await.unwrap()));
    }
    assert!(
        Command::new("kill")
            .arg(id)
            .status()
            .await
            .unwrap()
            .success()
    );
    let log = log.await.unwrap().unwrap().stderr;
    texts.push(("the log".into(), String::from_utf8_lossy(&log).into_owned()));
    for (what, text) in &texts {
        for secret in [CANARY, SANDBOX_CANARY] {
            assert_eq!(shown(text, secret), None, "in {what}");
        }
    }
}
