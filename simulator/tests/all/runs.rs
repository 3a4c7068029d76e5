//! Runs: on demand, repeated, and as they come.

use std::time::Duration;

use aep_simulator::RunOutcome;
use serde_json::{Value, json};

use crate::client::Rig;

fn on_demand(flow: &str, column: Option<&str>) -> Value {
    let mut params = json!({ "startTime": "1700000000", "windowStartTime": "1690000000", "windowEndTime": "1700000000" });
    if let Some(column) = column {
        params["deltaColumn"] = json!({ "name": column });
    }
    json!({ "flowId": flow, "params": params })
}

#[tokio::test]
async fn only_a_flow_that_runs_once_runs_on_demand() {
    let rig = Rig::lenient().await;
    let ends = rig.ends().await;
    let mut hourly = ends.flow();
    hourly["scheduleParams"] =
        json!({ "startTime": 4_102_444_800_i64, "frequency": "hour", "interval": 1 });
    let hourly = rig.create("/flows", &hourly).await;
    assert_eq!(
        rig.post("/runs", &on_demand(&hourly, None))
            .await
            .provider(),
        "1386"
    );
    let once = rig.create("/flows", &ends.once()).await;
    assert_eq!(
        rig.post("/runs", &on_demand(&once, None)).await.provider(),
        "1383"
    );
    let first = rig
        .post("/runs/", &on_demand(&once, Some("updatedAt")))
        .await;
    assert_eq!(first.status, 201);
    let flow = rig.get(&format!("/flows/{once}")).await;
    assert_eq!(
        flow.item()["transformations"][0]["name"],
        "Copy",
        "the service writes it by itself"
    );
    assert_eq!(flow.item()["lastRunDetails"]["state"], "success");
    assert_eq!(
        rig.post("/runs", &on_demand(&once, Some("other")))
            .await
            .provider(),
        "1382"
    );
    assert_eq!(
        rig.post("/runs", &on_demand("none", None)).await.code(),
        (400, "FLOW-1430-400")
    );
    assert_eq!(
        rig.post("/runs", &json!({ "params": {} })).await.code(),
        (400, "FLOW-1446-400")
    );
}

#[tokio::test]
async fn a_failed_run_is_repeated_and_a_running_one_is_not() {
    let rig = Rig::lenient().await;
    let (_, flow) = rig.flow().await;
    let run = |outcome| rig.simulator.simulate_run("dev", &flow, &outcome).unwrap();
    let failed = run(RunOutcome::failed("CONNECTOR-2001-500", "Could not copy."));
    let running = run(RunOutcome::running());
    let full = run(RunOutcome::success(100));
    let again = rig
        .act(&format!("/runs/{failed}/action?op=re-trigger"))
        .await;
    assert_eq!(again.status, 200);
    assert_ne!(again.id(), failed);
    assert_eq!(
        rig.act(&format!("/runs/{failed}/action?op=RE_TRIGGER"))
            .await
            .status,
        200
    );
    assert_eq!(
        rig.act(&format!("/runs/{running}/action?op=re-trigger"))
            .await
            .provider(),
        "1387"
    );
    assert_eq!(
        rig.act(&format!("/runs/{full}/action?op=re-trigger"))
            .await
            .provider(),
        "1387"
    );
    rig.act(&format!("/flows/{flow}/action?op=disable")).await;
    assert_eq!(
        rig.act(&format!("/runs/{failed}/action?op=re-trigger"))
            .await
            .provider(),
        "1388"
    );
}

async fn count(rig: &Rig, filter: &str) -> Value {
    rig.get(&format!("/runs?count=true&{filter}")).await.body["count"].clone()
}

#[tokio::test]
async fn runs_are_found_by_flow_time_and_status() {
    let rig = Rig::lenient().await;
    let (ends, flow) = rig.flow().await;
    let other = rig.create("/flows", &ends.flow()).await;
    rig.simulator
        .simulate_run("dev", &other, &RunOutcome::success(1))
        .unwrap();
    rig.simulator.advance(Duration::from_secs(60));
    rig.simulator
        .simulate_run(
            "dev",
            &flow,
            &RunOutcome::partial(100, 1, "MAPPER-3700-400", "bad row"),
        )
        .unwrap();
    rig.simulator.advance(Duration::from_secs(60));
    let since = rig.simulator.now_ms();
    rig.simulator
        .simulate_run(
            "dev",
            &flow,
            &RunOutcome::failed("CONNECTOR-2001-500", "no"),
        )
        .unwrap();
    assert_eq!(count(&rig, &format!("property=flowId=={flow}")).await, 2);
    assert_eq!(
        count(&rig, "property=metrics.statusSummary.status==Failed").await,
        1
    );
    assert_eq!(
        count(
            &rig,
            &format!("property=metrics.durationSummary.startedAtUTC>={since}")
        )
        .await,
        1
    );
    let newest = rig.get("/runs?orderby=-createdAt").await;
    assert_eq!(
        newest.item()["metrics"]["statusSummary"]["errors"][0]["code"],
        "CONNECTOR-2001-500"
    );
    assert_eq!(
        newest.item()["metrics"]["recordSummary"],
        json!({}),
        "failed runs lack figures"
    );
    let partial = &newest.body["items"][1]["metrics"];
    assert_eq!(partial["recordSummary"]["outputRecordCount"], 99);
}

#[tokio::test]
async fn a_run_begins_and_ends_and_its_flow_names_it_as_the_last() {
    let rig = Rig::lenient().await;
    let (_, flow) = rig.flow().await;
    let run = rig
        .simulator
        .simulate_run("dev", &flow, &RunOutcome::running())
        .unwrap();
    let seen = rig.get(&format!("/runs?property=id=={run},none")).await;
    let started = seen.item()["metrics"]["durationSummary"]["startedAtUTC"].clone();
    let under_way = json!({ "startedAtUTC": started.clone() });
    assert_eq!(seen.item()["metrics"]["durationSummary"], under_way);
    assert_eq!(count(&rig, "property=state==inProgress").await, 1);
    rig.simulator.advance(Duration::from_secs(30));
    let failure = RunOutcome::failed("CONNECTOR-2001-500", "Could not copy.");
    rig.simulator.finish_run("dev", &run, &failure).unwrap();
    let ended = rig.get(&format!("/runs/{run}")).await;
    let duration = &ended.item()["metrics"]["durationSummary"];
    assert_eq!(duration["startedAtUTC"], started);
    let took = duration["completedAtUTC"].as_i64().unwrap() - started.as_i64().unwrap();
    assert!(took >= 30_000, "{took}");
    let flows = rig.get("/flows").await;
    let last = &flows.item()["lastRunDetails"];
    assert_eq!(
        (&last["id"], &last["state"]),
        (&json!(run), &json!("failed"))
    );
    assert!(rig.simulator.finish_run("dev", "none", &failure).is_err());
}
