//! In what Kubernetes and Adobe differ from what the users want.

use std::collections::{BTreeMap, BTreeSet};

use aep_operator::api::Kind;
use aep_test_kit::collections::{COLLECTIONS, FIELD_GROUPS, collection, id};
use aep_test_kit::fleet::{Name, held, name};
use aep_test_kit::{World, condition};
use serde_json::Value;

use super::equal::rows;

/// Characters of a difference that are printed: enough to know what it is about.
const WORDS: usize = 400;

/// Every custom resource, by kind and name.
pub type Held = BTreeMap<Name, Value>;

/// All differences, in words; none if all is well.
pub async fn differences(world: &World, wanted: Vec<&Value>) -> Vec<String> {
    let mut held = held(world).await;
    held.retain(|(kind, _), _| kind != Kind::Sandbox.name());
    let wanted: BTreeSet<Name> = wanted.into_iter().map(name).collect();
    let mut found = left_over(&held, &wanted);
    for name in &wanted {
        match held.get(name) {
            Some(object) => found.extend(unlike(world, name, object, &held)),
            None => found.push(format!("{name:?} is missing in Kubernetes")),
        }
    }
    for (kind, collection) in COLLECTIONS {
        found.extend(unnamed(world, kind, collection, &held));
    }
    let count = |collection| world.simulator.objects("prod", collection).len();
    let (schemas, groups) = (count("schemas"), count(FIELD_GROUPS));
    if schemas != groups {
        found.push(format!("{schemas} schemas have {groups} field groups"));
    }
    for words in &mut found {
        *words = words.chars().take(WORDS).collect();
    }
    found
}

/// Custom resources that should be gone.
fn left_over(held: &Held, wanted: &BTreeSet<Name>) -> Vec<String> {
    let left = held.iter().filter(|(name, _)| !wanted.contains(name));
    let words = left.map(|(name, object)| {
        let finalizers = &object["metadata"]["finalizers"];
        format!("{name:?} should be gone: {finalizers}, {}", ready(object))
    });
    words.collect()
}

/// Objects at Adobe without a custom resource that names them.
fn unnamed(world: &World, kind: &str, collection: &str, held: &Held) -> Vec<String> {
    let of_kind = held.iter().filter(|((its, _), _)| its == kind);
    let named: BTreeSet<_> = of_kind.map(|(_, it)| it["status"]["id"].as_str()).collect();
    let objects = world.simulator.objects("prod", collection);
    let others = objects.iter().filter(|it| !named.contains(&Some(id(it))));
    let words = others.map(|it| format!("no {kind} stands for {}: {it}", id(it)));
    words.collect()
}

/// In what one custom resource and its object at Adobe differ.
fn unlike(world: &World, name: &Name, object: &Value, held: &Held) -> Vec<String> {
    let status = &object["status"];
    let current = status["observedGeneration"] == object["metadata"]["generation"];
    let ready = ready(object);
    if !current || ready["status"] != "True" {
        return vec![format!("{name:?} is not Ready: {ready}")];
    }
    let at_adobe = status["id"].as_str().unwrap();
    let Some(seen) = object_of(world, &name.0, at_adobe) else {
        return vec![format!("{name:?} names {at_adobe}, which does not exist")];
    };
    let rows = rows(name, &world.namespace, &object["spec"], held).into_iter();
    let seen_at = |pointer: &str| seen.pointer(pointer).cloned().unwrap_or_default();
    let unlike = rows.filter(|(pointer, wanted)| seen_at(pointer) != *wanted);
    let words = unlike.map(|(pointer, wanted)| {
        let seen = seen_at(pointer);
        format!("{name:?}: {pointer} is {seen} at Adobe, not {wanted}")
    });
    words.collect()
}

fn object_of(world: &World, kind: &str, wanted: &str) -> Option<Value> {
    let objects = world.simulator.objects("prod", collection(kind));
    objects.into_iter().find(|it| id(it) == wanted)
}

fn ready(object: &Value) -> Value {
    condition(object, "Ready")
}
