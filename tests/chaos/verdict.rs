//! In what Kubernetes and Adobe differ from what the users want.

use std::collections::{BTreeMap, BTreeSet};

use aep_operator::api::Kind;
use aep_operator::engine::Mark;
use serde_json::{Value, json};

use crate::fleet::{Name, held, name};
use crate::harness::{World, condition};

/// Where each kind keeps its objects.
const COLLECTIONS: [(&str, &str); 7] = [
    ("BaseConnection", "connections"),
    ("SourceConnection", "sourceConnections"),
    ("TargetConnection", "targetConnections"),
    ("Dataflow", "flows"),
    ("PlatformSchema", "schemas"),
    ("Dataset", "dataSets"),
    ("MappingSet", "mappingSets"),
];

/// Enough of an object to know it by.
const WORDS: usize = 400;

/// All differences, in words; none if all is well.
pub async fn differences(world: &World, wanted: Vec<&Value>) -> Vec<String> {
    let mut held = held(world).await;
    held.retain(|(kind, _), _| kind != "Sandbox");
    let wanted: BTreeMap<Name, &Value> = wanted.into_iter().map(|it| (name(it), it)).collect();
    let mut found = Vec::new();
    for left in held.iter().filter(|(name, _)| !wanted.contains_key(name)) {
        let (finalizers, status) = (&left.1["metadata"]["finalizers"], &left.1["status"]);
        found.push(format!(
            "{:?} should be gone: {finalizers} {status}",
            left.0
        ));
    }
    for name in wanted.keys() {
        match held.get(name) {
            None => found.push(format!("{name:?} is missing in Kubernetes")),
            Some(object) => found.extend(unlike(world, name, object, &held)),
        }
    }
    for (kind, collection) in COLLECTIONS {
        found.extend(unmatched(world, kind, collection, &held));
    }
    let (schemas, groups) = (
        world.simulator.objects("prod", "schemas"),
        world.simulator.objects("prod", "fieldgroups"),
    );
    if schemas.len() != groups.len() {
        found.push(format!(
            "{} schemas have {} field groups",
            schemas.len(),
            groups.len()
        ));
    }
    for words in &mut found {
        *words = words.chars().take(WORDS).collect();
    }
    found
}

/// Objects at Adobe without a custom resource that names them.
fn unmatched(
    world: &World,
    kind: &str,
    collection: &str,
    held: &BTreeMap<Name, Value>,
) -> Vec<String> {
    let of_kind = held.iter().filter(|((its, _), _)| its == kind);
    let named: BTreeSet<_> = of_kind.map(|(_, it)| it["status"]["id"].as_str()).collect();
    let objects = world.simulator.objects("prod", collection);
    let others = objects.iter().filter(|it| !named.contains(&Some(id(it))));
    others
        .map(|it| format!("no {kind} stands for {it}"))
        .collect()
}

/// In what one custom resource and its object at Adobe differ.
fn unlike(world: &World, name: &Name, object: &Value, held: &BTreeMap<Name, Value>) -> Vec<String> {
    let status = &object["status"];
    let current = status["observedGeneration"] == object["metadata"]["generation"];
    if !current || condition(object, "Ready")["status"] != "True" {
        return vec![format!("{name:?} is not Ready: {status}")];
    }
    let (kind, collection) = COLLECTIONS
        .into_iter()
        .find(|(kind, _)| *kind == name.0)
        .unwrap();
    let at_adobe = world.simulator.objects("prod", collection);
    let Some(at_adobe) = at_adobe.into_iter().find(|it| status["id"] == id(it)) else {
        return vec![format!(
            "{name:?} names {}, which Adobe does not hold",
            status["id"]
        )];
    };
    let owner = format!("{}/default", world.namespace);
    let mark = Mark::new(
        &owner,
        kind.parse::<Kind>().unwrap(),
        &world.namespace,
        &name.1,
    );
    let pairs = pairs(kind, object, &at_adobe, &mark, held);
    let unlike = pairs.into_iter().filter(|(_, wanted, seen)| wanted != seen);
    unlike
        .map(|(what, wanted, seen)| format!("{name:?}: {what} is {seen}, not {wanted}"))
        .collect()
}

/// What must be equal: its name, as the spec and the custom resources that it refers to have it, as Adobe has it.
fn pairs(
    kind: &str,
    object: &Value,
    seen: &Value,
    mark: &Mark,
    held: &BTreeMap<Name, Value>,
) -> Vec<(&'static str, Value, Value)> {
    let spec = &object["spec"];
    let referred = |kind: &str, field: &str, member: &str| {
        let name = spec[field]["name"].as_str().unwrap().to_owned();
        held.get(&(kind.to_owned(), name))
            .map_or(Value::Null, |it| it["status"][member].clone())
    };
    let signed = json!(mark.sign(spec["description"].as_str()));
    let labels = || {
        vec![
            ("name", spec["name"].clone(), seen["name"].clone()),
            ("description", signed.clone(), seen["description"].clone()),
        ]
    };
    let mut pairs = match kind {
        "PlatformSchema" => vec![
            ("title", spec["title"].clone(), seen["title"].clone()),
            ("description", signed, seen["description"].clone()),
        ],
        "MappingSet" => return mappings(spec, seen, mark),
        "Dataset" => vec![
            ("name", spec["name"].clone(), seen["name"].clone()),
            (
                "description",
                spec["description"].clone(),
                seen["description"].clone(),
            ),
            (
                "schema",
                referred("PlatformSchema", "schemaRef", "id"),
                seen["schemaRef"]["id"].clone(),
            ),
            (
                "mark",
                json!([mark.tag()]),
                seen["tags"]["aep_operator_owner"].clone(),
            ),
        ],
        _ => labels(),
    };
    if kind == "Dataflow" {
        pairs.extend([
            (
                "interval",
                spec["schedule"]["interval"].clone(),
                seen["scheduleParams"]["interval"].clone(),
            ),
            (
                "state",
                json!(spec["state"].as_str().unwrap().to_lowercase()),
                seen["state"].clone(),
            ),
            (
                "source",
                json!([referred("SourceConnection", "sourceConnectionRef", "id")]),
                seen["sourceConnectionIds"].clone(),
            ),
            (
                "target",
                json!([referred("TargetConnection", "targetConnectionRef", "id")]),
                seen["targetConnectionIds"].clone(),
            ),
            (
                "mapping",
                referred("MappingSet", "mappingSetRef", "id"),
                mapping(seen)["mappingId"].clone(),
            ),
            (
                "mapping version",
                referred("MappingSet", "mappingSetRef", "version"),
                mapping(seen)["mappingVersion"].clone(),
            ),
        ]);
    }
    pairs
}

fn mappings(spec: &Value, seen: &Value, mark: &Mark) -> Vec<(&'static str, Value, Value)> {
    let sources = |of: &Value| {
        of["mappings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["source"].clone())
            .collect::<Vec<_>>()
    };
    let named = seen["name"]
        .as_str()
        .and_then(Mark::read)
        .map(|it| it.to_string());
    vec![
        ("sources", json!(sources(spec)), json!(sources(seen))),
        ("mark", json!(mark.to_string()), json!(named)),
    ]
}

/// The parameters of a flow's mapping.
fn mapping(flow: &Value) -> &Value {
    let steps = flow["transformations"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == "Mapping");
    &step.unwrap()["params"]
}

fn id(object: &Value) -> &str {
    ["$id", "id"]
        .iter()
        .find_map(|key| object[*key].as_str())
        .unwrap()
}
