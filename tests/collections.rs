//! Where what a custom resource stands for is found in the simulator.

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
