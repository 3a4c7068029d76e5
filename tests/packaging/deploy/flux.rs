//! What Flux makes of our objects by the expressions in `deploy/flux`.

use std::fs;
use std::path::Path;

use aep_test_kit::condition;
use cel::{Context, Program};
use serde_json::Value;

use super::health::possible_objects;
use super::kstatus::{Progress, progress};

/// The expressions of each example that has some.
fn expressions() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/flux");
    let files = ["kustomization.yaml", "helm-release.yaml"].map(|file| folder.join(file));
    let texts = files.map(|file| fs::read_to_string(file).unwrap());
    let objects = texts
        .iter()
        .flat_map(|text| serde_saphyr::from_multiple::<Value>(text).unwrap());
    let lists = objects.filter_map(|it| it["spec"]["healthCheckExprs"].as_array().cloned());
    lists.flatten().collect()
}

fn holds(expression: &Value, object: &Value) -> bool {
    let program = Program::compile(expression.as_str().unwrap()).unwrap();
    let mut context = Context::default();
    for part in ["metadata", "spec", "status"] {
        context.add_variable(part, &object[part]).unwrap();
    }
    program.execute(&context).unwrap() == true.into()
}

/// Flux looks at the generation first, then at one expression after the other.
fn told(expressions: &Value, object: &Value) -> Progress {
    let observed = &object["status"]["observedGeneration"];
    let unseen = !observed.is_null() && *observed != object["metadata"]["generation"];
    let is = |name: &str| holds(&expressions[name], object);
    match () {
        () if unseen || is("inProgress") => Progress::Working,
        () if is("failed") => Progress::Failed,
        () if is("current") => Progress::Current,
        () => Progress::Working,
    }
}

#[test]
fn the_expressions_agree_with_kstatus() {
    let expressions = expressions();
    assert_eq!(expressions.len(), 2);
    // An object that says nothing is done for kstatus; the operator always says something.
    let speaking = |object: &Value| !condition(object, "Ready").is_null();
    for object in possible_objects().into_iter().filter(speaking) {
        for expressions in &expressions {
            // As the operator writes it, each condition speaks of the generation that the status speaks of.
            let mut object = object.clone();
            let observed = object["status"]["observedGeneration"].clone();
            for condition in object["status"]["conditions"].as_array_mut().unwrap() {
                condition["observedGeneration"] = observed.clone();
            }
            if observed.is_number() {
                assert_eq!(told(expressions, &object), progress(&object), "{object}");
            }
        }
    }
}
