use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::*;

mod kustomize;

// ---- definitions

fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

#[test]
fn the_committed_definitions_are_those_of_the_types() {
    let folder = repository("crds");
    let expected: BTreeMap<_, _> = crds()
        .iter()
        .map(|crd| (format!("{}.yaml", crd.spec.names.plural), render(crd)))
        .collect();
    if env::var_os("UPDATE").is_some() {
        for (name, text) in &expected {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let committed: BTreeMap<_, _> = files(&folder).collect();
    assert!(
        committed == expected,
        "crds/ is stale: run `UPDATE=1 cargo test api`"
    );
}

#[test]
fn a_rendered_definition_reads_back_as_the_same_definition() {
    for crd in crds() {
        let read: CustomResourceDefinition = serde_saphyr::from_str(&render(&crd)).unwrap();
        assert_eq!(read, crd);
    }
}

#[test]
fn definitions_come_in_the_order_of_the_kinds_and_in_our_group_and_version() {
    let crds = crds();
    let kinds: Vec<_> = crds
        .iter()
        .map(|crd| crd.spec.names.kind.as_str())
        .collect();
    assert_eq!(kinds, Kind::ALL.map(Kind::name));
    for crd in &crds {
        assert_eq!(crd.spec.group, GROUP);
        assert_eq!(crd.spec.scope, "Namespaced");
        let versions: Vec<_> = crd
            .spec
            .versions
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(versions, [VERSION]);
    }
}

#[test]
fn every_string_is_bounded() {
    each_node(|path, node| {
        if node["type"] == "string" {
            let bounded = node.get("maxLength").is_some()
                || node.get("enum").is_some()
                || node["format"] == "date-time";
            assert!(bounded, "{path} needs maxLength");
        }
    });
}

#[test]
fn every_required_string_has_a_least_length() {
    each_node(|path, node| {
        for name in strings(&node["required"]) {
            let property = &node["properties"][name];
            let exempt = property.get("enum").is_some()
                || property["format"] == "date-time"
                || path.ends_with(".conditions[]");
            if property["type"] == "string" && !exempt {
                assert!(property["minLength"] == 1, "{path}.{name} needs minLength");
            }
        }
    });
}

#[test]
fn every_number_is_a_bounded_signed_integer() {
    each_node(|path, node| {
        assert_ne!(node["type"], "number", "{path}");
        if node["type"] == "integer" {
            assert!(
                node["format"] == "int32" || node["format"] == "int64",
                "{path}: {}",
                node["format"]
            );
            assert!(node.get("minimum").is_some(), "{path} needs a minimum");
            assert!(node.get("maximum").is_some(), "{path} needs a maximum");
        }
    });
}

#[test]
fn every_list_is_bounded_and_says_how_it_merges() {
    each_node(|path, node| {
        if node["type"] != "array" {
            return;
        }
        assert!(node.get("maxItems").is_some(), "{path} needs maxItems");
        match node["x-kubernetes-list-type"].as_str() {
            Some("map") => {
                for key in strings(&node["x-kubernetes-list-map-keys"]) {
                    let required = strings(&node["items"]["required"]).any(|name| name == key);
                    assert!(required, "{path}: key {key} must be required");
                }
            }
            Some("set" | "atomic") => {}
            other => panic!("{path}: list type {other:?}"),
        }
    });
}

#[test]
fn every_node_has_a_type_and_none_is_nullable() {
    each_node(|path, node| {
        assert!(node["type"].is_string(), "{path}: type {}", node["type"]);
        for word in [
            "nullable", "anyOf", "oneOf", "allOf", "not", "$ref", "title",
        ] {
            assert!(node.get(word).is_none(), "{path} has {word}");
        }
    });
}

#[test]
fn every_field_is_described() {
    each_node(|path, node| {
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(
                description.ends_with(['.', '…']),
                "{path}.{name}: {description:?}"
            );
            assert!(!description.contains('\n'), "{path}.{name}");
        }
    });
}

#[test]
fn every_default_is_on_an_optional_field() {
    each_node(|path, node| {
        for name in strings(&node["required"]) {
            assert!(
                node["properties"][name].get("default").is_none(),
                "{path}.{name}"
            );
        }
    });
}

#[test]
fn only_what_adobe_leaves_open_is_open() {
    let mut open = BTreeSet::new();
    each_node(|path, node| {
        if node.get("x-kubernetes-preserve-unknown-fields").is_some() {
            open.insert(path.to_owned());
        }
    });
    assert_eq!(
        open,
        [
            "BaseConnection.spec.auth.params",
            "PlatformSchema.spec.adHoc.fields",
            "PlatformSchema.spec.fields",
            "SourceConnection.spec.data.properties",
            "SourceConnection.spec.params",
            "TargetConnection.spec.params",
        ]
        .map(String::from)
        .into()
    );
}

#[test]
fn every_rule_has_a_message_of_one_line() {
    each_node(|path, node| {
        for rule in node["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(
                message.contains('`') && !message.contains('\n'),
                "{path}: {rule}"
            );
        }
    });
}

#[test]
fn a_definition_fits_into_the_annotation_of_a_client_side_apply() {
    for crd in crds() {
        let size = serde_json::to_string(&crd).unwrap().len();
        assert!(size < 262_144, "{}: {size} bytes", crd.name_any());
    }
}

#[test]
fn a_new_object_counts_as_not_yet_observed() {
    for (kind, root) in schemas() {
        let status = &root["properties"]["status"];
        assert_eq!(
            status["default"],
            json!({"observedGeneration": -1}),
            "{kind}"
        );
        assert_eq!(
            status["properties"]["observedGeneration"]["minimum"],
            json!(-1.0)
        );
    }
}

#[test]
fn every_kind_has_the_shared_columns_the_category_and_a_status_subresource() {
    for crd in crds() {
        let names = &crd.spec.names;
        assert_eq!(names.categories, Some(vec!["aep".to_owned()]));
        let short = names.short_names.as_ref().unwrap();
        assert!(short.len() == 1 && short[0].starts_with("aep"), "{short:?}");
        let version = &crd.spec.versions[0];
        assert!(version.subresources.as_ref().unwrap().status.is_some());
        let columns = version.additional_printer_columns.as_ref().unwrap();
        let titles: Vec<_> = columns.iter().map(|it| it.name.as_str()).collect();
        assert!(titles.starts_with(&["Ready", "Reason"]), "{titles:?}");
        assert!(titles.ends_with(&["Message", "Age"]), "{titles:?}");
        let always = columns.iter().filter(|it| it.priority.is_none());
        assert!(always.count() <= 6, "{titles:?}");
    }
}

#[test]
fn columns_and_selectable_fields_exist_in_the_schema() {
    for (crd, (kind, root)) in crds().iter().zip(schemas()) {
        let version = &crd.spec.versions[0];
        let columns = version.additional_printer_columns.iter().flatten();
        let selectable = version.selectable_fields.iter().flatten();
        for path in columns
            .map(|it| &it.json_path)
            .chain(selectable.map(|it| &it.json_path))
        {
            let mut node = &root;
            for step in path.split(['[', '?']).next().unwrap().split('.').skip(1) {
                if step == "metadata" {
                    break;
                }
                node = &node["properties"][step];
                assert!(node.is_object(), "{kind}: {path}");
            }
        }
    }
}

fn schemas() -> impl Iterator<Item = (String, Value)> {
    crds().into_iter().map(|crd| {
        let schema = crd.spec.versions[0].schema.as_ref().unwrap();
        let root = serde_json::to_value(schema.open_api_v3_schema.as_ref().unwrap()).unwrap();
        (crd.spec.names.kind, root)
    })
}

fn each_node(mut check: impl FnMut(&str, &Value)) {
    fn walk(path: &str, node: &Value, check: &mut dyn FnMut(&str, &Value)) {
        check(path, node);
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            walk(&format!("{path}.{name}"), property, check);
        }
        if let Some(item) = node.get("items") {
            walk(&format!("{path}[]"), item, check);
        }
        assert!(node.get("additionalProperties").is_none(), "{path}");
    }
    for (kind, root) in schemas() {
        walk(&kind, &root, &mut check);
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

// ---- samples

/// Name and text of each YAML file in a folder.
fn files(folder: &Path) -> impl Iterator<Item = (String, String)> {
    fs::read_dir(folder).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (path.extension()? == "yaml").then(|| (name, fs::read_to_string(&path).unwrap()))
    })
}

/// Every object of every sample, by folder.
fn samples() -> BTreeMap<String, Vec<Value>> {
    let mut samples = BTreeMap::<_, Vec<_>>::new();
    for folder in fs::read_dir(repository("deploy/samples")).unwrap() {
        let folder = folder.unwrap();
        if folder.file_type().unwrap().is_dir() {
            let objects = samples
                .entry(folder.file_name().into_string().unwrap())
                .or_default();
            for (name, text) in files(&folder.path()) {
                assert!(text.starts_with("# "), "{name} must say what it is");
                objects.extend(serde_saphyr::from_multiple::<Value>(&text).unwrap());
            }
        }
    }
    assert!(samples.len() >= 2);
    samples
}

fn custom_resources(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| object["kind"] != "Secret")
}

/// What a sample becomes after passing through its type, and what the type says it refers to.
fn through_its_type(object: &Value) -> (Value, Vec<Reference>) {
    fn through<K: AepResource + PartialEq>(object: &Value) -> (Value, Vec<Reference>) {
        assert_eq!(object["apiVersion"], K::api_version(&()).as_ref());
        let typed: K = serde_json::from_value(object.clone()).unwrap();
        let json = serde_json::to_value(&typed).unwrap();
        assert_eq!(serde_json::from_value::<K>(json.clone()).unwrap(), typed);
        (json, typed.references())
    }
    match object["kind"].as_str().unwrap().parse::<Kind>().unwrap() {
        Kind::Sandbox => through::<Sandbox>(object),
        Kind::BaseConnection => through::<BaseConnection>(object),
        Kind::PlatformSchema => through::<PlatformSchema>(object),
        Kind::Dataset => through::<Dataset>(object),
        Kind::SourceConnection => through::<SourceConnection>(object),
        Kind::TargetConnection => through::<TargetConnection>(object),
        Kind::MappingSet => through::<MappingSet>(object),
        Kind::Dataflow => through::<Dataflow>(object),
    }
}

#[test]
fn every_sample_passes_through_its_type_without_loss() {
    fn assert_within(path: &str, part: &Value, whole: &Value) {
        match part {
            Value::Object(entries) => {
                for (name, value) in entries {
                    assert_within(&format!("{path}.{name}"), value, &whole[name]);
                }
            }
            _ => assert_eq!(without_defaults(part), without_defaults(whole), "{path}"),
        }
    }
    // Inside lists only mappings have a default.
    fn without_defaults(value: &Value) -> Value {
        let mut value = value.clone();
        for item in value.as_array_mut().into_iter().flatten() {
            if item["sourceType"] == "Attribute" {
                item.as_object_mut().unwrap().remove("sourceType");
            }
        }
        value
    }
    for (folder, objects) in samples() {
        for object in custom_resources(&objects) {
            let path = format!("{folder}: {}", object["kind"]);
            assert_within(&path, object, &through_its_type(object).0);
        }
    }
}

#[test]
fn references_names_every_reference_in_the_spec_once() {
    fn collect(node: &Value, found: &mut Vec<String>) {
        match node {
            Value::Object(entries) => {
                for (key, value) in entries {
                    if key.ends_with("Ref") {
                        found.push(value["name"].as_str().unwrap().to_owned());
                    }
                    collect(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    for (folder, objects) in samples() {
        for object in custom_resources(&objects) {
            let (json, references) = through_its_type(object);
            let mut found = Vec::new();
            collect(&json["spec"], &mut found);
            let expected: BTreeSet<_> = found.iter().map(String::as_str).collect();
            let named: BTreeSet<_> = references.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(named, expected, "{folder}: {}", object["kind"]);
            let distinct: BTreeSet<_> = references.iter().collect();
            assert_eq!(distinct.len(), references.len());
        }
    }
}

#[test]
fn whatever_a_sample_refers_to_is_in_its_folder() {
    for (folder, objects) in samples() {
        let present: BTreeSet<_> = objects
            .iter()
            .map(|it| {
                let name = it["metadata"]["name"].as_str().unwrap();
                format!("{}/{name}", it["kind"].as_str().unwrap())
            })
            .collect();
        for object in custom_resources(&objects) {
            for reference in through_its_type(object).1 {
                assert!(
                    present.contains(&reference.to_string()),
                    "{folder}: {reference}"
                );
            }
        }
    }
}

#[test]
fn samples_show_every_kind_name_no_namespace_and_hold_no_secret() {
    for (folder, objects) in samples() {
        let kinds: BTreeSet<_> = custom_resources(&objects)
            .map(|it| it["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, Kind::ALL.map(Kind::name).into(), "{folder}");
        for object in &objects {
            assert!(object["metadata"]["namespace"].is_null(), "{folder}");
            let data = object["stringData"].as_object().into_iter().flatten();
            // Scopes are no secret: Adobe documents the usual ones.
            for (key, value) in data.filter(|(key, _)| *key != "scopes") {
                assert_eq!(value, "REPLACE_ME", "{folder}: {key}");
            }
        }
    }
}

#[test]
fn the_tutorial_starts_when_it_says() {
    let objects = &samples()["tutorial-2020"];
    let flow = objects.iter().find(|it| it["kind"] == "Dataflow").unwrap();
    let flow: Dataflow = serde_json::from_value(flow.clone()).unwrap();
    assert_eq!(
        flow.spec.schedule.unwrap().start_time.0.as_second(),
        1_567_411_548
    );
    assert_eq!(flow.spec.contract, Contract::Legacy2020);
}

// ---- types

#[test]
fn a_kind_reads_back_from_its_name() {
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    assert_eq!(
        "Pod".parse::<Kind>().unwrap_err().to_string(),
        "`Pod` is not a kind of aep-operator.io"
    );
}

#[test]
fn a_reference_prints_as_kind_and_name() {
    assert_eq!(
        Reference::new(Kind::Dataset, "payments").to_string(),
        "Dataset/payments"
    );
    assert_eq!(
        Reference::new(Target::Secret, "adobe-io").to_string(),
        "Secret/adobe-io"
    );
}

#[test]
fn ready_counts_only_for_the_generation_that_was_observed() {
    let ready = Condition {
        type_: condition_types::READY.into(),
        status: ConditionStatus::True,
        observed_generation: Some(2),
        last_transition_time: Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH),
        reason: "Succeeded".into(),
        message: String::new(),
    };
    let mut status = CommonStatus {
        observed_generation: Some(2),
        conditions: vec![ready],
        ..CommonStatus::default()
    };
    assert!(status.is_ready(Some(2)));
    assert!(!status.is_ready(Some(3)));
    status.conditions[0].status = ConditionStatus::Unknown;
    assert!(!status.is_ready(Some(2)));
    assert!(!CommonStatus::default().is_ready(Some(1)));
}

#[test]
fn a_sandbox_belongs_to_itself() {
    let spec = json!({
        "sandboxName": "prod",
        "imsOrgId": "0@AdobeOrg",
        "credentialsRef": {"name": "adobe-io"},
        "suspend": true,
    });
    let sandbox = Sandbox::new("emea", serde_json::from_value(spec).unwrap());
    let management = sandbox.management();
    assert_eq!(management.sandbox_ref.name, "emea");
    assert!(management.suspended());
}

#[test]
fn limits_left_out_take_their_defaults() {
    let limits: Limits = serde_json::from_value(json!({"burst": 7})).unwrap();
    assert_eq!(
        limits,
        Limits {
            burst: 7,
            ..Limits::default()
        }
    );
}
