//! What becomes of dataflows at Adobe is reported in status, events and metrics, and has no say in whether they are Ready.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use aep_simulator::{Fault, Options, Reply, RunOutcome, Times};
use aep_test_kit::{World, condition, copies, path, sample, use_default_resync_period};
use serde_json::{Value, json};

const NAME: &str = "payments";

/// How often runs are polled here.
const PERIOD: Duration = Duration::from_millis(300);

async fn settled() -> World {
    let world = World::tuned(Options::default(), |settings| settings.resync = PERIOD).await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&objects).await;
    world
}

async fn flow_id(world: &World, name: &str) -> String {
    let flow = world.get("Dataflow", name).await;
    flow["status"]["id"].as_str().unwrap().to_owned()
}

async fn run(world: &World, outcome: &RunOutcome) -> String {
    let flow = flow_id(world, NAME).await;
    world
        .simulator
        .simulate_run("prod", &flow, outcome)
        .unwrap()
}

/// Waits until the last run is that one and ended so; gives the Dataflow.
async fn told(world: &World, run: &str, reason: &str) -> Value {
    let what = format!("run {run} to be reported as {reason}");
    world
        .eventually(&what, || async {
            let flow = world.get("Dataflow", NAME).await;
            let is_told = flow["status"]["lastRun"]["id"] == run
                && condition(&flow, "LastRunSucceeded")["reason"] == reason;
            is_told
                .then_some(flow.clone())
                .ok_or(flow["status"].to_string())
        })
        .await
}

/// Waits until two more polls have ended that began after now.
async fn polled(world: &World) {
    let before = world.simulator.count("GET", "/runs");
    world
        .eventually("three more polls", || async {
            let count = world.simulator.count("GET", "/runs") - before;
            (count >= 3).then_some(()).ok_or(count.to_string())
        })
        .await;
}

fn failure() -> RunOutcome {
    RunOutcome::failed("CONNECTOR-2001-500", "Could not copy.")
}

/// The value of a series of this Dataflow, with the further labels given.
/// Waits until a metric has this value: the operator's own cache may trail behind what the API server shows.
async fn shows(world: &World, name: &str, labels: &str, value: i64) {
    world
        .eventually(&format!("{name} to be {value}"), || async {
            let shown = metric(world, name, labels);
            (shown == Some(value))
                .then_some(())
                .ok_or(format!("{shown:?}"))
        })
        .await;
}

fn metric(world: &World, name: &str, labels: &str) -> Option<i64> {
    let namespace = &world.namespace;
    let series = format!("{name}{{namespace=\"{namespace}\",name=\"{NAME}\"{labels}}} ");
    let metrics = world.metrics();
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix(&series))?;
    Some(value.parse().unwrap())
}

#[tokio::test]
async fn before_the_first_run_its_outcome_is_unknown() {
    let world = settled().await;
    let flow = world.get("Dataflow", NAME).await;
    let unknown = condition(&flow, "LastRunSucceeded");
    assert_eq!(unknown["status"], "Unknown");
    assert_eq!(unknown["reason"], "NoRunYet");
    assert_eq!(flow["status"]["lastRun"], Value::Null);
    shows(&world, "aep_dataflow_schedule_interval_seconds", "", 1_800).await;
    assert_eq!(metric(&world, "aep_dataflow_last_run_success", ""), None);
}

#[tokio::test]
async fn a_run_is_told_from_its_beginning_to_its_end() {
    let world = settled().await;
    let id = run(&world, &RunOutcome::running()).await;
    world
        .eventually("the run under way", || async {
            let status = world.get("Dataflow", NAME).await["status"].clone();
            let current = status["currentRun"]["id"] == *id;
            current.then_some(()).ok_or(status.to_string())
        })
        .await;
    world.simulator.advance(Duration::from_secs(42));
    let outcome = RunOutcome::partial(100, 1, "MAPPER-3700-400", "a bad row");
    world.simulator.finish_run("prod", &id, &outcome).unwrap();
    let flow = told(&world, &id, "RunPartiallySucceeded").await;
    let status = &flow["status"];
    assert_eq!(status["currentRun"], Value::Null);
    let last = &status["lastRun"];
    assert_eq!(last["state"], "partialSuccess");
    let counts = ["recordsRead", "recordsWritten", "recordsFailed"];
    assert_eq!(
        counts.map(|it| last[it].as_i64()),
        [Some(100), Some(99), Some(1)]
    );
    let duration = last["durationSeconds"].as_i64().unwrap();
    assert!((42..100).contains(&duration), "{duration}");
    assert_eq!(last["error"], "MAPPER-3700-400: a bad row");
    assert_eq!(status["lastSuccessTime"], last["completionTime"]);
    assert_eq!(condition(&flow, "LastRunSucceeded")["status"], "True");
    let records = "aep_dataflow_last_run_records";
    shows(&world, records, ",outcome=\"written\"", 99).await;
    shows(&world, "aep_dataflow_last_run_success", "", 1).await;
    shows(
        &world,
        "aep_dataflow_last_run_duration_seconds",
        "",
        duration,
    )
    .await;
}

#[tokio::test]
async fn a_failed_run_leaves_the_dataflow_ready_and_a_later_one_recovers() {
    let world = settled().await;
    let good = run(&world, &RunOutcome::success(10)).await;
    let before = told(&world, &good, "RunSucceeded").await;
    let bad = run(&world, &failure()).await;
    let flow = told(&world, &bad, "RunFailed").await;
    let failed = condition(&flow, "LastRunSucceeded");
    assert_eq!(failed["status"], "False");
    let words = "the last run failed: CONNECTOR-2001-500: Could not copy.";
    assert_eq!(failed["message"], words);
    for unmoved in ["Ready", "Reconciling", "Stalled"] {
        assert_eq!(condition(&flow, unmoved), condition(&before, unmoved));
    }
    assert_eq!(flow["status"]["lastRun"]["recordsRead"], Value::Null);
    let success = &flow["status"]["lastSuccessTime"];
    assert_eq!(*success, before["status"]["lastSuccessTime"]);
    let event = world.event("Dataflow", NAME, "DataflowRunFailed").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert_eq!(event.note, Some(format!("{words} (run {bad})")));
    shows(&world, "aep_dataflow_last_run_success", "", 0).await;
    assert!(metric(&world, "aep_dataflow_last_success_timestamp_seconds", "").is_some());

    let again = run(&world, &RunOutcome::success(20)).await;
    told(&world, &again, "RunSucceeded").await;
    let event = world.event("Dataflow", NAME, "DataflowRunRecovered").await;
    assert_eq!(event.type_.as_deref(), Some("Normal"));
    polled(&world).await;
    let event = world.event("Dataflow", NAME, "DataflowRunFailed").await;
    assert!(event.series.is_none(), "each failed run is reported once");
}

#[tokio::test]
async fn a_stalled_dataflow_still_tells_of_its_runs() {
    let world = settled().await;
    let change = json!({ "spec": { "deltaColumn": { "name": "other" } } });
    world.patch("Dataflow", NAME, change).await;
    world.reason("Dataflow", NAME, "ReplaceRequired").await;
    let bad = run(&world, &failure()).await;
    let flow = told(&world, &bad, "RunFailed").await;
    assert_eq!(condition(&flow, "Stalled")["reason"], "ReplaceRequired");
}

#[tokio::test]
async fn one_call_looks_for_the_runs_of_all_dataflows_and_writes_nothing_where_nothing_is_new() {
    let world = World::tuned(Options::default(), |settings| settings.resync = PERIOD).await;
    let mut objects = copies(&sample("payments"), 5);
    use_default_resync_period(&mut objects);
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    let flows = world.simulator.objects("prod", "flows");
    for flow in &flows {
        let id = flow["id"].as_str().unwrap();
        world
            .simulator
            .simulate_run("prod", id, &failure())
            .unwrap();
    }
    let names = objects.iter().filter(|it| it["kind"] == "Dataflow");
    let names: Vec<_> = names
        .map(|it| it["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!((names.len(), flows.len()), (5, 5));
    for name in names {
        world
            .eventually("every failure to be reported", || async {
                let flow = world.get("Dataflow", name).await;
                let failed = condition(&flow, "LastRunSucceeded")["status"] == "False";
                failed.then_some(()).ok_or(flow["status"].to_string())
            })
            .await;
    }
    polled(&world).await;
    let before = world.versions().await;
    world.simulator.clear_calls();
    polled(&world).await;
    assert_eq!(world.versions().await, before);
    let count = |route| world.simulator.count("GET", route);
    let (polls, lists) = (count("/runs"), count("/flows"));
    assert!(polls <= lists + 2, "{polls} polls, {lists} lists");
}

#[tokio::test]
async fn a_poll_that_fails_leaves_everything_as_it_is_and_the_next_one_catches_up() {
    let world = settled().await;
    let good = run(&world, &RunOutcome::success(10)).await;
    told(&world, &good, "RunSucceeded").await;
    polled(&world).await;
    let before = world.versions().await;
    let refused = [Reply::empty(403), Reply::empty(500), Reply::html(404)];
    for reply in refused {
        world.simulator.clear_faults();
        let fault = Fault::answer(reply).path("/runs").times(Times::Every);
        world.simulator.inject(fault);
        polled(&world).await;
    }
    let bad = run(&world, &failure()).await;
    polled(&world).await;
    assert_eq!(world.versions().await, before);
    world.simulator.clear_faults();
    told(&world, &bad, "RunFailed").await;
}

#[tokio::test]
async fn what_happened_while_the_operator_was_away_is_found_again() {
    let mut world = settled().await;
    world.kill_operator().await;
    let bad = run(&world, &failure()).await;
    // Far beyond what a poll reaches back.
    world.wipe_status("Dataflow", NAME).await;
    let long_ago = json!({ "metrics": { "durationSummary": { "startedAtUTC": 1_700_000_000_000_i64,
        "completedAtUTC": 1_700_000_042_000_i64 } } });
    world
        .simulator
        .edit("prod", "runs", &bad, &long_ago)
        .unwrap();
    world.start_operator();
    let flow = told(&world, &bad, "RunFailed").await;
    let last = &flow["status"]["lastRun"];
    assert_eq!(last["startTime"], "2023-11-14T22:13:20Z");
    assert_eq!(last["durationSeconds"], 42);
}

#[tokio::test]
async fn a_dataflow_that_was_replaced_does_not_boast_of_its_predecessors_runs() {
    let world = settled().await;
    let old = flow_id(&world, NAME).await;
    let good = run(&world, &RunOutcome::success(10)).await;
    told(&world, &good, "RunSucceeded").await;
    let spec = json!({ "deltaColumn": { "name": "other" }, "replacePolicy": "Recreate" });
    world.patch("Dataflow", NAME, json!({ "spec": spec })).await;
    let flow = world.reason("Dataflow", NAME, "Succeeded").await;
    assert_ne!(flow["status"]["id"], *old);
    assert_eq!(condition(&flow, "LastRunSucceeded")["reason"], "NoRunYet");
    let status = &flow["status"];
    assert_eq!(
        [&status["lastRun"], &status["lastSuccessTime"]],
        [&Value::Null; 2]
    );
    let bad = run(&world, &failure()).await;
    told(&world, &bad, "RunFailed").await;
}

#[tokio::test]
async fn nobody_asks_for_runs_that_nobody_wants() {
    let world = settled().await;
    polled(&world).await;
    world
        .patch("Dataflow", NAME, json!({ "spec": { "suspend": true } }))
        .await;
    quiet(&world).await;
    let interval = "aep_dataflow_schedule_interval_seconds";
    assert_eq!(
        metric(&world, interval, ""),
        None,
        "no run is missed while suspended"
    );
    let disabled = json!({ "spec": { "suspend": false, "state": "Disabled" } });
    world.patch("Dataflow", NAME, disabled).await;
    world.reason("Dataflow", NAME, "Succeeded").await;
    quiet(&world).await;
    world
        .patch("Dataflow", NAME, json!({ "spec": { "state": "Enabled" } }))
        .await;
    polled(&world).await;
    world
        .patch("Sandbox", "default", json!({ "spec": { "suspend": true } }))
        .await;
    quiet(&world).await;
}

/// Waits until the sandbox is listed again and again without one poll for runs.
async fn quiet(world: &World) {
    world
        .eventually("lists without polls", || async {
            world.simulator.clear_calls();
            let lists = || world.simulator.count("GET", "/flows");
            while lists() < 4 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let polls = world.simulator.count("GET", "/runs");
            (polls == 0).then_some(()).ok_or(format!("{polls} polls"))
        })
        .await;
}

#[tokio::test]
async fn a_dataflow_that_is_gone_leaves_no_metrics_behind() {
    let world = settled().await;
    let good = run(&world, &RunOutcome::success(10)).await;
    told(&world, &good, "RunSucceeded").await;
    assert!(world.metrics().contains("aep_dataflow_last_run_success{"));
    world.delete("Dataflow", NAME).await;
    world.gone("Dataflow", NAME).await;
    world
        .eventually("its metrics to go", || async {
            let metrics = world.metrics();
            let left = metrics.lines().filter(|it| it.starts_with("aep_dataflow_"));
            let left: Vec<_> = left.collect();
            left.is_empty().then_some(()).ok_or(format!("{left:?}"))
        })
        .await;
}

#[test]
fn every_reason_and_every_metric_of_runs_is_explained() {
    let read = |below: &str| fs::read_to_string(path(below)).unwrap();
    let page = read("docs/runs.md");
    let quoted: BTreeSet<_> = page.split('`').skip(1).step_by(2).collect();
    let source = read("src/kinds/dataflow/runs.rs");
    let (_, reasons) = source.split_once("mod reasons {").unwrap();
    let (reasons, _) = reasons.split_once('}').unwrap();
    let reasons: Vec<_> = reasons.split('"').skip(1).step_by(2).collect();
    assert_eq!(reasons.len(), 5);
    let source = read("src/kinds/dataflow/metrics.rs");
    let metrics = source
        .split('"')
        .filter(|it| it.starts_with("aep_dataflow_"));
    let metrics: Vec<_> = metrics.filter(|it| !it.contains('{')).collect();
    assert!(metrics.len() > 6, "{metrics:?}");
    for word in reasons {
        assert!(quoted.contains(word), "{word}");
    }
    for name in metrics {
        let full = format!("{name}_seconds");
        assert!(
            quoted.contains(name) || quoted.contains(full.as_str()),
            "{name}"
        );
    }
}
