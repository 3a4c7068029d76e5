use std::fs;
use std::path::Path;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::core::WatchEvent;
use kube::core::object::ObjectList;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{
    BaseConnection, Dataflow, Dataset, DeletionPolicy, Kind, MappingSet, PlatformSchema, Reference,
    Sandbox, SourceConnection, Target, TargetConnection,
};

/// What planted values begin with.
const CANARY: &str = "canary-7f3a";

/// A resource of each kind with all of its fields, as a cluster holds it.
fn stored(kind: Kind) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/samples/full");
    let texts = fs::read_dir(folder).unwrap();
    let texts = texts.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let mut all = texts.flat_map(|it| serde_saphyr::from_multiple::<Value>(&it).unwrap());
    let mut found = all.find(|it| it["kind"] == kind.name()).unwrap();
    found["metadata"]["namespace"] = json!("ns");
    found["metadata"]["uid"] = json!("1-2-3");
    found["metadata"]["generation"] = json!(4);
    found["metadata"]["resourceVersion"] = json!("77");
    found["metadata"]["finalizers"] = json!([crate::api::FINALIZER]);
    found["metadata"]["managedFields"] =
        json!([{ "manager": "m", "time": "2026-01-01T00:00:00Z", "operation": "Update" }]);
    found["status"] = json!({ "id": "an-id", "observedGeneration": 4, "conditions": [] });
    found
}

/// An object of a text that is nested so deeply.
fn nested(levels: usize) -> String {
    format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
}

/// Does the same for every kind.
macro_rules! every_kind {
    ($check:ident) => {
        $check::<Sandbox>();
        $check::<BaseConnection>();
        $check::<PlatformSchema>();
        $check::<Dataset>();
        $check::<SourceConnection>();
        $check::<TargetConnection>();
        $check::<MappingSet>();
        $check::<Dataflow>();
    };
}

fn parsed<K: AepResource>(object: &Value) -> Parsed<K> {
    Parsed::of(&object.to_string()).unwrap()
}

/// What all else depends on is there, whatever cannot be read.
fn exists<K: AepResource>(parsed: &Parsed<K>) {
    let resource = &parsed.resource;
    let expected = stored(K::KIND);
    assert_eq!(resource.name_any(), expected["metadata"]["name"]);
    assert_eq!(resource.namespace().as_deref(), Some("ns"));
    assert_eq!(resource.uid().as_deref(), Some("1-2-3"));
    assert_eq!(resource.meta().generation, Some(4));
    assert_eq!(resource.finalizers(), [crate::api::FINALIZER]);
    let status = resource.status().map(AsRef::as_ref);
    assert_eq!(status.and_then(|it| it.id.as_deref()), Some("an-id"));
}

fn reads_as_before<K: AepResource>() {
    let object = stored(K::KIND);
    let expected: K = serde_json::from_value(object.clone()).unwrap();
    let Parsed { resource, fault } = parsed::<K>(&object);
    assert_eq!(fault, None);
    let (mut expected, read) = (json!(expected), json!(resource));
    expected["metadata"]["managedFields"].take();
    expected["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    assert_eq!(read, expected);
}

#[test]
fn what_can_be_read_is_read_as_it_is_but_for_managed_fields() {
    every_kind!(reads_as_before);
}

fn ignores_odd_managed_fields<K: AepResource>() {
    let mut object = stored(K::KIND);
    object["metadata"]["managedFields"][0]["time"] = json!("10000-01-01T23:58:59Z");
    assert!(serde_json::from_value::<K>(object.clone()).is_err());
    let parsed = parsed::<K>(&object);
    assert_eq!(parsed.fault, None);
    exists(&parsed);
}

#[test]
fn a_time_in_managed_fields_that_no_library_reads_does_no_harm() {
    every_kind!(ignores_odd_managed_fields);
}

fn keeps_the_rest<K: AepResource>() {
    // Each field of the spec in turn has a value that cannot be read.
    let object = stored(K::KIND);
    for field in object["spec"].as_object().unwrap().keys() {
        let mut object = object.clone();
        object["spec"][field] = json!("HERE");
        let text = object.to_string().replace(r#""HERE""#, &nested(135));
        let parsed = Parsed::<K>::of(&text).unwrap();
        exists(&parsed);
        let fault = parsed.fault.as_ref().unwrap().to_string();
        assert!(fault.contains(&format!("`spec.{field}`")), "{fault}");
        // All other fields are as they were.
        let (read, expected) = (json!(parsed.resource), &object["spec"]);
        for (other, value) in expected.as_object().unwrap() {
            if other != field {
                assert_eq!(&read["spec"][other], value, "{other}");
            }
        }
    }
}

#[test]
fn a_field_that_cannot_be_read_takes_no_other_along() {
    every_kind!(keeps_the_rest);
}

fn names_new_fields<K: AepResource>() {
    let mut object = stored(K::KIND);
    object["spec"]["guard"] = json!("Always");
    let parsed = parsed::<K>(&object);
    exists(&parsed);
    let fault = parsed.fault.unwrap();
    assert!(fault.to_string().starts_with("`spec.guard`: "), "{fault}");
    assert!(fault.is_decisive());
}

#[test]
fn a_field_of_a_later_version_is_named_and_may_decide_over_a_deletion() {
    every_kind!(names_new_fields);
}

fn survives_without_a_spec<K: AepResource>() {
    for spec in [json!(null), json!("text"), json!([])] {
        let mut object = stored(K::KIND);
        object["spec"] = spec;
        let parsed = parsed::<K>(&object);
        exists(&parsed);
    }
    let mut object = stored(K::KIND);
    object["spec"] = json!([1]);
    assert!(parsed::<K>(&object).fault.unwrap().is_decisive());
}

#[test]
fn a_resource_without_a_readable_spec_exists() {
    every_kind!(survives_without_a_spec);
}

fn status_is_no_fault<K: AepResource>() {
    let mut object = stored(K::KIND);
    object["status"]["conditions"] = json!([{ "type": "Ready", "status": "Perhaps" }]);
    let parsed = parsed::<K>(&object);
    exists(&parsed);
    assert_eq!(parsed.fault, None);
}

#[test]
fn a_status_that_cannot_be_read_is_no_fault_and_what_can_be_read_of_it_counts() {
    every_kind!(status_is_no_fault);
}

#[test]
fn an_unknown_value_is_told_with_its_field() {
    let mut flow = stored(Kind::Dataflow);
    flow["spec"]["schedule"]["startTime"] = json!("2027-01-01T00:00:00+99:99");
    let parsed_flow = parsed::<Dataflow>(&flow);
    let fault = parsed_flow.fault.unwrap();
    assert!(
        fault.to_string().starts_with("`spec.schedule`: "),
        "{fault}"
    );
    assert!(!fault.is_decisive());
    flow["spec"]["deletionPolicy"] = json!("Retain");
    let parsed_flow = parsed::<Dataflow>(&flow);
    assert!(parsed_flow.fault.unwrap().is_decisive());
    flow["spec"]["deletionPolicy"] = json!("Orphan");
    let parsed_flow = parsed::<Dataflow>(&flow);
    let management = parsed_flow.resource.management();
    assert_eq!(management.deletion_policy, DeletionPolicy::Orphan);
    flow["spec"]["schedule"] = json!({
        "startTime": "2027-01-01T00:00:00Z", "frequency": "Hour", "interval": 1, "jitter": 3,
    });
    let fault = parsed::<Dataflow>(&flow).fault.unwrap();
    assert!(fault.to_string().starts_with("`spec.schedule.jitter`: "));
    assert!(!fault.is_decisive());
}

fn finds_the_same_references<K: AepResource>() {
    let object = stored(K::KIND);
    let expected = parsed::<K>(&object).resource.references();
    let text = object.to_string();
    let fields: Fields = serde_json::from_str(&text).unwrap();
    let found = references::all(&fields);
    for reference in expected {
        assert!(found.contains(&reference), "{reference} of {}", K::KIND);
    }
}

#[test]
fn references_are_found_by_the_names_of_fields_alone() {
    every_kind!(finds_the_same_references);
}

#[test]
fn references_beside_what_cannot_be_read_count() {
    let mut source = stored(Kind::SourceConnection);
    source["spec"]["data"] =
        json!({ "format": "json", "schemaRef": { "name": "orders" }, "properties": "HERE" });
    let text = source.to_string().replace(r#""HERE""#, &nested(135));
    let parsed = Parsed::<SourceConnection>::of(&text).unwrap();
    let fault = parsed.fault.unwrap();
    let schema = Reference::new(Target::Kind(Kind::PlatformSchema), "orders");
    assert!(fault.references().contains(&schema));
}

#[test]
fn one_that_cannot_be_read_leaves_the_others_of_a_list_alone() {
    let (good, mut bad) = (stored(Kind::Dataflow), stored(Kind::Dataflow));
    bad["spec"]["schedule"]["startTime"] = json!("2027-01-01T00:00:00+99:99");
    let list = json!({ "metadata": { "resourceVersion": "1" }, "items": [bad, good] });
    let list: ObjectList<Parsed<Dataflow>> = serde_json::from_str(&list.to_string()).unwrap();
    assert!(list.items[0].fault.is_some() && list.items[1].fault.is_none());
    let event = format!(r#"{{"type":"MODIFIED","object":{bad}}}"#);
    let event: WatchEvent<Parsed<Dataflow>> = serde_json::from_str(&event).unwrap();
    assert!(matches!(event, WatchEvent::Modified(it) if it.fault.is_some()));
}

#[test]
fn neither_managed_fields_nor_the_copy_of_the_manifest_are_kept() {
    let mut object = stored(Kind::Dataset);
    object["metadata"]["annotations"] = json!({ LAST_APPLIED: CANARY, "own": "kept" });
    let resource = parsed::<Dataset>(&object).resource;
    assert!(!format!("{resource:?}").contains(CANARY));
    assert_eq!(resource.annotations()["own"], "kept");
    assert_eq!(resource.meta().managed_fields, None);
}

#[test]
fn of_a_secret_nothing_is_kept_but_its_name_and_version() {
    let secret = json!({
        "metadata": {
            "name": "s", "namespace": "ns", "resourceVersion": "5",
            "annotations": { LAST_APPLIED: CANARY },
            "managedFields": [{ "time": "10000-01-01T23:58:59Z" }],
        },
        "data": { "key": CANARY },
    });
    let stub: Stub<Secret> = serde_json::from_str(&secret.to_string()).unwrap();
    assert_eq!(stub.name_any(), "s");
    assert_eq!(stub.resource_version().as_deref(), Some("5"));
    let kept = format!("{stub:?}{:?}", stub.meta());
    assert!(!kept.contains(CANARY), "{kept}");
}

/// Any JSON, now and then nested more deeply than can be read.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<f64>().prop_map(|it| json!(it).to_string()),
        any::<String>().prop_map(|it| json!(it).to_string()),
        (100..200_usize).prop_map(nested),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let field = (any::<String>(), inner.clone());
        let field = field.prop_map(|(name, value)| format!("{}:{value}", json!(name)));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|it| format!("[{}]", it.join(","))),
            prop::collection::vec(field, 0..5).prop_map(|it| format!("{{{}}}", it.join(","))),
        ]
    })
}

/// The same with any value in one field of one part.
fn spoilt(kind: Kind, part: &str, field: usize, value: &str) -> (String, String) {
    let mut object = stored(kind);
    let fields = object[part].as_object_mut().unwrap();
    let name = fields.keys().nth(field % fields.len()).unwrap().clone();
    fields.insert(name.clone(), json!("HERE"));
    (object.to_string().replace(r#""HERE""#, value), name)
}

fn survives<K: AepResource>(part: &str, field: usize, value: &str) -> Result<(), TestCaseError> {
    let (text, name) = spoilt(K::KIND, part, field, value);
    let parsed = Parsed::<K>::of(&text).unwrap();
    let expected = stored(K::KIND);
    if (part, name.as_str()) != ("metadata", "name") {
        prop_assert_eq!(
            expected["metadata"]["name"].clone(),
            json!(parsed.resource.name_any())
        );
    }
    if parsed.fault.is_none() && part == "spec" {
        // Nothing was left out that nobody was told of: what is read is what is written, unless it says nothing.
        let whole = serde_json::from_str::<K>(&text);
        prop_assert!(whole.is_ok(), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_json_makes_a_parser_fail_or_a_name_get_lost(
        part in prop_oneof![Just("metadata"), Just("spec"), Just("status")],
        kind in 0..8_usize,
        field in 0..32_usize,
        value in any_json(),
    ) {
        match Kind::ALL[kind] {
            Kind::Sandbox => survives::<Sandbox>(part, field, &value)?,
            Kind::BaseConnection => survives::<BaseConnection>(part, field, &value)?,
            Kind::PlatformSchema => survives::<PlatformSchema>(part, field, &value)?,
            Kind::Dataset => survives::<Dataset>(part, field, &value)?,
            Kind::SourceConnection => survives::<SourceConnection>(part, field, &value)?,
            Kind::TargetConnection => survives::<TargetConnection>(part, field, &value)?,
            Kind::MappingSet => survives::<MappingSet>(part, field, &value)?,
            Kind::Dataflow => survives::<Dataflow>(part, field, &value)?,
        }
    }

    #[test]
    fn a_stub_is_read_of_whatever_json_there_is(value in any_json()) {
        let stub = serde_json::from_str::<Stub<Secret>>(&value);
        prop_assert!(stub.is_ok());
    }
}
