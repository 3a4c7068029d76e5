//! What users ask of Kubernetes, all at once.

use aep_test_kit::{World, name, ours};
use futures::future::join_all;
use serde_json::Value;

/// Applies all objects.
pub async fn apply(world: &World, objects: &[Value]) {
    let applies = objects.iter().map(|object| world.apply(object));
    for applied in join_all(applies).await {
        applied.unwrap();
    }
}

/// Deletes all custom resources. The Secrets stay: without them nothing can be deleted at Adobe.
pub async fn delete(world: &World, objects: &[Value]) {
    let names = ours(objects).map(name);
    join_all(names.map(|(kind, name)| world.delete(kind, name))).await;
}

/// Waits until all custom resources are gone.
pub async fn gone(world: &World, objects: &[Value]) {
    for (kind, name) in ours(objects).map(name) {
        world.gone(kind, name).await;
    }
}
