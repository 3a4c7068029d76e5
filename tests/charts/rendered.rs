//! What the charts make of values, and which values they refuse.

use std::fs;

use crate::generated::charts;
use crate::release::{cluster, run, succeeded, world};

const CHARTS: [&str; 2] = ["aep-operator-crds", "aep-operator"];
/// Kinds of the Prometheus Operator, which this API server does not know.
const FOREIGN: &str = "apiVersion: monitoring.coreos.com/v1";

/// The value files of a chart that stand for its uses.
fn uses(chart: &str) -> Vec<String> {
    let files = fs::read_dir(charts(chart).join("ci")).unwrap();
    let files: Vec<_> = files
        .map(|file| file.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    assert!(files.len() > 1, "{files:?}");
    files
}

#[tokio::test]
async fn every_use_of_the_charts_passes_a_strict_lint() {
    for chart in CHARTS {
        for values in uses(chart) {
            let path = charts(chart);
            let arguments = [
                "lint",
                "--strict",
                path.to_str().unwrap(),
                "--values",
                &values,
            ];
            succeeded(&run(cluster().await.helm().unwrap(), &arguments, "").await);
        }
    }
}

#[tokio::test]
async fn what_the_charts_render_is_taken_by_the_api_server() {
    let world = world().await;
    for chart in CHARTS {
        for values in uses(chart) {
            let path = charts(chart);
            let arguments = [
                "template",
                "aep",
                path.to_str().unwrap(),
                "--values",
                &values,
            ];
            // The test's Pod needs a ServiceAccount that exists: see `pods`.
            let more = ["--skip-tests", "--namespace", &world.namespace];
            let helm = cluster().await.helm().unwrap();
            let text = succeeded(&run(helm, &[&arguments[..], &more].concat(), "").await);
            let known: Vec<_> = text
                .split("\n---\n")
                .filter(|it| !it.contains(FOREIGN))
                .collect();
            let dry = [
                "apply",
                "--server-side",
                "--force-conflicts",
                "--dry-run=server",
                "-f",
                "-",
            ];
            let kubectl = cluster().await.kubectl().unwrap();
            let told = succeeded(&run(kubectl, &dry, &known.join("\n---\n")).await);
            assert!(told.lines().count() > 3, "{values}: {told}");
        }
    }
}

#[tokio::test]
async fn a_typo_in_a_value_is_refused_at_every_level() {
    let typos = [
        ("aep-operator-crds", "keeps=true", "keeps"),
        (
            "aep-operator-crds",
            "rbac.aggregateToViews=true",
            "aggregateToViews",
        ),
        ("aep-operator", "replicas=2", "replicas"),
        ("aep-operator", "image.tags=v1", "tags"),
        ("aep-operator", "metrics.service.prot=1", "prot"),
        ("aep-operator", "sandbox.credentials.clientID=x", "clientID"),
        ("aep-operator", "aep.endpoints.allow={x}", "allow"),
        ("aep-operator", "serviceMonitor.intervall=1s", "intervall"),
        ("aep-operator", "rbac.scope=global", "scope"),
        ("aep-operator", "watch.namespaces={Upper}", "namespaces"),
        ("aep-operator", "replicaCount=two", "replicaCount"),
    ];
    for (chart, typo, named) in typos {
        let path = charts(chart);
        let arguments = ["template", "aep", path.to_str().unwrap(), "--set", typo];
        let output = run(cluster().await.helm().unwrap(), &arguments, "").await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{typo} is taken");
        assert!(
            errors.contains("schema") && errors.contains(named),
            "{typo}: {errors}"
        );
    }
}

#[tokio::test]
async fn values_that_contradict_each_other_are_refused_with_the_way_out() {
    let contradictions = [
        ("watch.namespaces={*}", "needs rbac.scope: cluster"),
        ("sandbox.create=true", "needs sandbox.existingSecret"),
        ("otel.enabled=true", "needs otel.endpoint"),
    ];
    for (values, way_out) in contradictions {
        let path = charts("aep-operator");
        let arguments = ["template", "aep", path.to_str().unwrap(), "--set", values];
        let output = run(cluster().await.helm().unwrap(), &arguments, "").await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(way_out), "{values}: {errors}");
    }
}
