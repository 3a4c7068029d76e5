//! A whole pipeline's life.

use aep_test_kit::{World, ours, sample};

#[tokio::test]
async fn the_payments_pipeline_becomes_ready_in_any_order_of_apply() {
    let world = World::new().await;
    let mut objects = sample("payments");
    objects.reverse();
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    for object in ours(&objects) {
        let (kind, name) = (
            object["kind"].as_str().unwrap(),
            object["metadata"]["name"].as_str().unwrap(),
        );
        assert!(
            world.get(kind, name).await["status"]["id"].is_string(),
            "{kind}/{name} has no id"
        );
    }
    assert_eq!(world.simulator.objects("prod", "flows").len(), 1);
}

#[tokio::test]
async fn a_second_apply_and_a_restart_write_nothing() {
    let mut world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let (writes, versions) = (world.writes(), world.versions().await);
    world.apply_sample("payments").await;
    world.kill_operator().await;
    world.simulator.clear_calls();
    world.start_operator();
    // The new operator knows everything once it has listed the last kind.
    world
        .eventually("the new operator to list flows", || async {
            (world.simulator.count("GET", "/flows") > 0)
                .then_some(())
                .ok_or_else(|| "no list yet".to_owned())
        })
        .await;
    assert_eq!(
        world.writes(),
        0,
        "writes to Adobe after the restart, {writes} before"
    );
    assert_eq!(world.versions().await, versions);
}

#[tokio::test]
async fn deleting_everything_at_once_leaves_nothing_at_adobe() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    assert!(world.simulator.object_count("prod") > 0);
    world.delete_all(&objects).await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn objects_that_were_never_created_go_at_once() {
    let world = World::new().await;
    let objects = sample("payments");
    let dataset = objects.iter().find(|o| o["kind"] == "Dataset").unwrap();
    world.apply(dataset).await.unwrap();
    let name = dataset["metadata"]["name"].as_str().unwrap();
    world.reason("Dataset", name, "DependencyNotReady").await;
    world.delete("Dataset", name).await;
    world.gone("Dataset", name).await;
    assert!(world.simulator.calls().is_empty());
}
