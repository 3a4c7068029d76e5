//! What the operator exports, read from what it answers.

use std::collections::{BTreeMap, BTreeSet};

/// Type and labels of a metric.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Metric {
    pub kind: String,
    pub labels: BTreeSet<String>,
}

/// Metrics by the names that Prometheus knows them by; histograms by what their series have in common.
pub type Metrics = BTreeMap<String, Metric>;

/// Reads an answer; what has no series is left out.
pub fn metrics(text: &str) -> Metrics {
    let mut metrics = Metrics::new();
    let mut current = (String::new(), "");
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            current = (format!("{name}{}", suffix(kind)), kind);
        } else if !line.starts_with('#') {
            let (name, kind) = &current;
            let metric = metrics.entry(name.clone()).or_default();
            (*kind).clone_into(&mut metric.kind);
            metric.labels.extend(labels(line));
        }
    }
    metrics
}

fn suffix(kind: &str) -> &'static str {
    match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    }
}

/// The names of the labels of a series; `le` belongs to all histograms.
fn labels(series: &str) -> impl Iterator<Item = String> {
    let (_, labels) = series.split_once('{').unwrap_or_default();
    // Names stand before `="`, whatever the values are.
    let before = labels.split("=\"");
    let names = before.map(|it| it.rsplit(['"', ',', '{']).next().unwrap_or_default());
    let names: Vec<_> = names.map(ToOwned::to_owned).collect();
    let count = names.len().saturating_sub(1);
    names.into_iter().take(count).filter(|it| it != "le")
}

/// Whether a series of this name is among the metrics.
pub fn holds(metrics: &Metrics, series: &str) -> bool {
    let parts = ["_bucket", "_sum", "_count"];
    let part = |suffix| metrics.get(series.strip_suffix(suffix)?);
    let histogram = parts.iter().find_map(part);
    let whole = metrics.get(series).is_some_and(|it| it.kind != "histogram");
    whole || histogram.is_some_and(|it| it.kind == "histogram")
}
