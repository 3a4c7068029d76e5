//! What must be true at Adobe, whatever happened on the way.

use aep_simulator::Simulator;
use aep_test_kit::collections::{self, COLLECTIONS, FIELD_GROUPS, collection};
use aep_test_kit::{World, name, ours};
use serde_json::{Value, json};

/// Every custom resource has exactly one object, which is the one that its status names, and nothing else is there.
pub async fn holds_each_once(world: &World, objects: &[Value]) {
    let all = &world.simulator;
    for object in ours(objects).filter(|object| object["kind"] != "Sandbox") {
        let (kind, name) = name(object);
        let status = world.get(kind, name).await["status"].take();
        let held = ids(all, collection(kind));
        assert_eq!(held, [status["id"].clone()], "{kind}/{name} at Adobe");
    }
    assert_eq!(ids(all, FIELD_GROUPS).len(), 1, "{FIELD_GROUPS} at Adobe");
    assert_eq!(
        all.object_count("prod"),
        COLLECTIONS.len() + 1,
        "objects at Adobe"
    );
}

/// Nothing is left.
pub fn holds_nothing(world: &World) {
    let all = &world.simulator;
    for collection in collections::all() {
        let left = ids(all, collection);
        assert!(left.is_empty(), "{collection} are left at Adobe");
    }
    assert_eq!(all.object_count("prod"), 0, "objects at Adobe");
}

fn ids(simulator: &Simulator, collection: &str) -> Vec<Value> {
    let objects = simulator.objects("prod", collection);
    let ids = objects.iter().map(|object| json!(collections::id(object)));
    ids.collect()
}
