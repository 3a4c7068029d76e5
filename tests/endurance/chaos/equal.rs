//! What an object at Adobe must have in common with its custom resource.

use aep_operator::api::Kind;
use aep_operator::engine::Mark;
use aep_test_kit::fleet::Name;
use serde_json::{Value, json};

use super::verdict::Held;

/// What is kept as the spec has it: kind, where in the spec, where at Adobe.
const KEPT: [(&str, &str, &str); 12] = [
    ("BaseConnection", "/name", "/name"),
    ("SourceConnection", "/name", "/name"),
    ("TargetConnection", "/name", "/name"),
    ("Dataflow", "/name", "/name"),
    ("Dataflow", "/schedule/interval", "/scheduleParams/interval"),
    ("PlatformSchema", "/title", "/title"),
    ("Dataset", "/name", "/name"),
    ("Dataset", "/description", "/description"),
    ("MappingSet", "/mappings/0/source", "/mappings/0/source"),
    ("MappingSet", "/mappings/1/source", "/mappings/1/source"),
    ("MappingSet", "/mappings/2/source", "/mappings/2/source"),
    ("MappingSet", "/mappings/3/source", "/mappings/3/source"),
];

/// What comes from the status of another one: kind, reference, the other one's kind and field, where at Adobe.
const REFERRED: [(&str, &str, &str, &str, &str); 7] = [
    (
        "SourceConnection",
        "baseConnectionRef",
        "BaseConnection",
        "id",
        "/baseConnectionId",
    ),
    (
        "TargetConnection",
        "datasetRef",
        "Dataset",
        "id",
        "/params/dataSetId",
    ),
    (
        "Dataset",
        "schemaRef",
        "PlatformSchema",
        "id",
        "/schemaRef/id",
    ),
    (
        "Dataflow",
        "sourceConnectionRef",
        "SourceConnection",
        "id",
        "/sourceConnectionIds/0",
    ),
    (
        "Dataflow",
        "targetConnectionRef",
        "TargetConnection",
        "id",
        "/targetConnectionIds/0",
    ),
    (
        "Dataflow",
        "mappingSetRef",
        "MappingSet",
        "id",
        "/transformations/1/params/mappingId",
    ),
    (
        "Dataflow",
        "mappingSetRef",
        "MappingSet",
        "version",
        "/transformations/1/params/mappingVersion",
    ),
];

/// Where at Adobe what must be.
pub fn rows(name: &Name, namespace: &str, spec: &Value, held: &Held) -> Vec<(&'static str, Value)> {
    let (kind, _) = name;
    let kept = KEPT.into_iter().filter(|row| row.0 == kind);
    let kept = kept.map(|(_, from, to)| (to, spec.pointer(from).cloned().unwrap()));
    let referred = REFERRED.into_iter().filter(|row| row.0 == kind);
    let referred = referred.map(|(_, reference, of, field, to)| {
        let other = spec[reference]["name"].as_str().unwrap().to_owned();
        let other = held.get(&(of.to_owned(), other));
        (
            to,
            other.map_or(Value::Null, |it| it["status"][field].clone()),
        )
    });
    let state = spec["state"].as_str().map(str::to_lowercase);
    let state = state.map(|state| ("/state", json!(state)));
    let marked = marked(name, namespace, spec);
    kept.chain(referred).chain(state).chain([marked]).collect()
}

/// Its owner mark.
fn marked((kind, name): &Name, namespace: &str, spec: &Value) -> (&'static str, Value) {
    let owner = format!("{namespace}/default");
    let mark = Mark::new(&owner, kind.parse::<Kind>().unwrap(), namespace, name);
    match kind.as_str() {
        "Dataset" => ("/tags/aep_operator_owner/0", json!(mark.tag())),
        "MappingSet" => (
            "/name",
            json!(mark.sign(Some(&format!("{namespace}/{name}")))),
        ),
        _ => (
            "/description",
            json!(mark.sign(spec["description"].as_str())),
        ),
    }
}
