//! Custom resources as JSON: samples, and one sample pipeline as many.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::path;

/// The objects of a folder of samples, with credentials that the simulator accepts.
pub fn sample(folder: &str) -> Vec<Value> {
    let entries = fs::read_dir(path("deploy/samples").join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|it| it == "yaml"));
    let objects = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).unwrap();
        serde_saphyr::from_multiple::<Value>(&text).unwrap()
    });
    let mut objects: Vec<_> = objects.filter(|it| !it.is_null()).collect();
    for object in &mut objects {
        if name(object) == ("Secret", "adobe-io") {
            // The scopes stay as they are.
            object["stringData"]["clientId"] = json!("aep-operator-demo");
            object["stringData"]["clientSecret"] = json!("demo-secret");
        }
    }
    objects
}

/// Kind and name of an object.
pub fn name(object: &Value) -> (&str, &str) {
    let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
    (kind.as_str().unwrap(), name.as_str().unwrap())
}

/// Those of our own kinds.
pub fn ours(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|it| it["kind"] != "Secret")
}

/// A condition of an object, or null.
pub fn condition(object: &Value, type_: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|it| it["type"] == type_));
    found.cloned().unwrap_or_default()
}

/// Lets the operator's settings say how often Sandboxes are resynced, instead of the sample.
pub fn use_default_resync_period(objects: &mut [Value]) {
    for object in objects {
        if let Some(Value::Object(spec)) = object.get_mut("spec") {
            spec.remove("resyncPeriodSeconds");
        }
    }
}

/// The sample that many times: its Sandbox and Secrets once, everything else once per pipeline.
pub fn copies(sample: &[Value], pipelines: usize) -> Vec<Value> {
    let (shared, own): (Vec<_>, Vec<_>) = sample
        .iter()
        .partition(|object| object["kind"] == "Secret" || object["kind"] == "Sandbox");
    let copies =
        (0..pipelines).flat_map(|number| own.iter().map(move |object| numbered(object, number)));
    shared.into_iter().cloned().chain(copies).collect()
}

/// A copy whose name, title and references carry a number; the references to Sandbox and Secrets stay.
pub fn numbered(object: &Value, number: usize) -> Value {
    let mut copy = object.clone();
    let add = |value: &mut Value| {
        if let Some(text) = value.as_str() {
            *value = json!(format!("{text}-{number}"));
        }
    };
    add(&mut copy["metadata"]["name"]);
    if let Some(spec) = copy["spec"].as_object_mut() {
        for (field, value) in spec.iter_mut() {
            match field.as_str() {
                "title" | "name" => add(value),
                "sandboxRef" => {}
                _ if field.ends_with("Ref") => add(&mut value["name"]),
                _ => {}
            }
        }
    }
    copy
}
