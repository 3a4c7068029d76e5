//! What users ask of Kubernetes, all at once.

use futures::future::join_all;
use serde_json::Value;

use crate::harness::{World, ours};

/// Applies all objects.
pub async fn apply(world: &World, objects: &[Value]) {
    let applies = objects.iter().map(|object| world.apply(object));
    for applied in join_all(applies).await {
        applied.unwrap();
    }
}

/// Deletes all custom resources. The Secrets stay: without them nobody can delete anything at Adobe.
pub async fn delete(world: &World, objects: &[Value]) {
    let names = ours(objects).map(named);
    join_all(names.map(|(kind, name)| world.delete(kind, name))).await;
}

/// Waits until all custom resources are gone.
pub async fn gone(world: &World, objects: &[Value]) {
    for (kind, name) in ours(objects).map(named) {
        world.gone(kind, name).await;
    }
}

/// Kind and name of an object.
pub fn named(object: &Value) -> (&str, &str) {
    let kind = object["kind"].as_str();
    let name = object["metadata"]["name"].as_str();
    (kind.unwrap(), name.unwrap())
}
