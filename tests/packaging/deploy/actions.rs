//! The actions that Argo CD offers for our objects: suspend, resume, compare with Adobe now.

use std::fs;

use aep_test_kit::{World, condition};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argo::{self, act, actions, merge_patch};
use super::lua;

const REQUEST: &str = "aep-operator.io/requested-at";
/// Kinds whose actions lie where Argo CD's repository would have them. In `argocd-cm.yaml` all kinds have them.
const KINDS: [&str; 2] = ["Dataflow", "Sandbox"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tests {
    discovery_tests: Vec<Discovery>,
    action_tests: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovery {
    input_path: String,
    result: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(rename = "action")]
    name: String,
    input_path: String,
    expected_output_path: String,
}

fn yaml<T: serde::de::DeserializeOwned>(file: &str) -> T {
    serde_saphyr::from_str(&argo::text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What discovery finds, as Argo CD lists it.
fn discovered(kind: &str, object: &Value) -> Vec<Value> {
    let script = argo::text(&format!("{kind}/actions/discovery.lua"));
    let found = lua::run(&script, object).unwrap();
    let found = found.as_object().unwrap().iter();
    let named = found.map(|(name, action)| {
        let mut action = action.clone();
        action["name"] = json!(name);
        action
    });
    named.collect()
}

#[test]
fn the_actions_pass_the_tests_that_lie_beside_them() {
    for kind in KINDS {
        let tests: Tests = yaml(&format!("{kind}/actions/action_test.yaml"));
        for test in tests.discovery_tests {
            let object = yaml(&format!("{kind}/actions/{}", test.input_path));
            assert_eq!(discovered(kind, &object), test.result, "{kind}");
        }
        for test in tests.action_tests {
            let object = yaml(&format!("{kind}/actions/{}", test.input_path));
            let script = argo::text(&format!("{kind}/actions/{}/action.lua", test.name));
            let mut changed = lua::changed(&script, &object).unwrap();
            if let Some(time) = changed["metadata"]["annotations"].get_mut(REQUEST) {
                assert_eq!(time.as_str().unwrap().len(), "2026-11-25T08:00:00Z".len());
                *time = json!("0001-01-01T00:00:00Z");
            }
            let expected: Value = yaml(&format!("{kind}/actions/{}", test.expected_output_path));
            assert_eq!(changed, expected, "{kind}: {}", test.name);
        }
    }
}

#[test]
fn all_kinds_have_the_same_actions() {
    let names = ["suspend", "resume", "run-now"];
    let scripts = names.map(|name| format!("{name}/action.lua"));
    for script in scripts.iter().map(String::as_str).chain(["discovery.lua"]) {
        let [one, other] = KINDS.map(|kind| argo::text(&format!("{kind}/actions/{script}")));
        assert_eq!(one, other, "{script}");
    }
    let folders = fs::read_dir(argo::path(argo::ACTIONS)).unwrap();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let scripts = folders.filter(|name| !name.contains('.') && name != "testdata");
    assert_eq!(scripts.count(), names.len());
}

/// Does with an object what Argo CD does when somebody chooses an action.
async fn choose(world: &World, action: &str) {
    let live = world.get("Dataflow", "payments").await;
    assert!(actions(&live)[action], "{action}: {live}");
    let patch = merge_patch(&live, &act(action, &live));
    world.patch("Dataflow", "payments", patch).await;
}

#[tokio::test]
async fn chosen_actions_pause_a_dataflow_let_it_go_on_and_have_it_read_again() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let before = world.get("Dataflow", "payments").await["spec"].clone();
    choose(&world, "suspend").await;
    world
        .eventually("the pause", || async {
            let paused = world.get("Dataflow", "payments").await;
            let told = condition(&paused, "Suspended")["status"] == "True";
            told.then_some(()).ok_or(paused.to_string())
        })
        .await;
    choose(&world, "resume").await;
    world
        .eventually("the end of the pause", || async {
            let resumed = world.get("Dataflow", "payments").await;
            let told = condition(&resumed, "Suspended").is_null();
            told.then_some(()).ok_or(resumed.to_string())
        })
        .await;
    // No trace is left in the spec, so the application is in sync.
    assert_eq!(world.get("Dataflow", "payments").await["spec"], before);
    choose(&world, "run-now").await;
    world
        .eventually("the fresh read", || async {
            let object = world.get("Dataflow", "payments").await;
            let asked = &object["metadata"]["annotations"][REQUEST];
            (object["status"]["lastHandledRequest"] == *asked)
                .then_some(())
                .ok_or(object.to_string())
        })
        .await;
}
