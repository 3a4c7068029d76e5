//! The states between: what can be seen of objects before they are enabled, and what cannot be done with them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Ends, Rig, send, source, target};

const HOUR: Duration = Duration::from_secs(3600);

fn rename() -> Value {
    json!([{ "op": "replace", "path": "/name", "value": "new" }])
}

#[tokio::test]
async fn a_connection_may_initialize_before_it_is_enabled() {
    let rig = Rig::slow().await;
    rig.simulator
        .set_first_state("connections", Some("initializing"));
    let path = format!("/connections/{}", rig.connection().await);
    let early = rig.get(&path).await;
    assert_eq!(early.item()["state"], "initializing");
    assert_eq!(early.item()["etag"], Value::Null);
    let etag = rig.simulator.objects("dev", "connections")[0]["etag"].clone();
    let change = rig.patch_as(&path, etag.as_str().unwrap(), &rename()).await;
    assert_eq!(change.code(), (400, "FLOW-1417-400"));
    assert_eq!(rig.delete(&path).await.code(), (400, "FLOW-1417-400"));
    rig.simulator.advance(HOUR);
    let late = rig.get(&path).await;
    assert_eq!(late.item()["state"], "enabled");
    assert!(late.item()["auth"]["params"]["orgId"].is_string());
    assert_eq!(rig.patch(&path, &rename()).await.status, 200);
    rig.simulator.set_first_state("connections", None);
    let path = format!("/connections/{}", rig.connection().await);
    assert_eq!(rig.get(&path).await.item()["state"], "enabled");
}

#[tokio::test]
async fn first_states_are_set_over_http_and_leave_drafts_alone() {
    let rig = Rig::slow().await;
    let states = json!({ "firstStates": {
        "sourceConnections": "inProgress", "targetConnections": "inProgress", "flows": "enabled-finalizing" }});
    let url = format!("{}/_sim/settings", rig.simulator.url());
    assert_eq!(send(rig.http.patch(url).json(&states)).await.status, 204);
    let base = rig.connection().await;
    let source = rig.create("/sourceConnections", &source(&base)).await;
    let target = rig.create("/targetConnections", &target()).await;
    let path = format!("/sourceConnections/{source}");
    assert_eq!(rig.get(&path).await.item()["state"], "inProgress");
    assert_eq!(
        rig.patch(&path, &rename()).await.code(),
        (400, "FLOW-1457-400")
    );
    assert_eq!(rig.delete(&path).await.code(), (400, "FLOW-1458-400"));
    let body = Ends {
        base,
        source,
        target,
    }
    .flow();
    let draft = rig.create("/flows?mode=draft", &body).await;
    assert_eq!(
        rig.get(&format!("/flows/{draft}")).await.item()["state"],
        "draft"
    );
    let flow = format!("/flows/{}", rig.create("/flows", &body).await);
    assert_eq!(rig.get(&flow).await.item()["state"], "enabled-finalizing");
    assert_eq!(
        rig.patch(&flow, &rename()).await.code(),
        (400, "FLOW-1420-400")
    );
    rig.simulator.advance(HOUR);
    assert_eq!(rig.get(&flow).await.item()["state"], "enabled");
    assert_eq!(rig.get(&path).await.item()["state"], "enabled");
}

#[tokio::test]
async fn a_state_set_by_hand_stays() {
    let rig = Rig::lenient().await;
    let (ends, id) = rig.flow().await;
    let path = format!("/flows/{id}");
    let put = |kind: &str, id: &str, state: &str| {
        rig.simulator
            .edit("dev", kind, id, &json!({ "state": state }))
            .unwrap();
    };
    put("flows", &id, "delete-finalizing");
    assert_eq!(
        rig.patch(&path, &rename()).await.code(),
        (400, "FLOW-1420-400")
    );
    assert_eq!(rig.delete(&path).await.code(), (400, "FLOW-1458-400"));
    put("flows", &id, "draft");
    assert_eq!(
        rig.act(&format!("{path}/action?op=publish")).await.status,
        200
    );
    assert_eq!(rig.get(&path).await.item()["state"], "enabled");
    put("connections", &ends.base, "delete-finalizing");
    let base = format!("/connections/{}", ends.base);
    assert_eq!(
        rig.patch(&base, &rename()).await.code(),
        (400, "FLOW-1457-400")
    );
}
