//! The definitions of Argo CD's and Flux's own kinds, from the Go modules that `definitions/go.mod` pins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use serde_json::Value;
use tokio::time::timeout;

use crate::harness::{PATIENCE, World};
use crate::kubectl::{done, manifest};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deploy/definitions");

/// Where a module keeps its definitions.
fn within(module: &str) -> &'static str {
    if module.contains("argo-cd") {
        "manifests/crds"
    } else {
        "config/crd/bases"
    }
}

/// The folder of a module, which Go fetches the first time.
fn fetched(module: &str) -> PathBuf {
    let mut go = Command::new("go");
    go.args(["mod", "download", "-json", module])
        .current_dir(FOLDER)
        .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off")]);
    let output = go.output().expect("these definitions need Go");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let folder = answer["Dir"].as_str();
    let errors = String::from_utf8_lossy(&output.stderr);
    Path::new(folder.unwrap_or_else(|| panic!("{module}: {answer} {errors}"))).into()
}

/// Module and version of each line that requires one.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(Path::new(FOLDER).join("go.mod")).unwrap();
    let lines = text.lines().filter_map(|line| line.trim().split_once(" v"));
    lines
        .map(|(module, version)| format!("{module}@v{version}"))
        .collect()
}

/// Installs them.
pub async fn install(world: &World) {
    let definitions = all();
    let apply = ["apply", "--server-side", "-f", "-"];
    done(world, &apply, &manifest(&definitions)).await;
    let known: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    for definition in definitions {
        let name = definition["metadata"]["name"].as_str().unwrap();
        // `kubectl wait` fails at one that has no conditions yet.
        let established = await_condition(known.clone(), name, is_crd_established());
        timeout(PATIENCE, established).await.unwrap().unwrap();
    }
}

/// All of them.
fn all() -> Vec<Value> {
    let mut all = Vec::new();
    for module in modules() {
        let folder = fetched(&module).join(within(&module));
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            all.extend(serde_saphyr::from_multiple::<Value>(&text).unwrap());
        }
    }
    all.retain(|it| it["kind"] == "CustomResourceDefinition");
    assert!(all.len() >= 8);
    all
}
