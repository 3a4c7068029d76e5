//! Where what a custom resource stands for is found in the simulator.

use serde_json::Value;

/// Where each kind keeps its objects.
pub const COLLECTIONS: [(&str, &str); 7] = [
    ("BaseConnection", "connections"),
    ("SourceConnection", "sourceConnections"),
    ("TargetConnection", "targetConnections"),
    ("Dataflow", "flows"),
    ("PlatformSchema", "schemas"),
    ("Dataset", "dataSets"),
    ("MappingSet", "mappingSets"),
];

/// Where the field group is that a schema brings for its own fields.
pub const FIELD_GROUPS: &str = "fieldgroups";

/// Where a kind keeps its objects.
pub fn collection(kind: &str) -> &'static str {
    let found = COLLECTIONS.iter().find(|(known, _)| *known == kind);
    found.unwrap().1
}

/// All collections that hold an object of each pipeline.
pub fn all() -> impl Iterator<Item = &'static str> {
    let collections = COLLECTIONS.into_iter().map(|(_, collection)| collection);
    collections.chain([FIELD_GROUPS])
}

/// The id of an object at Adobe.
pub fn id(object: &Value) -> &str {
    let id = object.get("$id").or_else(|| object.get("id"));
    id.and_then(Value::as_str).unwrap()
}
