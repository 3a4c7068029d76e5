//! Everything that can go wrong on the way.

use std::time::{Duration, SystemTime};

use aep_simulator::{Effect, Fault, Options, Reply, Times};
use reqwest::Method;
use serde_json::json;

use crate::client::{Rig, connection, options};

#[tokio::test]
async fn too_many_requests_come_with_and_without_a_time() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::answer(Reply::throttled(Some(Duration::from_secs(
            38,
        )))));
    rig.simulator.inject(Fault::answer(Reply::throttled(None)));
    rig.simulator.inject(Fault::answer(Reply::throttled_until(
        SystemTime::UNIX_EPOCH,
    )));
    let (first, second, third) = (
        rig.get("/flows").await,
        rig.get("/flows").await,
        rig.get("/flows").await,
    );
    assert_eq!(
        (first.status, first.body["error_code"].as_str()),
        (429, Some("429050"))
    );
    assert_eq!(first.headers["retry-after"], "38");
    assert!(second.headers.get("retry-after").is_none());
    assert_eq!(
        third.headers["retry-after"],
        "Thu, 01 Jan 1970 00:00:00 GMT"
    );
    assert_eq!(rig.get("/flows").await.status, 200);
}

#[tokio::test]
async fn a_fault_hits_what_it_names_and_nothing_else() {
    let rig = Rig::lenient().await;
    let fault = Fault::answer(Reply::html(503))
        .method("post")
        .service("flow")
        .path("/connections")
        .sandbox("dev");
    rig.simulator
        .inject(fault.body("paypal").times(Times::Next(2)));
    assert_eq!(rig.get("/connections").await.status, 200);
    assert_eq!(
        rig.post("/flows", &json!({ "name": "paypal" }))
            .await
            .status,
        400
    );
    assert_eq!(rig.post("/connections", &connection()).await.status, 503);
    assert_eq!(rig.simulator.faults()[0].times, Times::Next(1));
    assert_eq!(rig.post("/connections", &connection()).await.status, 503);
    assert_eq!(rig.post("/connections", &connection()).await.status, 201);
}

#[tokio::test]
async fn faults_last_until_they_are_cleared_or_strike_by_chance() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::answer(Reply::empty(502)).times(Times::Every));
    for _ in 0..3 {
        assert_eq!(rig.get("/flows").await.status, 502);
    }
    rig.simulator.clear_faults();
    rig.simulator
        .inject(Fault::answer(Reply::empty(500)).times(Times::Chance(0.5)));
    let mut failed = 0;
    for _ in 0..100 {
        failed += u32::from(rig.get("/flows").await.status == 500);
    }
    assert!((20..80).contains(&failed), "{failed}");
}

#[tokio::test]
async fn a_connection_dropped_before_the_work_leaves_nothing() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::new(Effect::DropBefore).path("/connections"));
    let error = rig
        .request(Method::POST, "/connections")
        .json(&connection())
        .send()
        .await
        .unwrap_err();
    assert!(!error.is_timeout());
    assert!(rig.simulator.objects("dev", "connections").is_empty());
    assert_eq!(rig.post("/connections", &connection()).await.status, 201);
}

#[tokio::test]
async fn a_connection_dropped_after_the_work_leaves_the_object() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::new(Effect::DropAfter).path("/connections"));
    assert!(
        rig.request(Method::POST, "/connections")
            .json(&connection())
            .send()
            .await
            .is_err()
    );
    assert_eq!(rig.simulator.objects("dev", "connections").len(), 1);
    let call = rig.simulator.calls().pop().unwrap();
    assert_eq!((call.status, call.faulted), (0, true));
    assert_eq!(
        rig.simulator.count("POST", "/connections"),
        1,
        "nobody repeats the call behind the caller's back"
    );
}

#[tokio::test]
async fn a_call_can_hang_after_the_work() {
    let rig = Rig::lenient().await;
    for (effect, left) in [(Effect::HangBefore, 0), (Effect::HangAfter, 1)] {
        rig.simulator.inject(Fault::new(effect));
        let request = rig
            .request(Method::POST, "/connections")
            .timeout(Duration::from_millis(200));
        assert!(
            request
                .json(&connection())
                .send()
                .await
                .unwrap_err()
                .is_timeout()
        );
        assert_eq!(rig.simulator.objects("dev", "connections").len(), left);
    }
}

#[tokio::test]
async fn an_error_can_hide_that_the_work_was_done() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::new(Effect::AnswerAfter(Reply::empty(504))));
    assert_eq!(rig.post("/connections", &connection()).await.status, 504);
    assert_eq!(rig.simulator.objects("dev", "connections").len(), 1);
}

#[tokio::test]
async fn an_answer_can_end_in_the_middle() {
    let rig = Rig::lenient().await;
    rig.simulator.inject(Fault::new(Effect::Truncate));
    let reply = rig.get("/connectionSpecs").await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.is_string(), "not JSON");
}

#[tokio::test]
async fn a_token_can_expire_at_any_moment() {
    let rig = Rig::lenient().await;
    rig.simulator.inject(Fault::new(Effect::ExpiredToken));
    assert_eq!(rig.get("/flows").await.body["error_code"], "401013");
    assert_eq!(rig.get("/flows").await.status, 200);
}

#[tokio::test]
async fn the_rate_is_limited_per_sandbox() {
    let rig = Rig::with(Options {
        rate_limit: Some(3),
        ..options()
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(rig.get("/flows").await.status);
    }
    assert_eq!(&statuses[..3], [200, 200, 200]);
    assert!(statuses.contains(&429));
    rig.simulator.advance(Duration::from_secs(1));
    assert_eq!(rig.get("/flows").await.status, 200);
}

#[tokio::test]
async fn calls_overlap_whatever_the_latency() {
    let rig = Rig::with(Options {
        latency: Duration::from_millis(300),
        ..options()
    })
    .await;
    let begun = std::time::Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|_| rig.request(Method::GET, "/flows").send())
        .collect();
    let mut tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    for task in &mut tasks {
        assert_eq!(task.await.unwrap().unwrap().status(), 200);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "twenty calls one after the other take six seconds"
    );
}

#[tokio::test]
async fn after_it_stopped_nobody_answers() {
    let rig = Rig::lenient().await;
    let request = rig.request(Method::GET, "/flows");
    let port = rig
        .simulator
        .url()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    rig.simulator.stop().await;
    assert!(request.send().await.is_err());
    let again = aep_simulator::Simulator::start(Options {
        port: Some(port),
        ..options()
    })
    .await;
    assert!(again.is_ok(), "the port is free again");
}

/// A create that a gateway has given up is done all the same, a while later.
#[tokio::test]
async fn a_call_without_an_answer_may_take_effect_late() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::new(Effect::Late(200)).method("POST"));
    let request = rig.request(Method::POST, "/connections");
    assert!(request.json(&connection()).send().await.is_err());
    let held = || rig.simulator.objects("dev", "connections").len();
    assert_eq!(held(), 0);
    while held() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_fault_in_the_readme_is_ordered() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page
        .split("```sh\n")
        .filter_map(|it| it.split("```").next());
    let command = blocks
        .into_iter()
        .find(|it| it.starts_with("curl "))
        .unwrap();
    let rig = Rig::lenient().await;
    let command = command.replace("http://127.0.0.1:8400", rig.simulator.url());
    let shell = tokio::task::spawn_blocking(move || {
        let mut shell = std::process::Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &command]).status()
    });
    assert!(shell.await.unwrap().unwrap().success());
    let fault = Fault::new(Effect::DropAfter).method("POST").service("flow");
    let fault = fault.path("/flows").sandbox("dev").times(Times::Next(2));
    assert_eq!(rig.simulator.faults(), [fault]);
}
