//! What must be true at Adobe, whatever happened on the way.

use aep_simulator::Simulator;
use serde_json::Value;

use crate::cluster::named;
use crate::collections::COLLECTIONS;
use crate::harness::{World, ours};

/// A schema brings a field group for its own fields.
const FIELD_GROUPS: &str = "fieldgroups";

/// Every custom resource has exactly one object, which is the one that its status names, and nothing else is there.
pub async fn holds_each_once(world: &World, objects: &[Value]) {
    let all = &world.simulator;
    for object in ours(objects).filter(|object| object["kind"] != "Sandbox") {
        let (kind, name) = named(object);
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
    let kinds = COLLECTIONS.map(|(_, collection)| collection);
    for kind in kinds.into_iter().chain([FIELD_GROUPS]) {
        assert!(ids(all, kind).is_empty(), "{kind} are left at Adobe");
    }
    assert_eq!(all.object_count("prod"), 0, "objects at Adobe");
}

fn collection(kind: &str) -> &'static str {
    let found = COLLECTIONS.iter().find(|(known, _)| *known == kind);
    found.unwrap().1
}

fn ids(simulator: &Simulator, collection: &str) -> Vec<Value> {
    let objects = simulator.objects("prod", collection).into_iter();
    let id = |object: Value| {
        object
            .get("id")
            .or_else(|| object.get("$id"))
            .cloned()
            .unwrap()
    };
    objects.map(id).collect()
}
