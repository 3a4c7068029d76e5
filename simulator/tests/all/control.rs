//! What can be seen and changed from outside, in the process and over HTTP.

use aep_simulator::Options;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{DATA_SET, Rig, options, send};

async fn admin(rig: &Rig, method: Method, path: &str, body: Option<Value>) -> crate::client::Reply {
    let request = rig
        .http
        .request(method, format!("{}/_sim{path}", rig.simulator.url()));
    send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn calls_are_logged_with_their_route_and_without_credentials() {
    let rig = Rig::lenient().await;
    let id = rig.connection().await;
    rig.get(&format!("/connections/{id}")).await;
    let calls = rig.simulator.calls();
    let last = calls.last().unwrap();
    assert_eq!(
        (last.route.as_str(), last.service.as_str(), last.status),
        ("/connections/{id}", "flow", 200)
    );
    assert_eq!(last.answer.as_ref().unwrap()["items"][0]["id"], id);
    assert_eq!(rig.simulator.count("GET", "/connections/{id}"), 1);
    let log = serde_json::to_string(&calls).unwrap();
    assert!(!log.contains(&rig.token) && !log.contains("demo-secret"));
    let counts = admin(&rig, Method::GET, "/counts", None).await;
    assert_eq!(counts.body["POST ims /ims/token/v3"], 1);
    rig.simulator.clear_calls();
    assert!(rig.simulator.calls().is_empty());
}

#[tokio::test]
async fn people_change_and_delete_things_behind_the_clients_back() {
    let rig = Rig::lenient().await;
    let (_, flow) = rig.flow().await;
    let before = rig.get(&format!("/flows/{flow}")).await.item()["etag"].clone();
    let edited = rig
        .simulator
        .edit("dev", "flows", &flow, &json!({ "name": "by hand" }))
        .unwrap();
    assert_eq!(edited["name"], "by hand");
    assert_ne!(
        rig.get(&format!("/flows/{flow}")).await.item()["etag"],
        before
    );
    let total = rig.simulator.object_count("dev");
    assert!(rig.simulator.delete("dev", "flows", &flow).unwrap());
    assert!(!rig.simulator.delete("dev", "flows", &flow).unwrap());
    assert_eq!(rig.simulator.object_count("dev"), total - 1);
}

#[tokio::test]
async fn what_people_delete_is_gone_at_once() {
    let rig = Rig::slow().await;
    let (_, flow) = rig.flow().await;
    let path = format!("/flows/{flow}");
    assert_eq!(rig.get(&path).await.item()["state"], "enabling");
    assert!(rig.simulator.delete("dev", "flows", &flow).unwrap());
    assert_eq!(rig.get(&path).await.code(), (404, "FLOW-1439-404"));
}

#[tokio::test]
async fn the_same_is_possible_over_http() {
    let rig = Rig::lenient().await;
    let (_, flow) = rig.flow().await;
    let path = format!("/sandboxes/dev/flows/{flow}");
    assert_eq!(
        admin(&rig, Method::GET, "/sandboxes/dev/flows", None)
            .await
            .body[0]["id"],
        flow
    );
    assert_eq!(
        admin(&rig, Method::PATCH, &path, Some(json!({ "name": "x" })))
            .await
            .body["name"],
        "x"
    );
    assert_eq!(
        admin(&rig, Method::GET, "/sandboxes/dev", None).await.body["kinds"]["flows"],
        1
    );
    let run = admin(
        &rig,
        Method::POST,
        &format!("{path}/runs"),
        Some(json!({ "status": "success", "inputRecords": 5 })),
    )
    .await;
    assert_eq!(
        rig.get(&format!("/runs/{}", run.id())).await.item()["flowId"],
        flow
    );
    assert_eq!(
        admin(&rig, Method::PUT, &format!("{path}/hidden"), None)
            .await
            .status,
        204
    );
    assert_eq!(rig.get(&format!("/flows/{flow}")).await.status, 404);
    assert_eq!(admin(&rig, Method::DELETE, &path, None).await.status, 204);
    let fault = json!({ "service": "flow", "times": { "next": 1 }, "effect": { "answer": { "status": 503 } } });
    assert_eq!(
        admin(&rig, Method::POST, "/faults", Some(fault))
            .await
            .status,
        204
    );
    assert_eq!(rig.get("/flows").await.status, 503);
    assert_eq!(
        admin(
            &rig,
            Method::PATCH,
            "/settings",
            Some(json!({ "profile": "strict" }))
        )
        .await
        .status,
        204
    );
    assert_eq!(rig.get("/flows?limit=1000").await.status, 400);
    assert_eq!(
        admin(
            &rig,
            Method::POST,
            "/clock",
            Some(json!({ "advanceMs": 90_000_000 }))
        )
        .await
        .status,
        200
    );
    assert_eq!(rig.get("/flows").await.status, 401, "the token has expired");
    assert_eq!(admin(&rig, Method::GET, "/nothing", None).await.status, 404);
    assert_eq!(
        admin(&rig, Method::GET, "/sandboxes/dev/nothing", None)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn housekeeping_moves_data_sets() {
    let rig = Rig::lenient().await;
    rig.simulator.housekeeping("dev").unwrap();
    let data_set = rig.simulator.object("dev", "dataSets", DATA_SET).unwrap();
    assert_eq!(
        (&data_set["version"], &data_set["id"]),
        (&json!("1.0.1"), &json!(DATA_SET))
    );
    assert!(data_set["tags"]["aep/siphon/cleanup/trash/timestamp"].is_array());
}

#[tokio::test]
async fn a_reset_sandbox_is_empty_and_cannot_be_used_until_the_reset_is_over() {
    let rig = Rig::slow().await;
    rig.connection().await;
    let reset = admin(&rig, Method::POST, "/sandboxes/dev/reset", None).await;
    assert_eq!(reset.status, 204);
    assert_eq!(rig.get("/connections").await.code(), (404, "FLOW-2100-404"));
    rig.simulator.advance(std::time::Duration::from_secs(3600));
    assert_eq!(rig.get("/connections").await.body["items"], json!([]));
    assert_eq!(rig.simulator.object_count("dev"), 0);
}

#[tokio::test]
async fn every_exchange_can_be_recorded() {
    let file =
        std::env::temp_dir().join(format!("aep-simulator-record-{}.jsonl", std::process::id()));
    let rig = Rig::with(Options {
        record: Some(file.clone()),
        ..options()
    })
    .await;
    rig.connection().await;
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    let url = lines[1]["request"]["url"].as_str().unwrap();
    assert_eq!(
        url,
        format!(
            "{}/data/foundation/flowservice/connections",
            rig.simulator.url()
        )
    );
    assert_eq!(lines[1]["response"]["status"], 201);
    assert!(!text.contains(&rig.token));
}

#[tokio::test]
async fn organisations_are_apart() {
    let rig = Rig::lenient().await;
    rig.connection().await;
    assert_eq!(rig.simulator.objects("dev", "connections").len(), 1);
    assert_eq!(rig.simulator.objects("acme:dev", "connections").len(), 1);
    assert_eq!(rig.simulator.objects("globex:dev", "connections").len(), 0);
}
