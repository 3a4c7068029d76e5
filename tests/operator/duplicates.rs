//! Whatever carries the mark of a resource and is not named by its status is reported, each object by itself, and left alone.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Options, Times};
use aep_test_kit::{World, condition};
use serde_json::{Value, json};

const OWNER: &str = "aep_operator_owner";

/// A pipeline that is ready, with this policy for all that can be replaced.
async fn settled(policy: &str) -> (World, Vec<Value>) {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let mut objects = world.apply_sample_with_default_resync("payments").await;
    for object in &mut objects {
        let kind = object["kind"].as_str().unwrap();
        if !["Sandbox", "Secret", "PlatformSchema", "MappingSet"].contains(&kind) {
            object["spec"]["replacePolicy"] = json!(policy);
            world.apply(object).await.unwrap();
        }
    }
    world.all_ready(&objects).await;
    world.simulator.clear_calls();
    (world, objects)
}

/// A dataset that somebody else made, with the tag of ours and what follows it; gives its id.
async fn copy(world: &World, more: &str) -> String {
    let held = dataset(world).await;
    let tag = held["tags"][OWNER][0].as_str().unwrap();
    let body = json!({
        "name": format!("copy {more}"), "schemaRef": held["schemaRef"],
        "tags": { OWNER: [format!("{tag}{more}")] },
    });
    let made = world.at_adobe("POST", "/catalog/dataSets", &body).await;
    let id = made[0].as_str().unwrap();
    id.rsplit_once('/').unwrap().1.to_owned()
}

/// The dataset that the resource stands for, as Adobe holds it.
async fn dataset(world: &World) -> Value {
    let id = world.get("Dataset", "payments").await["status"]["id"].clone();
    let held = world
        .simulator
        .object("prod", "dataSets", id.as_str().unwrap());
    held.unwrap()
}

/// Waits until as many orphans are reported, each of these with an event of its own.
async fn reported(world: &World, orphans: &[&str]) {
    world
        .eventually("an event for each", || async {
            let sandbox = world.get("Sandbox", "default").await;
            let notes = world.notes("Sandbox", "default", "OrphansFound").await;
            let told = |id: &&str| notes.iter().filter(|note| note.contains(*id)).count() == 1;
            let all = sandbox["status"]["orphans"] == orphans.len();
            (all && orphans.iter().all(told))
                .then_some(())
                .ok_or(format!("{} {notes:?}", sandbox["status"]))
        })
        .await;
}

/// Waits until all datasets were listed a few times more.
async fn listed(world: &World) {
    let before = world.simulator.count("GET", "/dataSets");
    world
        .eventually("more lists", || async {
            let more = world.simulator.count("GET", "/dataSets") - before;
            (more > 4).then_some(()).ok_or(more.to_string())
        })
        .await;
}

#[tokio::test]
async fn an_object_with_a_raised_mark_is_reported_and_left_alone() {
    let (world, objects) = settled("Never").await;
    let before = dataset(&world).await;
    let (raised, copied) = (copy(&world, "_R9").await, copy(&world, "").await);
    reported(&world, &[&raised, &copied]).await;
    listed(&world).await;
    world.all_ready(&objects).await;
    assert_eq!(dataset(&world).await, before);
    assert_eq!(world.simulator.count("DELETE", "/dataSets/{id}"), 0);
    assert_eq!(world.simulator.count("PATCH", "/dataSets/{id}"), 0);
}

#[tokio::test]
async fn a_lost_status_does_not_move_a_resource_to_a_copy_with_a_raised_mark() {
    let (mut world, objects) = settled("Recreate").await;
    let before = dataset(&world).await;
    world.kill_operator().await;
    let raised = copy(&world, "_R2").await;
    world.wipe_status("Dataset", "payments").await;
    world.start_operator();
    world.all_ready(&objects).await;
    reported(&world, &[&raised]).await;
    listed(&world).await;
    assert_eq!(dataset(&world).await, before);
    assert_eq!(world.simulator.objects("prod", "dataSets").len(), 2);
    assert_eq!(world.simulator.count("DELETE", "/dataSets/{id}"), 0);
}

#[tokio::test]
async fn a_mark_that_was_moved_is_written_again_where_it_was() {
    let (world, _) = settled("Never").await;
    let before = dataset(&world).await;
    let moved = copy(&world, "").await;
    let id = before["id"].as_str().unwrap();
    let none = json!({ "tags": { OWNER: null } });
    world.simulator.edit("prod", "dataSets", id, &none).unwrap();
    world
        .eventually("the mark to be there again", || async {
            let now = dataset(&world).await;
            (now["id"] == before["id"] && now["tags"][OWNER] == before["tags"][OWNER])
                .then_some(())
                .ok_or(now.to_string())
        })
        .await;
    reported(&world, &[&moved]).await;
}

#[tokio::test]
async fn a_replacement_deletes_what_it_replaces_and_no_duplicate() {
    let (world, objects) = settled("Recreate").await;
    let old = dataset(&world).await["id"].as_str().unwrap().to_owned();
    let (twin, raised) = (copy(&world, "").await, copy(&world, "_R2").await);
    reported(&world, &[&twin, &raised]).await;
    let other =
        json!({ "spec": { "schemaContentType": "application/vnd.adobe.xed+json;version=1" } });
    world.patch("Dataset", "payments", other).await;
    world
        .eventually("the old dataset to go", || async {
            let left = world.simulator.object("prod", "dataSets", &old);
            left.is_none().then_some(()).ok_or("it is there".to_owned())
        })
        .await;
    world.all_ready(&objects).await;
    listed(&world).await;
    for duplicate in [&twin, &raised] {
        let left = world.simulator.object("prod", "dataSets", duplicate);
        assert!(left.is_some(), "{duplicate}");
    }
    let notes = world.notes("Dataset", "payments", "Deleted").await;
    assert_eq!(notes, [format!("deleted {old}, which was replaced")]);
    // Nor does the deletion of the resource. The schema stays, which the duplicates use.
    let mut others = objects;
    others.retain(|it| {
        !["Sandbox", "PlatformSchema"]
            .iter()
            .any(|kind| it["kind"] == *kind)
    });
    world.delete_all(&others).await;
    let left = world.simulator.objects("prod", "dataSets");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn what_was_replaced_is_reported_if_the_status_is_lost_before_it_is_deleted() {
    let (mut world, objects) = settled("Recreate").await;
    let (kind, name, collection) = ("SourceConnection", "paypal-products", "sourceConnections");
    let old = world.get(kind, name).await["status"]["id"].clone();
    world.simulator.set_latency(Duration::from_millis(100));
    let other = json!({ "spec": { "params": { "tableName": "PayPal.Other" } } });
    world.patch(kind, name, other).await;
    world
        .eventually("the second source connection", || async {
            let count = world.simulator.objects("prod", collection).len();
            (count == 2).then_some(()).ok_or(count.to_string())
        })
        .await;
    world.kill_operator().await;
    world.simulator.set_latency(Duration::ZERO);
    world.wipe_status(kind, name).await;
    world.start_operator();
    world.all_ready(&objects).await;
    let now = world.get(kind, name).await;
    assert_ne!(now["status"]["id"], old);
    reported(&world, &[old.as_str().unwrap()]).await;
    assert_eq!(world.simulator.objects("prod", collection).len(), 2);
    assert_eq!(world.simulator.count("POST", "/sourceConnections"), 1);
}

#[tokio::test]
async fn a_mark_that_adobe_cuts_is_told_and_not_written_for_ever() {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    for path in ["/connections", "/connections/{id}"] {
        let cut = Fault::new(Effect::Cut(60)).path(path);
        world.simulator.inject(cut.times(Times::Every));
    }
    world.apply_sample_with_default_resync("payments").await;
    let (kind, name) = ("BaseConnection", "paypal");
    let connection = world.says(kind, name, "did not keep the owner mark").await;
    assert_eq!(condition(&connection, "Stalled")["reason"], "InvalidSpec");
    let held = world.simulator.objects("prod", "connections");
    assert_eq!(connection["status"]["id"], held[0]["id"]);
    let patches = world.simulator.count("PATCH", "/connections/{id}");
    listed(&world).await;
    assert_eq!(
        world.simulator.count("PATCH", "/connections/{id}"),
        patches,
        "it is not written again"
    );
    assert_eq!(held.len(), 1);
}
