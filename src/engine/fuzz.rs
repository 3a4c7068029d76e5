//! Whatever people write into texts at Adobe and into manifests, reading it ends. `PROPTEST_CASES` tries more.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::mark::Mark;
use crate::api::{self, AepResource, Kind};

fn mark() -> BoxedStrategy<Mark> {
    let owner = "[A-Za-z0-9.-]{1,12}(/[A-Za-z0-9.-]{1,12})?";
    let kind = proptest::sample::select(&Kind::ALL[..]);
    let name = "[a-z0-9]([-a-z0-9.]{0,10}[a-z0-9])?";
    let parts = (owner, kind, "[a-z0-9]{1,8}", name, 1..u32::MAX);
    let mark = |(owner, kind, namespace, name, revision): (String, Kind, String, String, u32)| {
        Mark::new(&owner, kind, &namespace, &name).at(revision)
    };
    parts.prop_map(mark).boxed()
}

/// Texts that may hold marks, parts of marks, several of them.
fn text() -> BoxedStrategy<String> {
    let part = prop_oneof![
        "\\PC{0,12}",
        "(\\[aep-operator:|\\]|/R[0-9]{0,12}|/|_)",
        mark().prop_map(|it| it.to_string()),
    ];
    let parts = proptest::collection::vec(part, 0..6);
    parts.prop_map(|it| it.concat()).boxed()
}

/// A resource in which one value stands somewhere at random.
fn broken(kind: Kind, field: &str, value: &Value, in_status: bool) -> Value {
    let mut object = json!({
        "apiVersion": "aep-operator.io/v1alpha1",
        "kind": kind.name(),
        "metadata": { "name": "x", "namespace": "ns" },
        "spec": {
            "sandboxName": "prod", "imsOrgId": "0@AdobeOrg", "credentialsRef": { "name": "s" },
            "baseConnectionRef": { "name": "b" }, "sourceConnectionRef": { "name": "s" },
            "targetConnectionRef": { "name": "t" }, "schemaRef": { "name": "p" }, "datasetRef": { "name": "d" },
            "title": "t", "name": "n", "connectionSpec": { "name": "c" }, "flowSpec": { "name": "f" },
            "schedule": { "startTime": "2027-01-01T00:00:00Z", "frequency": "Hour", "interval": 1 },
            "mappings": [], "auth": { "specName": "a" }, "params": {}, "class": "c",
        },
        "status": {},
    });
    let part = if in_status { "status" } else { "spec" };
    object[part][field] = value.clone();
    object
}

fn read<K: AepResource>(object: Value) {
    if let Ok(resource) = serde_json::from_value::<K>(object) {
        let _ = (resource.references(), resource.management());
        let _ = resource.status().map(K::published);
    }
}

const FIELDS: [&str; 16] = [
    "schedule",
    "startTime",
    "mappings",
    "params",
    "auth",
    "fields",
    "credentialsRef",
    "schemaRef",
    "limits",
    "conditions",
    "lastRun",
    "id",
    "observedGeneration",
    "resetTime",
    "deletionPolicy",
    "name",
];

fn value() -> BoxedStrategy<Value> {
    let time =
        "[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})";
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        time.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        let field = proptest::sample::select(&FIELDS[..]);
        let object = proptest::collection::btree_map(field, inner.clone(), 0..3);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Value::from),
            object.prop_map(|it| json!(it)),
        ]
    });
    nested.boxed()
}

proptest! {
    #[test]
    fn any_text_is_read_for_a_mark_and_any_mark_comes_back(text in text(), mark in mark()) {
        let _ = Mark::read_tag(&text);
        let signed = mark.sign_over(&text);
        prop_assert_eq!(Mark::read(&signed), Some(mark.clone()));
        prop_assert_eq!(mark.sign_over(&signed), signed.clone());
        prop_assert_eq!(Mark::read(&mark.sign(Some(&text))), Some(mark.clone()));
        prop_assert_eq!(Mark::read_tag(&mark.tag()), Some(mark.clone()));
        prop_assert_eq!(Mark::unsigned(&mark.sign(None)), "");
    }

    #[test]
    fn any_resource_is_read_or_refused(
        kind in proptest::sample::select(&Kind::ALL[..]),
        field in proptest::sample::select(&FIELDS[..]),
        value in value(),
        in_status: bool,
    ) {
        let object = broken(kind, field, &value, in_status);
        match kind {
            Kind::Sandbox => read::<api::Sandbox>(object),
            Kind::BaseConnection => read::<api::BaseConnection>(object),
            Kind::PlatformSchema => read::<api::PlatformSchema>(object),
            Kind::Dataset => read::<api::Dataset>(object),
            Kind::SourceConnection => read::<api::SourceConnection>(object),
            Kind::TargetConnection => read::<api::TargetConnection>(object),
            Kind::MappingSet => read::<api::MappingSet>(object),
            Kind::Dataflow => read::<api::Dataflow>(object),
        }
    }
}
