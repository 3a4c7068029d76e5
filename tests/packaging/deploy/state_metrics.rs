//! What kube-state-metrics is configured to show exists in our definitions. It is not run itself: the config is read by its
//! documented rules.

use std::fs;

use aep_operator::api::{self, GROUP, VERSION};
use serde_json::{Value, json};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/deploy/kube-state-metrics/config.yaml"
);

/// The one entry, for all kinds.
fn entry() -> Value {
    let config: Value = serde_saphyr::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let entries = config["spec"]["resources"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "a resource in two entries is an error");
    entries[0].clone()
}

/// What stands at a path in a schema, or in the items of a list there.
fn at(schema: &Value, path: &Value) -> Value {
    let segments = path.as_array().unwrap().iter();
    let found = segments.fold(schema.clone(), |schema, segment| {
        schema["properties"][segment.as_str().unwrap()].clone()
    });
    if found["type"] == "array" {
        found["items"].clone()
    } else {
        found
    }
}

/// The schema of a kind with those fields of `metadata` that a definition does not describe.
fn schema(crd: &Value) -> Value {
    let mut schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    let text = json!({ "type": "string" });
    let fields = [
        "name",
        "namespace",
        "creationTimestamp",
        "deletionTimestamp",
    ];
    for field in fields {
        schema["properties"]["metadata"]["properties"][field] = text.clone();
    }
    schema
}

#[test]
fn kube_state_metrics_is_told_of_our_group_and_version() {
    let told = &entry()["groupVersionKind"];
    assert_eq!(
        told,
        &json!({ "group": GROUP, "version": VERSION, "kind": "*" })
    );
}

#[test]
fn what_kube_state_metrics_shows_is_there_in_every_kind() {
    let entry = entry();
    for crd in api::crds() {
        let crd = serde_json::to_value(crd).unwrap();
        let schema = schema(&crd);
        let kind = &crd["spec"]["names"]["kind"];
        let there = |schema: &Value, path: &Value| {
            assert!(at(schema, path).is_object(), "{kind} has nothing at {path}");
        };
        for path in entry["labelsFromPath"].as_object().unwrap().values() {
            there(&schema, path);
        }
        for metric in entry["metrics"].as_array().unwrap() {
            assert_eq!(metric["each"]["type"], "Gauge");
            let gauge = &metric["each"]["gauge"];
            there(&schema, &gauge["path"]);
            let shown = at(&schema, &gauge["path"]);
            let labels = gauge["labelsFromPath"].as_object().into_iter().flatten();
            let paths = labels.map(|(_, path)| path).chain(gauge.get("valueFrom"));
            paths.for_each(|path| there(&shown, path));
        }
    }
}
