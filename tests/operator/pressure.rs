//! Adobe asks for patience, fails, or falls silent: the operator waits as it is asked to, and reports the truth meanwhile.

use std::time::{Duration, Instant};

use aep_simulator::{Effect, Fault, Options, Reply, Times};
use aep_test_kit::{World, condition, sample};
use serde_json::{Value, json};

#[tokio::test]
async fn pauses_that_adobe_asks_for_are_kept_by_the_whole_sandbox() {
    const PAUSE: i64 = 5_000;
    let world = World::new().await;
    let throttled = Reply::throttled(Some(Duration::from_millis(PAUSE.unsigned_abs())));
    let fault = Fault::answer(throttled).method("POST").service("flow");
    world.simulator.inject(fault.times(Times::Next(3)));
    let objects = world.apply_sample("payments").await;
    let pauses = || async {
        let calls = world.simulator.calls();
        let throttled = calls.iter().filter(|call| call.status == 429);
        let since: Vec<_> = throttled.map(|call| call.time_ms).collect();
        let all = since.len() == 3;
        all.then_some(since.clone()).ok_or(format!("{since:?}"))
    };
    let pauses = world
        .eventually("three calls to be throttled", pauses)
        .await;
    world.all_ready(&objects).await;
    let calls = world.simulator.calls();
    // What was under way when the answer came could not be held back.
    let early: Vec<_> = calls
        .iter()
        .filter(|call| {
            let during = |since: &i64| (since + 200..since + PAUSE - 100).contains(&call.time_ms);
            pauses.iter().any(during)
        })
        .collect();
    assert!(early.is_empty(), "{early:?}");
    let over = pauses.iter().max().unwrap() + PAUSE;
    let last = calls.iter().map(|call| call.time_ms).max().unwrap();
    let late = last - over;
    println!("{late} ms after the last pause all was done");
    // A second, and what this machine is busy with; back-off would take far longer.
    assert!(late < 3000, "{late} ms late");
}

#[tokio::test]
async fn passing_trouble_is_reconciling_and_never_stalled() {
    let world = World::tuned(aep_simulator::Options::default(), |settings| {
        settings.request_timeout = Duration::from_secs(1);
    })
    .await;
    for reply in [Reply::throttled(None), Reply::empty(503), Reply::html(502)] {
        let fault = Fault::answer(reply).method("POST").path("/flows");
        world.simulator.inject(fault.times(Times::Next(2)));
    }
    let objects = sample("payments");
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    let (mut stalled, mut states) = (false, Vec::new());
    let deadline = Instant::now() + aep_test_kit::PATIENCE;
    loop {
        let flow = world.get("Dataflow", "payments").await;
        stalled |= !condition(&flow, "Stalled").is_null();
        let ready = condition(&flow, "Ready");
        let state = format!("{} {}", ready["reason"], ready["message"]);
        if states.last() != Some(&state) {
            states.push(state);
        }
        if ready["status"] == "True" {
            break;
        }
        assert!(Instant::now() < deadline, "{states:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!stalled, "{states:?}");
    // Four waits, five failures, looking for what may exist: each is reported, and nothing is reported twice in a row.
    assert!(states.len() <= 12, "{states:?}");
}

#[tokio::test]
async fn a_slow_sandbox_holds_up_nobody_else() {
    let world = World::new().await;
    let sandbox = json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "Sandbox",
        "metadata": { "name": "slow" },
        "spec": { "sandboxName": "stage", "imsOrgId": "0123456789ABCDEF@AdobeOrg",
                  "credentialsRef": { "name": "adobe-io" } },
    });
    for object in sample("payments").iter().filter(|o| o["kind"] == "Secret") {
        world.apply(object).await.unwrap();
    }
    world.apply(&sandbox).await.unwrap();
    world.reason("Sandbox", "slow", "Succeeded").await;
    let slow = Fault::new(Effect::HangBefore).sandbox("stage");
    world.simulator.inject(slow.times(Times::Every));
    // More of one kind than may be at work at a time.
    for number in 0..40 {
        let dataset = json!({
            "apiVersion": "aep-operator.io/v1alpha1", "kind": "Dataset",
            "metadata": { "name": format!("slow-{number}") },
            "spec": { "name": "slow", "sandboxRef": { "name": "slow" },
                      "schemaId": "https://ns.adobe.com/acme/schemas/1" },
        });
        world.apply(&dataset).await.unwrap();
    }
    let objects = world.apply_sample("payments").await;
    let started = Instant::now();
    world.all_ready(&objects).await;
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_burst_above_adobes_limit_ends_with_everything_ready() {
    let options = Options {
        rate_limit: Some(10),
        ..Options::default()
    };
    let world = World::with(options).await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    assert_eq!(world.simulator.objects("prod", "flows").len(), 1);
}

/// A Sandbox resource of the credentials in the samples.
fn sandbox(name: &str, sandbox: &str) -> Value {
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "Sandbox",
        "metadata": { "name": name },
        "spec": { "sandboxName": sandbox, "imsOrgId": "0123456789ABCDEF@AdobeOrg", "ownerId": name,
                  "credentialsRef": { "name": "adobe-io" },
                  "limits": { "requestsPerSecond": RATE, "burst": BURST } },
    })
}

const RATE: usize = 10;
const BURST: usize = 5;

/// A connection to the data lake, which needs no credentials.
fn connection(name: &str, sandbox: &str) -> Value {
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "BaseConnection",
        "metadata": { "name": name },
        "spec": { "name": name, "sandboxRef": { "name": sandbox },
                  "connectionSpec": { "id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c" } },
    })
}

/// Three Sandboxes with the same credentials, two of them for the same sandbox at Adobe.
async fn three_sandboxes() -> World {
    let world = World::new().await;
    for object in sample("payments").iter().filter(|o| o["kind"] == "Secret") {
        world.apply(object).await.unwrap();
    }
    let sandboxes = [("one", "prod"), ("two", "prod"), ("stage", "stage")];
    for (name, at_adobe) in sandboxes {
        world.apply(&sandbox(name, at_adobe)).await.unwrap();
    }
    for (name, _) in sandboxes {
        world.reason("Sandbox", name, "Succeeded").await;
    }
    world
}

#[tokio::test]
async fn two_sandbox_resources_of_one_sandbox_share_a_token_and_a_rate_limit() {
    let world = three_sandboxes().await;
    for number in 0..15 {
        for name in ["one", "two"] {
            let object = connection(&format!("{name}-{number}"), name);
            world.apply(&object).await.unwrap();
        }
    }
    for number in 0..15 {
        for name in ["one", "two"] {
            let name = format!("{name}-{number}");
            world.reason("BaseConnection", &name, "Succeeded").await;
        }
    }
    assert_eq!(world.simulator.count("POST", "/ims/token/v3"), 1);
    let calls = world.simulator.calls();
    let times = calls.iter().filter(|call| call.sandbox == "prod");
    let times: Vec<_> = times.map(|call| call.time_ms).collect();
    assert!(times.len() > 40, "{}", times.len());
    // Requests do not all take the same time on their way.
    let margin = 2;
    for (index, from) in times.iter().enumerate() {
        let within = times[index..].iter().filter(|at| **at < from + 1000);
        let within = within.count();
        assert!(within <= RATE + BURST + margin, "{within} in a second");
    }
}

#[tokio::test]
async fn a_pause_that_adobe_asks_one_sandbox_resource_for_is_kept_by_the_other() {
    const PAUSE: i64 = 4_000;
    let world = three_sandboxes().await;
    let throttled = Reply::throttled(Some(Duration::from_millis(PAUSE.unsigned_abs())));
    let fault = Fault::answer(throttled).method("POST").sandbox("prod");
    world.simulator.inject(fault.path("/connections"));
    world.apply(&connection("first", "one")).await.unwrap();
    world.reason("BaseConnection", "first", "Throttled").await;
    world.apply(&connection("second", "two")).await.unwrap();
    world.apply(&connection("third", "stage")).await.unwrap();
    world.reason("BaseConnection", "second", "Throttled").await;
    for name in ["first", "second", "third"] {
        world.reason("BaseConnection", name, "Succeeded").await;
    }
    let calls = world.simulator.calls();
    let since = calls.iter().find(|call| call.status == 429);
    let since = since.unwrap().time_ms;
    let until = since + PAUSE - 100;
    let asked = |sandbox: &str, from: i64| {
        let during = calls
            .iter()
            .filter(|it| (from..until).contains(&it.time_ms));
        during.filter(|it| it.sandbox == sandbox).count()
    };
    // What was on its way already still arrives.
    assert_eq!(asked("prod", since + 200), 0);
    assert!(asked("stage", since) > 0);
    assert_eq!(world.simulator.count("POST", "/ims/token/v3"), 1);
}
