//! A real Prometheus that scrapes the operator and knows the alerts.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::files::path;
use super::process::KeptProcess;

/// It ends with this value.
pub struct Prometheus {
    address: String,
    _process: KeptProcess,
}

impl Prometheus {
    /// Starts one for the metrics at an address, as if a Pod in the namespace `aep` served them.
    pub async fn start(metrics: &str) -> Self {
        let assets = || aep_control_plane::assets(&["prometheus"]).unwrap();
        let assets = tokio::task::spawn_blocking(assets).await.unwrap();
        let labels = json!({ "namespace": "aep", "pod": "aep-operator-0" });
        let config = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [path("charts/aep-operator/files/alerts.yaml")],
            "scrape_configs": [{
                "job_name": "aep-operator",
                "honor_labels": true,
                "static_configs": [{ "targets": [metrics], "labels": labels }],
            }],
        });
        let arguments = [
            "--config.file=config.yaml",
            "--storage.tsdb.path=data",
            "--web.listen-address=127.0.0.1:0",
        ];
        let files = [("config.yaml", config.to_string())];
        let process = KeptProcess::start(&assets.join("prometheus"), &arguments, &[], &files);
        Self {
            address: process.address("Listening on").await,
            _process: process,
        }
    }

    /// What it answers, or why it does not.
    pub async fn ask(&self, path: &str, query: &str) -> Result<Value, String> {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let request = reqwest::Client::new().get(url).query(&[("query", query)]);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let data = (answer["status"] == "success").then(|| answer["data"].clone());
        data.ok_or_else(|| answer.to_string())
    }

    /// Queries for all that a query reads, with the labels that it needs there. Values that only trouble brings may be
    /// others.
    pub async fn reads(&self, query: &str) -> BTreeSet<String> {
        let parsed = self.ask("parse_query", query).await.unwrap();
        let mut reads = BTreeSet::new();
        collect(&parsed, &BTreeSet::new(), &mut reads);
        assert!(!reads.is_empty(), "{query}: {parsed}");
        reads
    }
}

/// Walks a parsed query down to what it selects; `needed` are the labels by which the nodes above tell series apart.
fn collect(node: &Value, needed: &BTreeSet<&str>, reads: &mut BTreeSet<String>) {
    let mut needed = needed.clone();
    if node["without"] == false {
        needed.extend(texts(&node["grouping"]));
    }
    if node["matching"]["on"] == true {
        needed.extend(texts(&node["matching"]["labels"]));
    }
    if let Some(matchers) = node["matchers"].as_array() {
        reads.insert(selector(&node["name"], matchers, &needed));
    }
    let below: Vec<_> = match node {
        Value::Array(nodes) => nodes.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    for node in below {
        collect(node, &needed, reads);
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(Value::as_str)
}

fn selector(name: &Value, matchers: &[Value], needed: &BTreeSet<&str>) -> String {
    let matchers = matchers.iter().filter(|it| it["name"] != "__name__");
    let matchers = matchers.map(|it| {
        let (label, value) = (it["name"].as_str().unwrap(), &it["value"]);
        if it["type"] == "=" {
            format!("{label}={value}")
        } else {
            format!("{label}!=\"\"")
        }
    });
    let needed = needed.iter().map(|label| format!("{label}!=\"\""));
    let all: Vec<_> = matchers.chain(needed).collect();
    format!("{}{{{}}}", name.as_str().unwrap(), all.join(","))
}
