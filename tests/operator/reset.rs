//! Everything in a sandbox vanishes at once, or a part of it: it comes back by itself, with the new ids.

use std::collections::BTreeMap;
use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply, Times};
use aep_test_kit::pages::commands;
use aep_test_kit::{World, collections, condition, name, ours};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

use crate::commands::follow_in;
use crate::recovery::{exactly_one_of_each, ids, settled};

/// How many objects the sample has at Adobe, the field group of its schema included.
const OBJECTS: usize = 8;

/// The only object of each collection.
fn held(world: &World) -> BTreeMap<&'static str, Value> {
    let one = |collection| {
        (
            collection,
            world.simulator.objects("prod", collection).remove(0),
        )
    };
    collections::all().map(one).collect()
}

/// Every object at Adobe uses objects that exist, and every status names the object that exists.
async fn everything_fits(world: &World, objects: &[Value]) {
    exactly_one_of_each(world);
    let held = held(world);
    let id = |collection: &str| collections::id(&held[collection]).to_owned();
    let flow = &held["flows"];
    assert_eq!(
        flow["sourceConnectionIds"],
        json!([id("sourceConnections")])
    );
    assert_eq!(
        flow["targetConnectionIds"],
        json!([id("targetConnections")])
    );
    let steps = flow["transformations"].as_array().unwrap();
    let mapping = steps.iter().find(|it| it["name"] == "Mapping").unwrap();
    assert_eq!(mapping["params"]["mappingId"], id("mappingSets"));
    assert_eq!(
        held["sourceConnections"]["baseConnectionId"],
        id("connections")
    );
    let target = &held["targetConnections"];
    assert_eq!(target["params"]["dataSetId"], id("dataSets"));
    assert_eq!(target["data"]["schema"]["id"], id("schemas"));
    assert_eq!(held["dataSets"]["schemaRef"]["id"], id("schemas"));
    for object in ours(objects).filter(|it| it["kind"] != "Sandbox") {
        let (kind, name) = name(object);
        let resource = world.get(kind, name).await;
        assert_eq!(resource["status"]["id"], id(collections::collection(kind)));
        assert!(resource["spec"]["replacePolicy"].as_str() != Some("Recreate"));
    }
}

/// How many events of this reason there are about the Sandbox.
async fn events(world: &World, reason: &str) -> usize {
    let events: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    let all = events.list(&ListParams::default()).await.unwrap().items;
    let fits = |event: &&Event| {
        let about = event.regarding.as_ref().and_then(|it| it.kind.as_deref());
        about == Some("Sandbox") && event.reason.as_deref() == Some(reason)
    };
    all.iter().filter(fits).count()
}

/// Waits until everything is Ready with other ids than these.
async fn all_anew(world: &World, objects: &[Value], before: &[Value]) {
    world
        .eventually("other objects", || async {
            let now = ids(world, objects).await;
            // The first is the Sandbox, which keeps its name.
            let same = now.iter().filter(|id| before.contains(id)).count();
            (same == 1).then_some(()).ok_or(format!("{now:?}"))
        })
        .await;
    world.all_ready(objects).await;
}

async fn require_approval(world: &World) {
    let patch = json!({ "spec": { "recreatePolicy": "Confirm" } });
    world.patch("Sandbox", "default", patch).await;
    world.reason("Sandbox", "default", "Succeeded").await;
}

async fn approve(world: &World, time: &str) {
    let annotations = json!({ "aep-operator.io/recreate-approved": time });
    let patch = json!({ "metadata": { "annotations": annotations } });
    world.patch("Sandbox", "default", patch).await;
}

/// Waits until connections were listed so many times more.
async fn listed(world: &World, times: u64) {
    let before = world.simulator.count("GET", "/connections");
    world
        .eventually("more lists", || async {
            let more = world.simulator.count("GET", "/connections") - before;
            (more >= times).then_some(()).ok_or(more.to_string())
        })
        .await;
}

#[tokio::test]
async fn a_reset_sandbox_comes_back_by_itself() {
    let (world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    world.simulator.reset_sandbox("prod").unwrap();
    all_anew(&world, &objects, &before).await;
    everything_fits(&world, &objects).await;
    assert_eq!(world.creates(), OBJECTS);
    world
        .eventually("the reset to be over", || async {
            let sandbox = world.get("Sandbox", "default").await;
            let over = condition(&sandbox, "SandboxReset").is_null();
            over.then_some(()).ok_or(sandbox["status"].to_string())
        })
        .await;
    assert_eq!(events(&world, "SandboxReset").await, 1);
}

#[tokio::test]
async fn a_sandbox_that_somebody_emptied_comes_back_by_itself() {
    let (world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    // In the order in which they may be deleted.
    let order = [
        "flows",
        "sourceConnections",
        "targetConnections",
        "connections",
        "mappingSets",
        "dataSets",
        "schemas",
        "fieldgroups",
    ];
    for collection in order {
        for object in world.simulator.objects("prod", collection) {
            let id = collections::id(&object);
            assert!(world.simulator.delete("prod", collection, id).unwrap());
        }
    }
    all_anew(&world, &objects, &before).await;
    everything_fits(&world, &objects).await;
    assert_eq!(world.creates(), OBJECTS);
    world.event("Sandbox", "default", "SandboxReset").await;
}

#[tokio::test]
async fn the_reset_of_a_sandbox_is_waited_for() {
    let (world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    let long = Duration::from_secs(3600);
    world.simulator.set_transition(long);
    world.simulator.reset_sandbox("prod").unwrap();
    let sandbox = world.reason("Sandbox", "default", "SandboxNotActive").await;
    assert_eq!(sandbox["status"]["state"], "resetting");
    for object in ours(&objects).filter(|it| it["kind"] != "Sandbox") {
        let (kind, name) = name(object);
        world
            .says(kind, name, "its state at Adobe is `resetting`")
            .await;
    }
    assert_eq!(world.creates(), 0);
    world.simulator.set_transition(Duration::ZERO);
    world.simulator.advance(long);
    all_anew(&world, &objects, &before).await;
    everything_fits(&world, &objects).await;
    assert_eq!(world.creates(), OBJECTS);
    assert_eq!(events(&world, "SweepFailed").await, 0);
}

#[tokio::test]
async fn nothing_is_created_in_a_reset_sandbox_before_somebody_approves() {
    let (mut world, objects) = settled().await;
    require_approval(&world).await;
    // The approval of an earlier reset.
    approve(&world, "2026-01-01T00:00:00Z").await;
    let before = ids(&world, &objects).await;
    world.simulator.reset_sandbox("prod").unwrap();
    let waiting = async |world: &World| {
        for object in ours(&objects).filter(|it| it["kind"] != "Sandbox") {
            let (kind, name) = name(object);
            let resource = world.reason(kind, name, "ApprovalRequired").await;
            assert_eq!(condition(&resource, "Stalled")["status"], "True");
        }
        let sandbox = world.get("Sandbox", "default").await;
        let time = sandbox["status"]["resetTime"].as_str().unwrap().to_owned();
        let told = condition(&sandbox, "SandboxReset")["message"].to_string();
        assert!(told.contains(&time), "{told}");
        time
    };
    let time = waiting(&world).await;
    world.says("Dataflow", "payments", &time).await;
    world.kill_operator().await;
    world.start_operator();
    world.simulator.clear_calls();
    listed(&world, 5).await;
    assert_eq!(waiting(&world).await, time);
    assert_eq!(world.creates(), 0);
    // What exists in Kubernetes alone waits as well.
    let mut more = world.get("BaseConnection", "paypal").await;
    more["metadata"] = json!({ "name": "another" });
    more["status"].take();
    world.apply(&more).await.unwrap();
    world
        .reason("BaseConnection", "another", "ApprovalRequired")
        .await;
    world.delete("BaseConnection", "another").await;
    world.gone("BaseConnection", "another").await;
    follow_in(&world, &commands("docs/reset.md")).await;
    all_anew(&world, &objects, &before).await;
    everything_fits(&world, &objects).await;
    assert_eq!(world.creates(), OBJECTS);
    assert_eq!(events(&world, "SandboxReset").await, 1);
}

#[tokio::test]
async fn an_object_that_vanishes_alone_needs_no_approval() {
    let (world, objects) = settled().await;
    require_approval(&world).await;
    let flow = held(&world)["flows"].clone();
    let id = collections::id(&flow);
    assert!(world.simulator.delete("prod", "flows", id).unwrap());
    world
        .eventually("another flow", || async {
            let flows = world.simulator.objects("prod", "flows");
            (flows.len() == 1).then_some(()).ok_or(String::new())
        })
        .await;
    world.all_ready(&objects).await;
    everything_fits(&world, &objects).await;
    assert_eq!(events(&world, "SandboxReset").await, 0);
}

#[tokio::test]
async fn what_vanished_together_comes_back_together() {
    let (world, objects) = settled().await;
    let gone = ["flows", "sourceConnections", "connections"];
    let all = held(&world);
    for collection in gone {
        let id = collections::id(&all[collection]);
        assert!(world.simulator.delete("prod", collection, id).unwrap());
    }
    world
        .eventually("what vanished", || async {
            let there = |it: &&str| world.simulator.objects("prod", it).len() == 1;
            let all = gone.iter().all(there);
            all.then_some(()).ok_or(String::new())
        })
        .await;
    world.all_ready(&objects).await;
    everything_fits(&world, &objects).await;
    assert_eq!(world.creates(), gone.len());
}

#[tokio::test]
async fn what_is_missing_has_no_id_for_others() {
    let (world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    let refusal = json!({
        "type": "https://ns.adobe.com/aep/errors/FLOW-1439-404", "title": "Resource not found", "status": 404,
        "report": { "detailed-message": "The requested resource is not found." },
    });
    let denied = Fault::answer(Reply::json(404, refusal)).method("GET");
    let denied = denied.path("/sourceConnections/{id}").times(Times::Every);
    world.simulator.inject(denied);
    let asked = json!({ "aep-operator.io/requested-at": "now" });
    let asked = json!({ "metadata": { "annotations": asked } });
    let name = "paypal-products";
    world.patch("SourceConnection", name, asked).await;
    world.reason("SourceConnection", name, "Missing").await;
    let flow = world
        .reason("Dataflow", "payments", "DependencyNotReady")
        .await;
    let told = condition(&flow, "Ready")["message"].to_string();
    assert!(told.contains("SourceConnection"), "{told}");
    world.simulator.clear_faults();
    world.all_ready(&objects).await;
    assert_eq!(ids(&world, &objects).await, before);
    assert_eq!(world.creates(), 0);
}

#[tokio::test]
async fn a_reset_sandbox_comes_back_once_whatever_ends_the_process() {
    let (mut world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    // The data set is created, but the process ends before the answer is there.
    let late = Fault::new(Effect::HangAfter)
        .method("POST")
        .path("/dataSets");
    world.simulator.inject(late.times(Times::Next(1)));
    world.simulator.reset_sandbox("prod").unwrap();
    world
        .eventually("a data set", || async {
            let found = world.simulator.objects("prod", "dataSets").len();
            (found == 1).then_some(()).ok_or(found.to_string())
        })
        .await;
    world.kill_operator().await;
    world.start_operator();
    all_anew(&world, &objects, &before).await;
    everything_fits(&world, &objects).await;
    assert_eq!(world.creates(), OBJECTS);
}
