//! A changed Secret takes effect without a restart, and an unchanged one is never sent again.

use std::time::{Duration, Instant};

use aep_simulator::{Effect, Fault, Options, Times};
use aep_test_kit::{World, condition};
use serde_json::{Value, json};

async fn settled() -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&objects).await;
    world.simulator.clear_calls();
    world
}

fn patches(world: &World) -> Vec<Value> {
    let calls = world.simulator.calls();
    let patches = calls
        .iter()
        .filter(|call| call.method == "PATCH" && call.route == "/connections/{id}");
    patches.filter_map(|call| call.body.clone()).collect()
}

async fn fingerprint(world: &World) -> Value {
    let connection = world.get("BaseConnection", "paypal").await;
    connection["status"]["credentialsFingerprint"].clone()
}

#[tokio::test]
async fn new_source_credentials_are_sent_once() {
    let mut world = settled().await;
    let before = fingerprint(&world).await;
    let secret = json!({ "stringData": { "clientSecret": "a-new-canary" } });
    world.patch("Secret", "paypal", secret).await;
    world
        .eventually("the new credentials to be noted", || async {
            let now = fingerprint(&world).await;
            (now != before).then_some(()).ok_or(now.to_string())
        })
        .await;
    assert_eq!(patches(&world).len(), 1);
    let body = patches(&world).remove(0);
    assert_eq!(body[0]["path"], "/auth/params");
    assert_eq!(body[0]["value"]["clientSecret"], "a-new-canary");
    assert_eq!(body[0]["value"]["host"], "api.paypal.com");
    // Neither a label on the Secret nor a restart calls for them again.
    let label = json!({ "metadata": { "labels": { "team": "payments" } } });
    world.patch("Secret", "paypal", label).await;
    world.kill_operator().await;
    world.start_operator();
    let lists = world.simulator.count("GET", "/connections");
    world
        .eventually("two more lists", || async {
            let more = world.simulator.count("GET", "/connections") - lists;
            (more >= 2).then_some(()).ok_or(more.to_string())
        })
        .await;
    assert_eq!(patches(&world).len(), 1);
    let status = world.get("BaseConnection", "paypal").await["status"].to_string();
    assert!(!status.contains("canary"), "{status}");
}

#[tokio::test]
async fn a_rotated_client_secret_is_used_without_a_restart() {
    let world = settled().await;
    let secrets = vec!["rotated".to_owned()];
    world
        .simulator
        .set_secrets("aep-operator-demo", secrets)
        .unwrap();
    world.simulator.revoke_tokens();
    let request = json!({ "aep-operator.io/requested-at": "now" });
    let request = json!({ "metadata": { "annotations": request } });
    world.patch("Sandbox", "default", request).await;
    let sandbox = world
        .reason("Sandbox", "default", "InvalidCredentials")
        .await;
    assert_eq!(condition(&sandbox, "Stalled")["status"], "True");
    let secret = json!({ "stringData": { "clientSecret": "rotated" } });
    world.patch("Secret", "adobe-io", secret).await;
    world.reason("Sandbox", "default", "Succeeded").await;
    let patch = json!({ "spec": { "description": "after the rotation" } });
    world.patch("Dataflow", "payments", patch).await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    let held = world.simulator.objects("prod", "flows").remove(0);
    let description = held["description"].as_str().unwrap();
    assert!(description.starts_with("after the rotation"));
}

#[tokio::test]
async fn who_was_refused_goes_on_once_the_secret_is_corrected_although_the_sandbox_noticed_nothing()
{
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let secrets = vec!["rotated".to_owned()];
    world
        .simulator
        .set_secrets("aep-operator-demo", secrets)
        .unwrap();
    world.simulator.revoke_tokens();
    let patch = json!({ "spec": { "description": "after the rotation" } });
    world.patch("Dataflow", "payments", patch).await;
    world
        .reason("Dataflow", "payments", "InvalidCredentials")
        .await;
    let sandbox = world.get("Sandbox", "default").await;
    assert_eq!(condition(&sandbox, "Ready")["status"], "True");
    let secret = json!({ "stringData": { "clientSecret": "rotated" } });
    world.patch("Secret", "adobe-io", secret).await;
    world.reason("Dataflow", "payments", "Succeeded").await;
}

/// The next calls to a service are refused with a token that IMS has just issued.
fn lose_tokens(world: &World, service: &str, times: Times) {
    let fault = Fault::new(Effect::ExpiredToken).service(service);
    world.simulator.inject(fault.times(times));
}

#[tokio::test]
async fn tokens_lost_in_a_row_delay_a_pipeline_by_seconds() {
    let world = World::new().await;
    for service in ["sandbox", "registry", "catalog", "flow", "data-prep"] {
        lose_tokens(&world, service, Times::Next(4));
    }
    let started = Instant::now();
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let time = started.elapsed();
    assert!(time < Duration::from_secs(30), "{time:?}");
    let calls = world.simulator.calls();
    let refused = calls.iter().filter(|call| call.status == 401).count();
    assert_eq!(refused, 20);
    let tokens = world.simulator.count("POST", "/ims/token/v3");
    assert!(tokens <= 21, "{tokens} tokens");
}

#[tokio::test]
async fn a_gateway_that_refuses_every_token_is_retried_with_backoff_and_stalls_nobody_at_once() {
    let world = World::new().await;
    lose_tokens(&world, "sandbox", Times::Every);
    world.apply_sample("payments").await;
    let words = "Sandbox Management: Oauth token is not valid (401013)";
    let sandbox = world.says("Sandbox", "default", words).await;
    assert_eq!(condition(&sandbox, "Ready")["reason"], "AdobeUnavailable");
    assert!(condition(&sandbox, "Stalled").is_null());
    world
        .eventually("a fifth call", || async {
            let calls = world.simulator.calls();
            let refused = calls.iter().filter(|call| call.status == 401);
            let times: Vec<_> = refused.map(|call| call.time_ms).collect();
            let many = times.len() >= 5;
            many.then_some(()).ok_or(format!("{times:?}"))
        })
        .await;
    // Each call needed a new token, and IMS issued it.
    let calls = world.simulator.calls();
    let refused = calls.iter().filter(|call| call.service == "sandbox");
    let times: Vec<_> = refused.map(|call| call.time_ms).collect();
    let tokens = calls.iter().filter(|call| call.service == "ims").count();
    assert!(tokens <= times.len() + 1, "{tokens}, {times:?}");
    assert!(times[4] - times[0] >= 2_500, "{times:?}");
    world.simulator.clear_faults();
    world.reason("Sandbox", "default", "Succeeded").await;
}
