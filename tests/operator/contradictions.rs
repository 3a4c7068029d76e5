//! What Adobe says in one place and denies in another is believed in neither, and nothing is made meanwhile.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Options, Reply, Times};
use serde_json::{Value, json};

use crate::harness::{World, condition, sample};
use crate::recovery::creates;

const KIND: &str = "SourceConnection";
const NAME: &str = "paypal-products";

async fn settled() -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let objects = world.apply_swept("payments").await;
    world.all_ready(&objects).await;
    world.simulator.clear_calls();
    world
}

async fn id(world: &World) -> Value {
    world.get(KIND, NAME).await["status"]["id"].clone()
}

fn always(reply: Reply, method: &str, path: &str) -> Fault {
    let fault = Fault::answer(reply).method(method).path(path);
    fault.times(Times::Every)
}

async fn look_again(world: &World, when: &str) {
    let asked = json!({ "metadata": { "annotations": { "aep-operator.io/requested-at": when } } });
    world.patch(KIND, NAME, asked).await;
}

#[tokio::test]
async fn what_a_read_denies_and_lists_show_is_not_made_again() {
    let world = settled().await;
    let before = id(&world).await;
    let denied = Reply::json(
        404,
        json!({ "errorCode": "FLOW-1439-404", "message": "not found" }),
    );
    let lie = always(denied, "GET", "/sourceConnections/{id}");
    world.simulator.inject(lie);
    look_again(&world, "now").await;
    let object = world.reason(KIND, NAME, "Missing").await;
    assert_eq!(condition(&object, "Reconciling")["status"], "True");
    let reads = || world.simulator.count("GET", "/sourceConnections/{id}");
    let seen = reads();
    world
        .eventually("three more looks", || async {
            let more = reads() - seen;
            (more >= 3).then_some(()).ok_or(more.to_string())
        })
        .await;
    world.simulator.clear_faults();
    world.reason(KIND, NAME, "Succeeded").await;
    assert_eq!(id(&world).await, before);
    assert_eq!(creates(&world.simulator), 0);
}

#[tokio::test]
async fn what_lists_lack_and_a_read_shows_is_there() {
    let world = settled().await;
    let before = id(&world).await;
    // An older fault takes single reads away from the one that hits both.
    let harmless = Fault::new(Effect::Delay(0)).path("/sourceConnections/{id}");
    world.simulator.inject(harmless.times(Times::Every));
    let nothing = Reply::json(200, json!({ "items": [] }));
    let lie = always(nothing, "GET", "/sourceConnections");
    world.simulator.inject(lie);
    let reads = || world.simulator.count("GET", "/sourceConnections/{id}");
    world
        .eventually("three reads", || async {
            (reads() >= 3).then_some(()).ok_or(reads().to_string())
        })
        .await;
    let object = world.reason(KIND, NAME, "Succeeded").await;
    assert_eq!(object["status"]["id"], before);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_field_group_is_never_taken_for_its_schema() {
    let world = World::new().await;
    let refusal = Reply::json(400, json!({ "title": "no" }));
    world
        .simulator
        .inject(always(refusal, "POST", "/tenant/schemas"));
    let mut objects = sample("payments");
    let wanted = ["Secret", "Sandbox", "PlatformSchema"];
    objects.retain(|object| wanted.iter().any(|kind| object["kind"] == *kind));
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    let schema = world.reason("PlatformSchema", "payments", "Rejected").await;
    assert!(schema["status"]["id"].is_null(), "{schema}");
    let part = schema["status"]["fieldGroupId"].as_str();
    assert!(part.is_some_and(|id| id.contains("/mixins/")), "{schema}");
    world.simulator.clear_faults();
    let patch = json!({ "spec": { "description": "another try" } });
    world.patch("PlatformSchema", "payments", patch).await;
    let schema = world
        .reason("PlatformSchema", "payments", "Succeeded")
        .await;
    let id = schema["status"]["id"].as_str();
    assert!(id.is_some_and(|id| id.contains("/schemas/")), "{schema}");
    assert_eq!(world.simulator.count("POST", "/tenant/fieldgroups"), 1);
}

#[tokio::test]
async fn those_who_refer_to_a_connection_follow_adobe_and_not_a_refused_change() {
    let world = settled().await;
    let other = json!({ "spec": { "connectionSpec": { "name": "amazon-s3" } } });
    world.patch("BaseConnection", "paypal", other).await;
    let refused = "ReplaceRequired";
    world.reason("BaseConnection", "paypal", refused).await;
    // Each looks at what it refers to again.
    let touched = json!({ "spec": { "description": "looked at again" } });
    world.patch(KIND, NAME, touched).await;
    world.reason(KIND, NAME, "Succeeded").await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    assert_eq!(world.writes(), 1, "the description");
}

#[tokio::test]
async fn what_was_replaced_and_lost_our_mark_meanwhile_stays() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let policy = json!({ "spec": { "replacePolicy": "Recreate" } });
    world.patch(KIND, NAME, policy).await;
    world.reason(KIND, NAME, "Succeeded").await;
    let old = id(&world).await;
    let other = json!({ "spec": { "params": { "tableName": "PayPal.Other" } } });
    world.patch(KIND, NAME, other).await;
    // The flow may not be replaced, so it goes on using the old connection.
    world
        .reason("Dataflow", "payments", "ReplaceRequired")
        .await;
    let id = old.as_str().unwrap();
    let ours_no_more = json!({ "description": "mine now" });
    let edited = world
        .simulator
        .edit("prod", "sourceConnections", id, &ours_no_more);
    edited.unwrap();
    let policy = json!({ "spec": { "replacePolicy": "Recreate" } });
    world.patch("Dataflow", "payments", policy).await;
    let event = world.event(KIND, NAME, "Released").await;
    assert!(event.note.unwrap().contains(id));
    world.reason("Dataflow", "payments", "Succeeded").await;
    assert!(
        world
            .simulator
            .object("prod", "sourceConnections", id)
            .is_some()
    );
}

#[tokio::test]
async fn a_deletion_while_a_replacement_is_in_doubt_leaves_neither() {
    let world = settled().await;
    let policy = json!({ "spec": { "replacePolicy": "Recreate" } });
    world.patch(KIND, NAME, policy).await;
    world.reason(KIND, NAME, "Succeeded").await;
    world.simulator.set_list_lag(Duration::from_millis(800));
    let late = Fault::new(Effect::Late(2000)).method("POST");
    world.simulator.inject(late.path("/sourceConnections"));
    let other = json!({ "spec": { "params": { "tableName": "PayPal.Other" } } });
    world.patch(KIND, NAME, other).await;
    world.reason(KIND, NAME, "AdobeUnavailable").await;
    crate::pipeline::delete_all(&world, &sample("payments")).await;
    let made = world.simulator.count("POST", "/sourceConnections");
    assert_eq!(made, 1);
    assert_eq!(world.simulator.object_count("prod"), 0);
}
