//! `deploy/argocd/argocd-cm.yaml` holds the scripts for all kinds.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;

use aep_operator::api::{GROUP, Kind};
use aep_test_kit::World;
use aep_test_kit::kubectl::done;
use serde_json::{Value, json};

use super::argo::{self, ACTIONS, ALL_KINDS};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/argocd/argocd-cm.yaml");
const HEADER: &str = "\
# Health and actions of all our kinds, for Argo CD's own ConfigMap. Generated from resource_customizations; do not edit.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  labels:
    app.kubernetes.io/name: argocd-cm
    app.kubernetes.io/part-of: argocd
data:
";
const NAMES: [&str; 3] = ["suspend", "resume", "run-now"];

/// A text so far to the right, empty lines excepted.
fn indented(text: &str, by: usize) -> String {
    let lines = text.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("{:by$}{line}\n", ""),
    });
    lines.collect()
}

fn scripts() -> (String, String) {
    let health = argo::text(&format!("{ALL_KINDS}/health.lua"));
    let discovery = argo::text(&format!("{ACTIONS}/discovery.lua"));
    let mut actions = format!(
        "discovery.lua: |\n{}definitions:\n",
        indented(&discovery, 2)
    );
    for name in NAMES {
        let script = argo::text(&format!("{ACTIONS}/{name}/action.lua"));
        let script = indented(&script, 4);
        writeln!(
            actions,
            "- name: {name}\n  action.lua: |\n{}",
            script.trim_end()
        )
        .unwrap();
    }
    (health, actions)
}

fn generated() -> String {
    let (health, actions) = scripts();
    let mut text = HEADER.to_owned();
    for kind in Kind::ALL {
        for (what, script) in [("health", &health), ("actions", &actions)] {
            let key = format!("resource.customizations.{what}.{GROUP}_{}", kind.name());
            write!(text, "  {key}: |\n{}", indented(script, 4)).unwrap();
        }
    }
    text
}

#[test]
fn the_committed_config_map_is_made_of_the_scripts() {
    if env::var_os("UPDATE").is_some() {
        fs::write(FILE, generated()).unwrap();
    }
    let stale =
        "argocd-cm.yaml is stale: run `UPDATE=1 cargo test --test packaging deploy::config::`";
    assert!(fs::read_to_string(FILE).unwrap() == generated(), "{stale}");
}

#[test]
fn the_config_map_reads_back_as_the_scripts() {
    let map: Value = serde_saphyr::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let data: BTreeMap<String, String> = serde_json::from_value(map["data"].clone()).unwrap();
    assert_eq!(data.len(), 2 * Kind::ALL.len());
    for (key, text) in data {
        if key.contains(".health.") {
            assert_eq!(text, argo::text(&format!("{ALL_KINDS}/health.lua")));
            continue;
        }
        let actions: Value = serde_saphyr::from_str(&text).unwrap();
        let discovery = argo::text(&format!("{ACTIONS}/discovery.lua"));
        assert_eq!(actions["discovery.lua"], discovery);
        let definitions = actions["definitions"].as_array().unwrap();
        assert_eq!(definitions.len(), NAMES.len());
        for definition in definitions {
            let name = definition["name"].as_str().unwrap();
            let script = argo::text(&format!("{ACTIONS}/{name}/action.lua"));
            assert_eq!(definition["action.lua"], script);
        }
    }
}

#[tokio::test]
async fn the_config_map_merges_into_the_one_that_is_there() {
    let world = World::unattended(aep_simulator::Options::default()).await;
    let create = [
        "create",
        "configmap",
        "argocd-cm",
        "--from-literal=url=https://argocd.example",
    ];
    done(&world, &create, "").await;
    let patch = [
        "patch",
        "configmap",
        "argocd-cm",
        "--type=merge",
        "--patch-file",
        FILE,
    ];
    done(&world, &patch, "").await;
    let map = done(&world, &["get", "configmap", "argocd-cm", "-o", "json"], "").await;
    let map: Value = serde_json::from_str(&map).unwrap();
    assert_eq!(map["data"]["url"], json!("https://argocd.example"));
    assert_eq!(
        map["data"].as_object().unwrap().len(),
        1 + 2 * Kind::ALL.len()
    );
}
