//! What is written of resources that wait for each other: nothing while they come, and soon where they do not.

use std::time::{Duration, Instant};

use aep_simulator::{Effect, Fault, Options};
use aep_test_kit::{World, condition, copies, fleet, name, ours, sample};
use futures::{StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use serde_json::{Value, json};

#[tokio::test]
async fn a_resource_is_written_twice_until_it_is_ready_whatever_it_waits_for() {
    let mut world = World::unattended(Options::default()).await;
    let objects = copies(&sample("payments"), 10);
    // Those that wait come first.
    let mut applied: Vec<DynamicObject> = Vec::new();
    for object in objects.iter().rev() {
        applied.push(world.apply(object).await.unwrap());
    }
    world.start_operator();
    fleet::all_ready(&world, &objects).await;
    let mut writes = 0;
    let resources: Vec<_> = ours(&objects).collect();
    for object in &resources {
        let (kind, name) = name(object);
        let named = |it: &&DynamicObject| {
            let is_kind = it.types.as_ref().is_some_and(|it| it.kind == kind);
            is_kind && it.metadata.name.as_deref() == Some(name)
        };
        let since = applied.iter().find(named).unwrap();
        let history = world.history(kind, since).await;
        writes += history.len() - 1;
    }
    // The finalizer, and the status with everything. Tests run beside each other, so something may last for once.
    let most = resources.len() * 2 + resources.len() / 20;
    assert!(writes <= most, "{writes} for {} resources", resources.len());
}

#[tokio::test]
async fn a_wait_that_lasts_is_told_although_what_is_waited_for_says_nothing_yet() {
    let world = World::tuned(Options::default(), |settings| {
        settings.request_timeout = Duration::from_secs(60);
    })
    .await;
    let hangs = Fault::new(Effect::HangBefore).method("POST");
    world.simulator.inject(hangs.path("/connections"));
    world.apply_sample("payments").await;
    let begun = Instant::now();
    let words = "waiting for BaseConnection/paypal: it is not ready yet";
    world
        .says("SourceConnection", "paypal-products", words)
        .await;
    let flow = world
        .reason("Dataflow", "payments", "DependencyNotReady")
        .await;
    assert_eq!(condition(&flow, "Reconciling")["status"], "True");
    // What waited no longer than this is not told.
    assert!(begun.elapsed() > Duration::from_secs(1));
    let base = world.get("BaseConnection", "paypal").await;
    assert_eq!(base["status"]["observedGeneration"], json!(-1));
}

#[tokio::test]
async fn resources_that_are_deleted_together_go_without_a_word() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let mut before = Vec::new();
    for object in ours(&objects) {
        let (kind, name) = name(object);
        before.push((kind, world.api(kind).get(name).await.unwrap()));
    }
    world.delete_all(&objects).await;
    for (kind, since) in &before {
        for state in until_deleted(&world, kind, since).await {
            let message = condition(&state, "Ready")["message"].to_string();
            assert!(!message.contains("cannot be deleted"), "{kind}: {message}");
        }
    }
}

/// Every state that an object had since the one given, until it was gone.
async fn until_deleted(world: &World, kind: &str, since: &DynamicObject) -> Vec<Value> {
    let named = format!("metadata.name={}", since.name_any());
    let params = WatchParams::default().fields(&named);
    let from = since.resource_version().unwrap();
    let changes = world.api(kind).watch(&params, &from).await.unwrap();
    let mut changes = changes.boxed();
    let mut states = Vec::new();
    while let Some(WatchEvent::Modified(state)) = changes.try_next().await.unwrap() {
        states.push(serde_json::to_value(state).unwrap());
    }
    states
}
