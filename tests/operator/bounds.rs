//! What a user of a namespace can multiply has bounds: what exceeds them is told, and hurts nobody else.

use aep_simulator::Options;
use aep_test_kit::{World, condition, ours, sample};
use serde_json::{Value, json};

fn of<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|it| it["kind"] == kind).unwrap()
}

/// Waits until a resource says that a bound is exceeded; checks that the way out is named.
async fn exceeds(world: &World, kind: &str, name: &str, flag: &str) {
    let object = world.reason(kind, name, "LimitExceeded").await;
    let message = condition(&object, "Ready")["message"].to_string();
    assert!(message.contains(flag), "{message}");
    assert_eq!(condition(&object, "Stalled")["reason"], "LimitExceeded");
    world.event(kind, name, "LimitExceeded").await;
}

/// Asks for a reconcile now.
async fn request(world: &World, kind: &str, name: &str) {
    let now = json!({ "aep-operator.io/requested-at": "now" });
    let patch = json!({ "metadata": { "annotations": now } });
    world.patch(kind, name, patch).await;
}

/// Changes what a dataset says of itself, and waits until that has arrived.
async fn still_served(world: &World) {
    let before = world.writes();
    let patch = json!({ "spec": { "description": "still served" } });
    world.patch("Dataset", "payments", patch).await;
    world.reason("Dataset", "payments", "Succeeded").await;
    assert!(world.writes() > before);
}

#[tokio::test]
async fn of_more_sandboxes_than_a_namespace_may_have_the_oldest_are_served() {
    let world = World::tuned(Options::default(), |it| it.max_sandboxes = 1).await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let mut second = of(&objects, "Sandbox").clone();
    second["metadata"]["name"] = json!("second");
    second["spec"]["sandboxName"] = json!("dev");
    world.apply(&second).await.unwrap();
    exceeds(&world, "Sandbox", "second", "--max-sandboxes-per-namespace").await;
    let calls = world.simulator.calls();
    assert!(calls.iter().all(|it| it.sandbox != "dev"));
    still_served(&world).await;
    // Its credentials stay: they are the other's, too.
    let first: Vec<_> = ours(&objects).cloned().collect();
    world.delete_all(&first).await;
    request(&world, "Sandbox", "second").await;
    world.reason("Sandbox", "second", "Succeeded").await;
}

#[tokio::test]
async fn a_sandbox_with_more_resources_than_allowed_gets_no_more_objects() {
    let objects = sample("payments");
    // Its Sandbox and two Secrets are none of them.
    let most = u32::try_from(objects.len()).unwrap() - 3;
    let world = World::tuned(Options::default(), |it| it.max_resources = most).await;
    world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let creates = world.creates();
    let mut another = of(&objects, "Dataset").clone();
    another["metadata"]["name"] = json!("another");
    another["spec"]["name"] = json!("another");
    world.apply(&another).await.unwrap();
    exceeds(&world, "Dataset", "another", "--max-resources-per-sandbox").await;
    still_served(&world).await;
    assert_eq!(world.creates(), creates);
    world.delete("Dataflow", "payments").await;
    world.gone("Dataflow", "payments").await;
    request(&world, "Dataset", "another").await;
    world.reason("Dataset", "another", "Succeeded").await;
    assert_eq!(world.creates(), creates + 1);
}
