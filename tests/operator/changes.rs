//! A change of the spec arrives at Adobe as one call.

use aep_test_kit::{World, ours};
use serde_json::json;

async fn settled() -> World {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    assert_eq!(ours(&objects).count(), 8);
    world.simulator.clear_calls();
    world
}

#[tokio::test]
async fn a_connection_to_which_adobe_assigns_an_address_is_written_once() {
    let world = World::new().await;
    let objects = world.apply_sample("http-streaming").await;
    world.all_ready(&objects).await;
    let connection = world.get("BaseConnection", "web").await;
    assert!(connection["status"]["inletUrl"].is_string());
    assert_eq!(world.simulator.count("POST", "/connections"), 1);
    let counts = world.simulator.counts();
    let patches: Vec<_> = counts.keys().filter(|it| it.starts_with("PATCH")).collect();
    assert!(patches.is_empty(), "{patches:?}");
}

#[tokio::test]
async fn a_changed_description_is_one_patch_with_a_fresh_etag() {
    let world = settled().await;
    world
        .patch(
            "SourceConnection",
            "paypal-products",
            json!({ "spec": { "description": "Daily products" } }),
        )
        .await;
    world
        .reason("SourceConnection", "paypal-products", "Succeeded")
        .await;
    assert_eq!(world.writes(), 1);
    let held = world.simulator.objects("prod", "sourceConnections");
    assert!(
        held[0]["description"]
            .as_str()
            .unwrap()
            .starts_with("Daily products [aep-operator:")
    );
}

#[tokio::test]
async fn a_changed_interval_is_one_patch() {
    let world = settled().await;
    world
        .patch(
            "Dataflow",
            "payments",
            json!({ "spec": { "schedule": { "interval": 60 } } }),
        )
        .await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    assert_eq!(world.writes(), 1);
    assert_eq!(
        world.simulator.objects("prod", "flows")[0]["scheduleParams"]["interval"],
        60
    );
}

#[tokio::test]
async fn a_changed_mapping_is_one_put_and_moves_the_flow_to_the_new_version() {
    let world = settled().await;
    let set = world.get("MappingSet", "payments").await;
    let mut mappings = set["spec"]["mappings"].clone();
    mappings[1]["source"] = json!("Name");
    world
        .patch(
            "MappingSet",
            "payments",
            json!({ "spec": { "mappings": mappings } }),
        )
        .await;
    world
        .eventually("the flow to use version 1", || async {
            let flow = &world.simulator.objects("prod", "flows")[0];
            let mapping = flow["transformations"]
                .as_array()
                .unwrap()
                .iter()
                .find(|t| t["name"] == "Mapping")
                .cloned();
            (mapping.as_ref().unwrap()["params"]["mappingVersion"] == 1)
                .then_some(())
                .ok_or_else(|| format!("{mapping:?}"))
        })
        .await;
    assert_eq!(world.writes(), 2);
}

#[tokio::test]
async fn a_disabled_dataflow_is_disabled_by_one_call() {
    let world = settled().await;
    world
        .patch(
            "Dataflow",
            "payments",
            json!({ "spec": { "state": "Disabled" } }),
        )
        .await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    world
        .eventually("the flow to be disabled", || async {
            let state = world.simulator.objects("prod", "flows")[0]["state"].clone();
            (state == "disabled")
                .then_some(())
                .ok_or_else(|| state.to_string())
        })
        .await;
    assert_eq!(world.writes(), 1);
}
