//! What is shipped and written about metrics.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file of the project.
pub fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The rules of all alerts.
pub fn alerts() -> Vec<Value> {
    let rules = fs::read_to_string(path("charts/aep-operator/files/alerts.yaml")).unwrap();
    let rules: Value = serde_saphyr::from_str(&rules).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    rules.flatten().cloned().collect()
}

/// The dashboard.
pub fn dashboard() -> Value {
    let text = fs::read_to_string(path("charts/aep-operator/files/dashboard.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
