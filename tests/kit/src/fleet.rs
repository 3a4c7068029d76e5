//! Hundreds of pipelines in one world, handled a list at a time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use aep_operator::api::Kind;
use futures::{StreamExt, stream};
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::{World, condition, copies, ours, sample, use_default_resync_period};

/// Long enough for the largest fleet on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(600);

/// Requests to Kubernetes at a time.
const CONCURRENCY: usize = 32;

/// Kind and name of an object.
pub type Name = (String, String);

/// That many pipelines in a Sandbox that may ask for much at once, and that is resynced as often as the operator's settings say.
pub fn manifests(pipelines: usize) -> Vec<Value> {
    let mut objects = copies(&sample("payments"), pipelines);
    use_default_resync_period(&mut objects);
    for sandbox in objects.iter_mut().filter(|it| it["kind"] == "Sandbox") {
        sandbox["spec"]["limits"] =
            json!({ "requestsPerSecond": 1000, "burst": 1000, "maxConcurrentRequests": 64 });
    }
    objects
}

/// Applies all objects.
pub async fn apply(world: &World, objects: &[Value]) {
    let applies = objects.iter().map(|object| async {
        world.apply(object).await.unwrap();
    });
    concurrently(applies).await;
}

/// Runs requests, many at a time.
pub async fn concurrently(requests: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut running = stream::iter(requests).buffer_unordered(CONCURRENCY);
    while running.next().await.is_some() {}
}

/// Waits until every one of these objects is Ready as its spec is now; gives the ids at Adobe.
pub async fn all_ready(world: &World, objects: &[Value]) -> HashMap<Name, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let held = held(world).await;
        let waiting = ours(objects)
            .map(name)
            .filter(|name| !is_ready(held.get(name)));
        let waiting: Vec<_> = waiting.collect();
        let Some(first) = waiting.first() else {
            let id = |object: &Value| object["status"]["id"].as_str().unwrap().to_owned();
            let ready = held.iter().filter(|(_, it)| is_ready(Some(it)));
            return ready.map(|(name, it)| (name.clone(), id(it))).collect();
        };
        assert!(
            Instant::now() < deadline,
            "{} objects did not become Ready, such as {first:?}: {}",
            waiting.len(),
            held.get(first).unwrap_or(&Value::Null)["status"]
        );
        // Hundreds of objects are no small question.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Every custom resource in the namespace.
pub async fn held(world: &World) -> BTreeMap<Name, Value> {
    let mut held = BTreeMap::new();
    for kind in Kind::ALL {
        let api = world.api(kind.name());
        // A control plane that is busy may cut off the answer to a long list.
        let list = || async {
            let listed = api.list(&ListParams::default()).await;
            listed.map_err(|error| error.to_string())
        };
        for object in world.eventually("a list", list).await {
            let mut object = serde_json::to_value(object).unwrap();
            object["kind"] = json!(kind.name());
            held.insert(name(&object), object);
        }
    }
    held
}

/// Kind and name of an object.
pub fn name(object: &Value) -> Name {
    let (kind, name) = crate::name(object);
    (kind.to_owned(), name.to_owned())
}

fn is_ready(object: Option<&Value>) -> bool {
    object.is_some_and(|object| {
        let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        current && condition(object, "Ready")["status"] == "True"
    })
}
