//! Flows: their rules, their states, their labels.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{OTHER_MAPPING, PAYPAL, Rig, connection, source, target};

/// The provider's code for a flow with this schedule.
async fn scheduled(rig: &Rig, schedule: Value) -> String {
    let mut flow = rig.ends().await.flow();
    flow["scheduleParams"] = schedule;
    if flow["scheduleParams"]["frequency"] == "once" {
        flow["transformations"].as_array_mut().unwrap().remove(0);
    }
    rig.post("/flows", &flow).await.provider().to_owned()
}

#[tokio::test]
async fn a_schedule_obeys_its_spec() {
    let rig = Rig::lenient().await;
    let start = 4_102_444_800_i64;
    let cases = [
        (
            json!({ "startTime": start, "frequency": "minute", "interval": 10 }),
            "1362",
        ),
        (
            json!({ "startTime": start, "frequency": "once", "interval": 1 }),
            "1361",
        ),
        (
            json!({ "startTime": start, "frequency": "once", "backfill": true }),
            "1364",
        ),
        (
            json!({ "startTime": start, "frequency": "fortnight", "interval": 1 }),
            "1397",
        ),
        (json!({}), "1317"),
        (
            json!({ "startTime": start, "frequency": "day", "interval": 1 }),
            "",
        ),
    ];
    for (schedule, code) in cases {
        assert_eq!(scheduled(&rig, schedule.clone()).await, code, "{schedule}");
    }
}

#[tokio::test]
async fn numbers_spelled_as_text_are_taken_and_given_back_as_text() {
    let rig = Rig::lenient().await;
    let mut flow = rig.ends().await.flow();
    flow["scheduleParams"] = json!({ "startTime": "1567411548", "frequency": "minute", "interval": "30", "backfill": "true" });
    flow["transformations"][1]["params"]["mappingVersion"] = json!("0");
    let id = rig.create("/flows", &flow).await;
    let read = rig.get(&format!("/flows/{id}")).await;
    assert_eq!(read.item()["scheduleParams"], flow["scheduleParams"]);
    assert_eq!(read.item()["transformations"], flow["transformations"]);
}

#[tokio::test]
async fn a_flow_copies_and_maps_what_fits() {
    let rig = Rig::lenient().await;
    let ends = rig.ends().await;
    let mut no_copy = ends.flow();
    no_copy["transformations"].as_array_mut().unwrap().remove(0);
    assert_eq!(rig.post("/flows", &no_copy).await.provider(), "1367");
    let mut delta_once = ends.flow();
    delta_once["scheduleParams"] = json!({ "startTime": 4_102_444_800_i64, "frequency": "once" });
    assert_eq!(rig.post("/flows", &delta_once).await.provider(), "1369");
    let mut state = ends.flow();
    state["state"] = json!("enabled");
    assert_eq!(
        rig.post("/flows", &state).await.code(),
        (400, "FLOW-1410-400")
    );
    let mut mode = ends.flow();
    mode["mode"] = json!("draft");
    assert_eq!(rig.post("/flows", &mode).await.provider(), "1368");
    let mut two_sources = ends.flow();
    two_sources["sourceConnectionIds"] = json!([ends.source, ends.source]);
    assert_eq!(rig.post("/flows", &two_sources).await.provider(), "1320");
    for (params, code) in [
        (
            json!({ "mappingId": OTHER_MAPPING, "mappingVersion": 0 }),
            "FLOW-1425-400",
        ),
        (json!({ "mappingId": "none" }), "FLOW-1419-400"),
        (
            json!({ "mappingId": crate::client::MAPPING, "mappingVersion": 7 }),
            "FLOW-1412-400",
        ),
    ] {
        let mut flow = ends.flow();
        flow["transformations"][1]["params"] = params;
        assert_eq!(rig.post("/flows", &flow).await.code(), (400, code));
    }
}

#[tokio::test]
async fn the_letter_refuses_a_start_in_the_past_and_a_target_with_the_sources_spec() {
    for (rig, strict) in [(Rig::lenient().await, false), (Rig::strict().await, true)] {
        let ends = rig.ends().await;
        let mut past = ends.flow();
        past["scheduleParams"]["startTime"] = json!(1_567_411_548);
        let past = rig.post("/flows", &past).await;
        let mut body = target();
        body["connectionSpec"]["id"] = json!(PAYPAL);
        let mut flow = ends.flow();
        flow["targetConnectionIds"] = json!([rig.create("/targetConnections", &body).await]);
        let old_target = rig.post("/flows", &flow).await;
        if strict {
            assert_eq!((past.provider(), old_target.provider()), ("1360", "1307"));
        } else {
            assert_eq!((past.status, old_target.status), (201, 201));
        }
    }
}

#[tokio::test]
async fn a_started_flow_keeps_its_start() {
    let rig = Rig::lenient().await;
    let ends = rig.ends().await;
    let mut flow = ends.flow();
    flow["scheduleParams"] =
        json!({ "startTime": rig.now() + 60, "frequency": "day", "interval": 1, "backfill": true });
    let path = format!("/flows/{}", rig.create("/flows", &flow).await);
    let replace = |member: &str, value: Value| json!([{ "op": "replace", "path": format!("/scheduleParams/{member}"), "value": value }]);
    let later = rig
        .patch(&path, &replace("startTime", json!(rig.now() + 120)))
        .await;
    assert_eq!(later.status, 200, "before the start, the start can move");
    rig.simulator.advance(Duration::from_secs(300));
    assert_eq!(
        rig.patch(&path, &replace("startTime", json!(rig.now() + 60)))
            .await
            .provider(),
        "1366"
    );
    assert_eq!(
        rig.patch(&path, &replace("frequency", json!("once")))
            .await
            .provider(),
        "1403"
    );
    assert_eq!(
        rig.patch(&path, &replace("backfill", json!(false)))
            .await
            .provider(),
        "1404"
    );
    assert_eq!(
        rig.patch(&path, &replace("frequency", json!("week")))
            .await
            .status,
        200
    );
    let state = json!([{ "op": "replace", "path": "/state", "value": "disabled" }]);
    assert_eq!(rig.patch(&path, &state).await.provider(), "1365");
}

#[tokio::test]
async fn a_flow_rests_while_an_operation_runs() {
    let rig = Rig::slow().await;
    let (_, id) = rig.flow().await;
    let path = format!("/flows/{id}");
    let change = json!([{ "op": "replace", "path": "/name", "value": "new" }]);
    assert_eq!(rig.get(&path).await.item()["state"], "enabling");
    assert_eq!(
        rig.patch(&path, &change).await.code(),
        (400, "FLOW-1420-400")
    );
    assert_eq!(
        rig.act(&format!("{path}/action?op=disable")).await.code(),
        (400, "FLOW-1421-400")
    );
    assert_eq!(rig.delete(&path).await.code(), (400, "FLOW-1458-400"));
    let before = rig.get(&path).await.item()["etag"].clone();
    rig.simulator.advance(Duration::from_secs(3600));
    let after = rig.get(&path).await;
    assert_eq!(after.item()["state"], "enabled");
    assert_eq!(
        after.item()["lastOperation"]["status"]["value"],
        "completed"
    );
    assert_ne!(after.item()["etag"], before);
    assert_eq!(rig.patch(&path, &change).await.status, 200);
    assert_eq!(rig.get(&path).await.item()["state"], "updating");
}

#[tokio::test]
async fn a_deleted_flow_is_read_until_its_deletion_has_finished() {
    let rig = Rig::slow().await;
    let (ends, id) = rig.flow().await;
    let path = format!("/flows/{id}");
    rig.simulator.advance(Duration::from_secs(3600));
    assert_eq!(rig.delete(&path).await.status, 204);
    assert_eq!(rig.get(&path).await.item()["id"], id);
    assert_eq!(rig.delete(&path).await.code(), (404, "FLOW-1439-404"));
    assert_eq!(rig.get("/flows").await.body["items"], json!([]));
    let source = format!("/sourceConnections/{}", ends.source);
    assert_eq!(rig.delete(&source).await.status, 204);
    rig.simulator.advance(Duration::from_secs(3600));
    assert_eq!(rig.get(&path).await.code(), (404, "FLOW-1439-404"));
}

#[tokio::test]
async fn a_version_that_a_change_answers_with_is_stale_when_the_change_has_finished() {
    let rig = Rig::slow().await;
    let change = json!([{ "op": "replace", "path": "/name", "value": "new" }]);
    let mut answered = rig.post("/flows", &rig.ends().await.flow()).await;
    let path = format!("/flows/{}", answered.id());
    for _ in ["created", "changed"] {
        let own = answered.body["etag"].as_str().unwrap();
        let at_once = rig.patch_as(&path, own, &change).await;
        assert_eq!(at_once.code(), (400, "FLOW-1420-400"));
        rig.simulator.advance(Duration::from_secs(3600));
        let later = rig.patch_as(&path, own, &change).await;
        assert_eq!(later.code(), (412, "FLOW-1404-412"));
        answered = rig.patch(&path, &change).await;
        assert_eq!(answered.status, 200, "with the version just read");
    }
}

#[tokio::test]
async fn actions_apply_in_the_right_state_and_in_any_case() {
    let rig = Rig::lenient().await;
    for op in ["disable", "DISABLE"] {
        let (_, id) = rig.flow().await;
        let act = format!("/flows/{id}/action?op={op}");
        assert_eq!(rig.act(&act).await.status, 200);
        assert_eq!(rig.act(&act).await.code(), (400, "FLOW-1422-400"));
        assert_eq!(
            rig.get(&format!("/flows/{id}")).await.item()["state"],
            "disabled"
        );
        assert_eq!(
            rig.act(&format!("/flows/{id}/action?op=FINALIZE"))
                .await
                .code(),
            (400, "FLOW-1402-400")
        );
    }
}

#[tokio::test]
async fn a_draft_flow_is_published_after_its_ends() {
    let rig = Rig::lenient().await;
    let base = rig.create("/connections", &connection()).await;
    let end = rig
        .create("/sourceConnections?mode=draft", &source(&base))
        .await;
    let lake = rig.create("/targetConnections", &target()).await;
    let ends = crate::client::Ends {
        base,
        source: end,
        target: lake,
    };
    let id = rig.create("/flows?mode=draft", &ends.flow()).await;
    let publish = format!("/flows/{id}/action?op=publish");
    assert_eq!(
        rig.get(&format!("/flows/{id}")).await.item()["state"],
        "draft"
    );
    assert_eq!(rig.act(&publish).await.status, 400);
    rig.act(&format!(
        "/sourceConnections/{}/action?op=publish",
        ends.source
    ))
    .await;
    assert_eq!(rig.act(&publish).await.status, 200);
    assert_eq!(
        rig.get(&format!("/flows/{id}")).await.item()["state"],
        "enabled"
    );
}

#[tokio::test]
async fn a_label_hides_a_flow() {
    let rig = Rig::lenient().await;
    let (_, id) = rig.flow().await;
    let path = format!("/flows/{id}");
    rig.simulator.hide_flow("dev", &id, true).unwrap();
    assert_eq!(rig.get(&path).await.code(), (404, "FLOW-1439-404"));
    assert_eq!(
        rig.patch_as(&path, "\"x\"", &json!([])).await.code(),
        (403, "FLOW-2120-403")
    );
    assert_eq!(rig.delete(&path).await.code(), (403, "FLOW-2120-403"));
    assert_eq!(rig.get("/flows").await.body["items"], json!([]));
    rig.simulator.hide_flow("dev", &id, false).unwrap();
    assert_eq!(rig.get(&path).await.status, 200);
}

#[tokio::test]
async fn a_target_connection_names_a_data_set_that_exists() {
    for rig in [Rig::lenient().await, Rig::strict().await] {
        let mut body = target();
        for id in [json!("5c8c3c555033b814b69f0000"), json!(""), json!(null)] {
            body["params"]["dataSetId"] = id;
            let reply = rig.post("/targetConnections", &body).await;
            assert_eq!(
                (reply.code(), reply.provider()),
                ((400, "FLOW-1100-400"), "1325")
            );
        }
        let draft = rig.create("/targetConnections?mode=draft", &body).await;
        let published = rig
            .act(&format!("/targetConnections/{draft}/action?op=publish"))
            .await;
        assert_eq!(published.provider(), "1325");
        let id = rig.create("/targetConnections", &target()).await;
        let change = json!([{ "op": "replace", "path": "/params", "value": { "dataSetId": "5c8c3c555033b814b69f0000" } }]);
        let changed = rig
            .patch(&format!("/targetConnections/{id}"), &change)
            .await;
        assert_eq!(changed.provider(), "1325");
    }
}

#[tokio::test]
async fn the_mapping_of_a_one_time_flow_that_has_begun_stays() {
    let rig = Rig::lenient().await;
    let mut flow = rig.ends().await.once();
    flow["scheduleParams"]["startTime"] = json!(rig.now() + 60);
    let path = format!("/flows/{}", rig.create("/flows", &flow).await);
    let other = |version: Value| json!([{ "op": "replace", "path": "/transformations/0/params/mappingVersion", "value": version }]);
    assert_eq!(rig.patch(&path, &other(json!("0"))).await.status, 200);
    rig.simulator.advance(Duration::from_secs(300));
    let refused = rig.patch(&path, &other(json!(0))).await;
    assert_eq!(refused.provider(), "1366");
    let rename = json!([{ "op": "replace", "path": "/name", "value": "new" }]);
    assert_eq!(rig.patch(&path, &rename).await.status, 200);
}
