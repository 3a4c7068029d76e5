//! What a Dataflow says of its state was read at Adobe; what its spec leaves out stays as it is there.

use std::time::Duration;

use aep_simulator::{Fault, Options, Reply, Times};
use aep_test_kit::{World, condition, copies, ours, sample, use_default_resync_period};
use serde_json::{Value, json};

const NAME: &str = "payments";
const HOUR: Duration = Duration::from_secs(3600);

/// The sample with this state in the spec of its Dataflow, or with none.
fn with_state(state: Option<&str>) -> Vec<Value> {
    let mut objects = sample("payments");
    use_default_resync_period(&mut objects);
    for flow in objects.iter_mut().filter(|it| it["kind"] == "Dataflow") {
        let spec = flow["spec"].as_object_mut().unwrap();
        spec.remove("state");
        if let Some(state) = state {
            spec.insert("state".into(), json!(state));
        }
    }
    objects
}

/// A world that is listed often.
async fn often_listed(options: Options) -> World {
    World::tuned(options, |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await
}

async fn settled(state: Option<&str>) -> World {
    let world = often_listed(Options::default()).await;
    let objects = with_state(state);
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    world
}

fn flow(world: &World) -> Value {
    world.simulator.objects("prod", "flows").remove(0)
}

/// Sets the state of the flow as somebody else does.
fn set_state(world: &World, state: &str) {
    let id = flow(world)["id"].as_str().unwrap().to_owned();
    let edit = json!({ "state": state });
    world.simulator.edit("prod", "flows", &id, &edit).unwrap();
}

/// Waits until the Dataflow reports this state; gives it.
async fn reports(world: &World, state: &str) -> Value {
    world
        .eventually(&format!("the state {state} to be reported"), || async {
            let flow = world.get("Dataflow", NAME).await;
            (flow["status"]["state"] == state)
                .then_some(flow.clone())
                .ok_or(flow["status"].to_string())
        })
        .await
}

/// A flow that was created is in this state until the transition is over, and is not Ready before.
async fn is_waited_for(first: &str, state: Option<&str>) {
    let options = Options {
        transition: HOUR,
        ..Options::default()
    };
    let world = World::with(options).await;
    world.simulator.set_first_state("flows", Some(first));
    for object in with_state(state) {
        world.apply(&object).await.unwrap();
    }
    let words = format!("`{first}`");
    let waiting = world.says("Dataflow", NAME, &words).await;
    let ready = condition(&waiting, "Ready");
    assert_eq!(
        (&ready["status"], &ready["reason"]),
        (&json!("False"), &json!("Progressing"))
    );
    assert!(condition(&waiting, "Stalled").is_null());
    assert_eq!(waiting["status"]["state"], Value::Null);
    assert_eq!(waiting["status"]["id"], flow(&world)["id"]);
    world.simulator.advance(HOUR);
    let ready = world.reason("Dataflow", NAME, "Succeeded").await;
    assert_eq!(ready["status"]["state"], "enabled");
    assert_eq!(world.simulator.count("POST", "/flows"), 1);
    assert_eq!(world.simulator.count("POST", "/flows/{id}/action"), 0);
}

#[tokio::test]
async fn a_created_flow_is_ready_once_adobe_has_finished_enabling_it() {
    is_waited_for("enabled-finalizing", Some("Enabled")).await;
}

#[tokio::test]
async fn a_created_flow_that_adobe_still_calls_a_draft_is_not_ready() {
    is_waited_for("draft", None).await;
}

#[tokio::test]
async fn a_state_between_at_adobe_is_waited_out_before_the_dataflow_is_ready_again() {
    let world = settled(Some("Enabled")).await;
    set_state(&world, "enabled-finalizing");
    let waiting = world.reason("Dataflow", NAME, "Progressing").await;
    let message = condition(&waiting, "Ready")["message"].to_string();
    assert!(message.contains("`enabled-finalizing`"), "{message}");
    set_state(&world, "enabled");
    let ready = world.reason("Dataflow", NAME, "Succeeded").await;
    assert_eq!(ready["status"]["state"], "enabled");
}

#[tokio::test]
async fn a_draft_is_published_where_the_spec_says_enabled_and_is_not_ready_before() {
    let world = settled(Some("Enabled")).await;
    let away = Fault::answer(Reply::empty(503))
        .method("POST")
        .path("/flows/{id}/action");
    world.simulator.inject(away.times(Times::Every));
    set_state(&world, "draft");
    let draft = reports(&world, "draft").await;
    assert_eq!(condition(&draft, "Ready")["status"], "False");
    world.simulator.clear_faults();
    let ready = world.reason("Dataflow", NAME, "Succeeded").await;
    assert_eq!(ready["status"]["state"], "enabled");
    assert_eq!(flow(&world)["state"], "enabled");
}

#[tokio::test]
async fn a_flow_switched_off_at_adobe_stays_off_where_the_spec_leaves_its_state_out() {
    let world = settled(None).await;
    assert_eq!(flow(&world)["state"], "enabled", "Adobe's own at creation");
    world.simulator.clear_calls();
    set_state(&world, "disabled");
    let off = reports(&world, "disabled").await;
    assert_eq!(condition(&off, "Ready")["status"], "True");
    assert_eq!(world.writes(), 0);
    // Said on purpose, it counts.
    world
        .patch("Dataflow", NAME, json!({ "spec": { "state": "Enabled" } }))
        .await;
    reports(&world, "enabled").await;
    assert_eq!(flow(&world)["state"], "enabled");
    // Taken out again, it is released.
    world
        .patch("Dataflow", NAME, json!({ "spec": { "state": null } }))
        .await;
    world.reason("Dataflow", NAME, "Succeeded").await;
    set_state(&world, "disabled");
    let off = reports(&world, "disabled").await;
    assert_eq!(condition(&off, "Ready")["status"], "True");
}

#[tokio::test]
async fn a_disabled_flow_that_is_taken_over_is_not_switched_on() {
    let world = settled(None).await;
    let id = flow(&world)["id"].as_str().unwrap().to_owned();
    let orphan = json!({ "spec": { "deletionPolicy": "Orphan" } });
    world.patch("Dataflow", NAME, orphan).await;
    world.delete("Dataflow", NAME).await;
    world.gone("Dataflow", NAME).await;
    let edit = json!({
        "state": "disabled", "description": "made by a person",
        "transformations": [
            { "name": "Copy", "params": { "deltaColumn": { "name": "updatedAt" } } },
            { "name": "Mapping", "params": flow(&world)["transformations"][1]["params"] },
        ],
    });
    world.simulator.edit("prod", "flows", &id, &edit).unwrap();
    let mut objects = with_state(None);
    objects.retain(|it| it["kind"] == "Dataflow");
    let mut taking = objects.remove(0);
    taking["metadata"]["annotations"]["aep-operator.io/external-id"] = json!(id);
    for left_out in ["schedule", "deltaColumn", "mappingSetRef"] {
        taking["spec"].as_object_mut().unwrap().remove(left_out);
    }
    let before = flow(&world);
    world.apply(&taking).await.unwrap();
    world
        .eventually("the mark of the new owner", || async {
            let description = flow(&world)["description"].to_string();
            let marked = description.contains("[aep-operator:");
            marked.then_some(()).ok_or(description)
        })
        .await;
    reports(&world, "disabled").await;
    let taken = world.reason("Dataflow", NAME, "Succeeded").await;
    assert_eq!(taken["status"]["id"], id);
    let after = flow(&world);
    for kept in ["state", "scheduleParams", "transformations"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
}

#[tokio::test]
async fn a_flow_that_replaces_one_that_was_switched_off_does_not_run() {
    let world = settled(None).await;
    world
        .patch(
            "Dataflow",
            NAME,
            json!({ "spec": { "replacePolicy": "Recreate" } }),
        )
        .await;
    world.reason("Dataflow", NAME, "Succeeded").await;
    set_state(&world, "disabled");
    reports(&world, "disabled").await;
    let old = flow(&world)["id"].clone();
    let patch = json!({ "spec": { "deltaColumn": { "name": "createdAt" } } });
    world.patch("Dataflow", NAME, patch).await;
    world
        .eventually("another flow alone", || async {
            let flows = world.simulator.objects("prod", "flows");
            let other = flows.len() == 1 && flows[0]["id"] != old;
            other.then_some(()).ok_or(format!("{} flows", flows.len()))
        })
        .await;
    let replaced = world.reason("Dataflow", NAME, "Succeeded").await;
    assert_eq!(replaced["status"]["state"], "disabled");
    assert_eq!(flow(&world)["state"], "disabled");
}

#[tokio::test]
async fn flows_that_were_just_created_are_read_together() {
    const FLOWS: u64 = 10;
    let options = Options {
        transition: HOUR,
        ..Options::default()
    };
    let world = World::with(options).await;
    let objects = copies(&sample("payments"), 10);
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    for flow in ours(&objects).filter(|it| it["kind"] == "Dataflow") {
        let name = flow["metadata"]["name"].as_str().unwrap();
        world.says("Dataflow", name, "`enabling`").await;
    }
    world.simulator.advance(HOUR);
    world.simulator.clear_calls();
    world.all_ready(&objects).await;
    let reads = |route| world.simulator.count("GET", route);
    let (alone, together) = (reads("/flows/{id}"), reads("/flows"));
    assert!(
        alone + together < FLOWS,
        "{alone} alone, {together} together"
    );
}
