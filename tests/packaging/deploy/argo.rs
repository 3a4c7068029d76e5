//! What Argo CD makes of our objects: their health, the actions they offer, and what it takes for a difference.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::lua;

/// The scripts, laid out as in Argo CD's own repository.
const SCRIPTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/deploy/argocd/resource_customizations/aep-operator.io"
);
/// Where the health script of all kinds is.
pub const ALL_KINDS: &str = "_";
/// The kind whose actions all kinds share.
pub const ACTIONS: &str = "Dataflow/actions";

/// What Argo CD says of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Health {
    pub status: String,
    #[serde(default)]
    pub message: String,
}

/// A file below the folder of our group.
pub fn path(file: &str) -> PathBuf {
    Path::new(SCRIPTS).join(file)
}

/// The text of a file below the folder of our group.
pub fn text(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What Argo CD shows for an object. What is being deleted is told apart before any script is asked.
pub fn health(object: &Value) -> Health {
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return Health {
            status: "Progressing".into(),
            message: "Pending deletion".into(),
        };
    }
    script_health(object)
}

/// What our script says.
pub fn script_health(object: &Value) -> Health {
    let script = text(&format!("{ALL_KINDS}/health.lua"));
    let told = lua::run(&script, object).unwrap();
    serde_json::from_value(told).unwrap_or_else(|error| panic!("{error}: {object}"))
}

/// The actions that an object offers, by name, and whether each can be chosen now.
pub fn actions(object: &Value) -> BTreeMap<String, bool> {
    let found = lua::run(&text(&format!("{ACTIONS}/discovery.lua")), object).unwrap();
    let found = found.as_object().unwrap().iter();
    found
        .map(|(name, action)| (name.clone(), action["disabled"] != true))
        .collect()
}

/// What an action makes of an object.
pub fn act(action: &str, object: &Value) -> Value {
    lua::changed(&text(&format!("{ACTIONS}/{action}/action.lua")), object).unwrap()
}

/// The JSON merge patch that makes `new` of `old`: how Argo CD writes what an action did.
pub fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return new.clone();
    };
    let mut patch = Map::new();
    for (name, new) in after {
        match before.get(name) {
            Some(old) if old == new => {}
            Some(old) => {
                patch.insert(name.clone(), merge_patch(old, new));
            }
            None => {
                patch.insert(name.clone(), new.clone());
            }
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// What a sync would change, as Argo CD finds it without the server's help: what the manifest says otherwise than the
/// live object, and what the manifest had when it was applied last and has no longer.
pub fn three_way(applied: &Value, manifest: &Value, live: &Value) -> Value {
    let (Value::Object(wanted), Value::Object(held)) = (manifest, live) else {
        return manifest.clone();
    };
    let mut patch = Map::new();
    for (name, wanted) in wanted {
        let held = held.get(name).unwrap_or(&Value::Null);
        if wanted == held {
            continue;
        }
        let change = three_way(&applied[name], wanted, held);
        // Objects of which nothing differs leave an empty patch.
        if !change.as_object().is_some_and(Map::is_empty) || held.is_null() {
            patch.insert(name.clone(), change);
        }
    }
    let had = applied.as_object().into_iter().flat_map(Map::keys);
    for name in had.filter(|name| !wanted.contains_key(*name) && held.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Value::Object(patch)
}

#[test]
fn the_simulated_differences_are_found() {
    use serde_json::json;
    let live = json!({ "spec": { "a": 1, "default": true, "list": [{ "x": 1, "default": true }], "old": 1 } });
    let same = json!({ "spec": { "a": 1 } });
    assert_eq!(three_way(&same, &same, &live), json!({}));
    let other = json!({ "spec": { "a": 2 } });
    assert_eq!(
        three_way(&same, &other, &live),
        json!({ "spec": { "a": 2 } })
    );
    let had = json!({ "spec": { "a": 1, "old": 1 } });
    assert_eq!(
        three_way(&had, &same, &live),
        json!({ "spec": { "old": null } })
    );
    // What a default within a list would do.
    let list = json!({ "spec": { "list": [{ "x": 1 }] } });
    assert_eq!(three_way(&list, &list, &live), list);
}
