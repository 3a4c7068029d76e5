//! Argo CD's health of our objects: transient trouble is Progressing, what needs a person is Degraded, a pause is Suspended.

use std::fs;
use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply, Times};
use aep_test_kit::{World, condition, sample};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argo::{self, ALL_KINDS, Health, health, script_health};
use super::history::History;
use super::kstatus::{Progress, progress};

fn is_suspended(object: &Value) -> bool {
    object["spec"]["suspend"] == true || condition(object, "Suspended")["status"] == "True"
}

/// What the script has to say of an object: what kstatus says, and that a pause is one. A status that speaks of no
/// generation or bears no condition is none of ours, but for the default of new objects; to kstatus it is done.
fn expected(object: &Value) -> &'static str {
    let unseen = object["status"]["observedGeneration"] != object["metadata"]["generation"];
    let silent = condition(object, "Ready").is_null();
    match progress(object) {
        _ if object["spec"]["suspend"] == true || (is_suspended(object) && !unseen) => "Suspended",
        _ if unseen => "Progressing",
        Progress::Failed => "Degraded",
        Progress::Current if !silent => "Healthy",
        _ => "Progressing",
    }
}

/// Every status that conditions and generations can make of an object.
pub fn possible_objects() -> Vec<Value> {
    let mut objects = Vec::new();
    let observed = [None, Some(-1), Some(1), Some(2)];
    let ready = [None, Some("True"), Some("False"), Some("Unknown")];
    let paused = [
        json!({}),
        json!({ "suspend": false }),
        json!({ "suspend": true }),
    ];
    let extra = [
        &[][..],
        &["Reconciling"],
        &["Stalled"],
        &["Suspended"],
        &["OrphansFound"],
        &["SweepFailed"],
    ];
    for observed in observed {
        for ready in ready {
            for spec in &paused {
                for extra in extra {
                    let others = extra.iter().map(|type_| (*type_, "True"));
                    let conditions = ready.iter().map(|status| ("Ready", *status)).chain(others);
                    let conditions = conditions.map(|(type_, status)| {
                        json!({ "type": type_, "status": status, "reason": "R", "message": type_ })
                    });
                    let mut status = json!({ "conditions": conditions.collect::<Value>() });
                    if let Some(observed) = observed {
                        status["observedGeneration"] = json!(observed);
                    }
                    let metadata = json!({ "generation": 2 });
                    objects.push(json!({ "metadata": metadata, "spec": spec, "status": status }));
                }
            }
        }
    }
    objects.push(json!({ "metadata": { "generation": 2 } }));
    objects
}

#[test]
fn the_script_agrees_with_kstatus_about_every_possible_status() {
    for object in possible_objects() {
        let told = script_health(&object);
        assert_eq!(told.status, expected(&object), "{object}");
        assert!(!told.message.is_empty(), "{object}");
    }
}

#[test]
fn the_script_passes_the_tests_that_lie_beside_it() {
    #[derive(Deserialize)]
    struct Tests {
        tests: Vec<Test>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Test {
        health_status: Health,
        input_path: String,
    }
    let tests = argo::text(&format!("{ALL_KINDS}/health_test.yaml"));
    let tests: Tests = serde_saphyr::from_str(&tests).unwrap();
    let mut used = Vec::new();
    for test in tests.tests {
        let text = argo::text(&format!("{ALL_KINDS}/{}", test.input_path));
        let object: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(
            script_health(&object),
            test.health_status,
            "{}",
            test.input_path
        );
        used.push(test.input_path);
    }
    let there = fs::read_dir(argo::path("_/testdata")).unwrap();
    assert_eq!(there.count(), used.len(), "{used:?}");
}

/// The states of one health; all states agree with kstatus.
fn of_health(history: &History, status: &str) -> Vec<Value> {
    let all = history.states().into_iter();
    let all = all.inspect(|object| {
        if object["metadata"]["deletionTimestamp"].is_null() {
            assert_eq!(script_health(object).status, expected(object), "{object}");
        }
    });
    all.filter(|object| health(object).status == status)
        .collect()
}

#[tokio::test]
async fn passing_trouble_is_never_degraded() {
    let world = World::new().await;
    let history = History::record(&world);
    let trouble = [
        Reply::throttled(Some(Duration::from_secs(1))),
        Reply::throttled(None),
        Reply::empty(500),
        Reply::empty(503),
        Reply::html(404),
    ];
    for reply in trouble {
        let fault = Fault::answer(reply).service("flow").times(Times::Next(2));
        world.simulator.inject(fault);
    }
    let dropped = Fault::new(Effect::DropAfter)
        .method("POST")
        .path("/targetConnections");
    world.simulator.inject(dropped.times(Times::Next(1)));
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    assert_eq!(of_health(&history, "Degraded"), Vec::<Value>::new());
    assert!(of_health(&history, "Progressing").len() > objects.len());
    assert!(of_health(&history, "Healthy").len() >= 8);
}

#[tokio::test]
async fn what_needs_a_person_is_degraded_and_what_waits_for_it_is_not() {
    let world = World::new().await;
    let history = History::record(&world);
    let mut objects = sample("payments");
    let mapping = objects
        .iter_mut()
        .find(|it| it["kind"] == "MappingSet")
        .unwrap();
    mapping["spec"]["mappings"][0]["destination"] = json!("no.such.field");
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    let stalled = world.reason("MappingSet", "payments", "InvalidSpec").await;
    let told = health(&stalled);
    assert_eq!(told.status, "Degraded");
    assert!(told.message.contains("no.such.field"), "{}", told.message);
    let waiting = world
        .says("Dataflow", "payments", "MappingSet/payments")
        .await;
    assert_eq!(health(&waiting).status, "Progressing");
    let degraded = of_health(&history, "Degraded");
    assert!(
        degraded.iter().all(|object| object["kind"] == "MappingSet"),
        "{degraded:?}"
    );
}

#[tokio::test]
async fn a_secret_that_comes_late_degrades_nothing() {
    let world = World::new().await;
    let history = History::record(&world);
    let objects = sample("payments");
    let (secrets, ours): (Vec<_>, Vec<_>) = objects.iter().partition(|it| it["kind"] == "Secret");
    for object in ours {
        world.apply(object).await.unwrap();
    }
    world.says("Sandbox", "default", "Secret/adobe-io").await;
    for secret in secrets {
        world.apply(secret).await.unwrap();
    }
    world.all_ready(&objects).await;
    assert_eq!(of_health(&history, "Degraded"), Vec::<Value>::new());
}

#[tokio::test]
async fn a_pause_is_suspended_and_a_deletion_is_progressing() {
    let world = World::new().await;
    let history = History::record(&world);
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let suspend = json!({ "spec": { "suspend": true, "name": "renamed" } });
    world.patch("Dataflow", "payments", suspend).await;
    let paused = world.reason("Dataflow", "payments", "Suspended").await;
    assert_eq!(health(&paused).status, "Suspended");
    world
        .patch(
            "Dataflow",
            "payments",
            json!({ "spec": { "suspend": false } }),
        )
        .await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    // The Dataflow still uses it, so its deletion waits.
    world.delete("MappingSet", "payments").await;
    let blocked = world
        .says("MappingSet", "payments", "Dataflow/payments")
        .await;
    assert_eq!(health(&blocked).status, "Progressing");
    world.delete("Dataflow", "payments").await;
    world.gone("MappingSet", "payments").await;
    assert_eq!(of_health(&history, "Degraded"), Vec::<Value>::new());
}

#[tokio::test]
async fn a_suspended_sandbox_suspends_what_changes_within_it() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    world
        .patch("Sandbox", "default", json!({ "spec": { "suspend": true } }))
        .await;
    world.reason("Sandbox", "default", "Suspended").await;
    world
        .patch(
            "Dataflow",
            "payments",
            json!({ "spec": { "name": "renamed" } }),
        )
        .await;
    let paused = world.reason("Dataflow", "payments", "Suspended").await;
    assert_eq!(health(&paused).status, "Suspended");
}
