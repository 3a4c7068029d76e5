//! Objects that exist already are taken over on purpose only, and by one custom resource alone.

use std::time::Duration;

use aep_simulator::Options;
use aep_test_kit::{World, condition, sample, use_default_resync_period};
use serde_json::{Value, json};

const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

/// A connection that somebody made by hand.
async fn by_hand(world: &World, name: &str, description: &str) -> String {
    let body = json!({
        "name": name, "description": description,
        "connectionSpec": { "id": DATA_LAKE, "version": "1.0" },
    });
    let made = world
        .at_adobe("POST", "/flowservice/connections", &body)
        .await;
    made["id"].as_str().unwrap().to_owned()
}

/// A custom resource for such a connection.
fn connection(name: &str, shown: &str) -> Value {
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "BaseConnection",
        "metadata": { "name": name },
        "spec": { "name": shown, "connectionSpec": { "id": DATA_LAKE } },
    })
}

fn adopting(mut object: Value, id: &str) -> Value {
    object["metadata"]["annotations"] = json!({ "aep-operator.io/external-id": id });
    object
}

/// A world with an open sandbox, listed often.
async fn often_listed() -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let mut objects = sample("payments");
    objects.retain(|it| it["kind"] == "Secret" || it["kind"] == "Sandbox");
    use_default_resync_period(&mut objects);
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.reason("Sandbox", "default", "Succeeded").await;
    world
}

/// A world with an open sandbox and nothing else, in which objects are settled as soon as they are made.
async fn open() -> World {
    let world = World::with(Options {
        transition: Duration::ZERO,
        ..Options::default()
    })
    .await;
    for object in sample("payments") {
        if object["kind"] == "Secret" || object["kind"] == "Sandbox" {
            world.apply(&object).await.unwrap();
        }
    }
    world.reason("Sandbox", "default", "Succeeded").await;
    world
}

fn held(world: &World, id: &str) -> Value {
    let found = world.simulator.object("prod", "connections", id);
    found.unwrap()
}

#[tokio::test]
async fn the_object_that_the_annotation_names_is_taken_over() {
    let world = open().await;
    let id = by_hand(&world, "Lake", "made by hand").await;
    world.simulator.clear_calls();
    let object = adopting(connection("lake", "Lake"), &id);
    world.apply(&object).await.unwrap();
    let object = world.reason("BaseConnection", "lake", "Succeeded").await;
    assert_eq!(object["status"]["id"], id);
    assert_eq!(world.creates(), 0, "{:?}", world.simulator.calls());
    assert_eq!(world.writes(), 1, "one change to set the mark");
    let description = held(&world, &id)["description"].to_string();
    assert!(description.contains("[aep-operator:"), "{description}");
    world.delete("BaseConnection", "lake").await;
    world.gone("BaseConnection", "lake").await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn an_annotation_that_names_nothing_creates_nothing() {
    let world = open().await;
    let id = "0d9d8d9e-8c57-4a3b-a54b-2a1bd1e9a0c4";
    let object = adopting(connection("lake", "Lake"), id);
    world.apply(&object).await.unwrap();
    let object = world.reason("BaseConnection", "lake", "InvalidSpec").await;
    let message = condition(&object, "Stalled")["message"].to_string();
    assert!(message.contains(id), "{message}");
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn one_namesake_without_owner_is_taken_over_where_the_policy_allows_it() {
    let world = open().await;
    let id = by_hand(&world, "Lake", "").await;
    let mut object = connection("lake", "Lake");
    object["spec"]["adoptionPolicy"] = json!("IfUnowned");
    world.apply(&object).await.unwrap();
    let object = world.reason("BaseConnection", "lake", "Succeeded").await;
    assert_eq!(object["status"]["id"], id);
    // Without the policy, a namesake is left alone.
    let other = connection("other", "Lake");
    world.apply(&other).await.unwrap();
    let other = world.reason("BaseConnection", "other", "Succeeded").await;
    assert_ne!(other["status"]["id"], id);
}

#[tokio::test]
async fn of_several_namesakes_none_is_taken_over() {
    let world = open().await;
    let one = by_hand(&world, "Lake", "").await;
    let two = by_hand(&world, "Lake", "").await;
    let mut object = connection("lake", "Lake");
    object["spec"]["adoptionPolicy"] = json!("IfUnowned");
    world.apply(&object).await.unwrap();
    let object = world.reason("BaseConnection", "lake", "InvalidSpec").await;
    let message = condition(&object, "Stalled")["message"].to_string();
    assert!(
        message.contains(&one) && message.contains(&two),
        "{message}"
    );
    assert!(object["status"]["id"].is_null());
}

#[tokio::test]
async fn a_second_claim_to_one_object_is_refused() {
    let world = open().await;
    let id = by_hand(&world, "Lake", "").await;
    let first = adopting(connection("first", "Lake"), &id);
    world.apply(&first).await.unwrap();
    world.reason("BaseConnection", "first", "Succeeded").await;
    world.simulator.clear_calls();
    let second = adopting(connection("second", "Other"), &id);
    world.apply(&second).await.unwrap();
    let second = world
        .reason("BaseConnection", "second", "AlreadyOwned")
        .await;
    let message = condition(&second, "Stalled")["message"].to_string();
    assert!(message.contains("/first"), "{message}");
    world.delete("BaseConnection", "second").await;
    world.gone("BaseConnection", "second").await;
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn two_claims_at_once_end_with_one_owner() {
    let world = open().await;
    let id = by_hand(&world, "Lake", "").await;
    let (one, two) = (
        adopting(connection("one", "Lake"), &id),
        adopting(connection("two", "Lake"), &id),
    );
    let (one, two) = tokio::join!(world.apply(&one), world.apply(&two));
    one.unwrap();
    two.unwrap();
    let reasons = world
        .eventually("one owner", || async {
            let mut reasons = Vec::new();
            for name in ["one", "two"] {
                let object = world.get("BaseConnection", name).await;
                reasons.push(condition(&object, "Ready")["reason"].to_string());
            }
            reasons.sort();
            let settled = reasons == ["\"AlreadyOwned\"", "\"Succeeded\""];
            settled.then_some(reasons.clone()).ok_or(reasons.join(", "))
        })
        .await;
    assert_eq!(reasons.len(), 2);
}

#[tokio::test]
async fn an_object_of_another_operator_is_left_alone() {
    let world = open().await;
    let mark = "[aep-operator:other-cluster/BaseConnection/ns/lake]";
    let id = by_hand(&world, "Lake", mark).await;
    world.simulator.clear_calls();
    let object = adopting(connection("lake", "Lake"), &id);
    world.apply(&object).await.unwrap();
    let object = world
        .reason("BaseConnection", "lake", "OwnedElsewhere")
        .await;
    let message = condition(&object, "Stalled")["message"].to_string();
    assert!(message.contains("other-cluster"), "{message}");
    world.delete("BaseConnection", "lake").await;
    world.gone("BaseConnection", "lake").await;
    assert_eq!(world.writes(), 0);
    assert_eq!(held(&world, &id)["description"], mark);
}

#[tokio::test]
async fn what_a_renamed_resource_left_behind_is_taken_over_by_name() {
    let mut world = often_listed().await;
    let orphaning = |mut object: Value| {
        object["spec"]["deletionPolicy"] = json!("Orphan");
        object
    };
    let kind = "BaseConnection";
    let first = orphaning(connection("first", "Lake"));
    world.apply(&first).await.unwrap();
    let object = world.reason(kind, "first", "Succeeded").await;
    let id = object["status"]["id"].as_str().unwrap().to_owned();
    let mut before = "first";
    for name in ["second", "third"] {
        let object = orphaning(adopting(connection(name, "Lake"), &id));
        world.apply(&object).await.unwrap();
        world.says(kind, name, "already belongs to").await;
        world.delete(kind, before).await;
        world.gone(kind, before).await;
        if before == "first" {
            // The Sandbox is young, whatever a status says that was restored: the other resource may only not have been
            // applied yet.
            world.age("Sandbox", "default").await;
            let again =
                json!({ "metadata": { "annotations": { "aep-operator.io/requested-at": "now" } } });
            world.patch(kind, name, again).await;
            let object = world.says(kind, name, "which no longer exists").await;
            assert_eq!(condition(&object, "Stalled")["reason"], "AlreadyOwned");
            world.kill_operator().await;
            world.settings.established = Duration::ZERO;
            world.start_operator();
        }
        let object = world.reason(kind, name, "Succeeded").await;
        assert_eq!(object["status"]["id"], id);
        let description = held(&world, &id)["description"].to_string();
        assert!(description.contains(&format!("/{name}]")), "{description}");
        before = name;
    }
    assert_eq!(world.simulator.object_count("prod"), 1);
}
