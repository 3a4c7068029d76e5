//! One sample pipeline as many: how benchmarks and tests get hundreds.

use serde_json::{Value, json};

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
