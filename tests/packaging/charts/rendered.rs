//! What the charts make of values, and which values they refuse.

use std::fs;

use serde_json::{Value, json};

use super::generated::charts;
use super::release::{HELMS, cluster, run, succeeded, world};

const CHARTS: [&str; 2] = ["aep-operator-crds", "aep-operator"];
/// Kinds of the Prometheus Operator, with the list that their spec is about.
const MONITORING: [(&str, &str, &str); 3] = [
    ("ServiceMonitor", "servicemonitors", "endpoints"),
    ("PodMonitor", "podmonitors", "podMetricsEndpoints"),
    ("PrometheusRule", "prometheusrules", "groups"),
];

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
            for helm in HELMS {
                succeeded(&run(helm(cluster().await).unwrap(), &arguments, "").await);
            }
        }
    }
}

/// A definition that knows as much of a kind as matters here.
fn definition((kind, plural, list): (&str, &str, &str)) -> Value {
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let mut members = json!({ "selector": open, "namespaceSelector": open });
    members[list] = json!({ "type": "array", "items": open });
    let spec = json!({ "type": "object", "required": [list], "properties": members });
    let schema = json!({ "type": "object", "properties": { "spec": spec } });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.monitoring.coreos.com") },
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced",
            "names": { "kind": kind, "plural": plural },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema },
            }],
        },
    })
}

/// Lets the API server know the kinds of the Prometheus Operator.
async fn know_monitoring() {
    let kubectl = || async { cluster().await.kubectl().unwrap() };
    let definitions: Vec<_> = MONITORING.map(definition).into();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": definitions }).to_string();
    succeeded(&run(kubectl().await, &["apply", "-f", "-"], &list).await);
    let established = [
        "wait",
        "--for=condition=Established",
        "--timeout=1m",
        "-f",
        "-",
    ];
    succeeded(&run(kubectl().await, &established, &list).await);
}

#[tokio::test]
async fn what_the_charts_render_is_taken_by_the_api_server() {
    let world = world().await;
    know_monitoring().await;
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
            let dry = [
                "apply",
                "--server-side",
                "--force-conflicts",
                "--dry-run=server",
                "-f",
                "-",
            ];
            let kubectl = cluster().await.kubectl().unwrap();
            let told = succeeded(&run(kubectl, &dry, &text).await);
            assert!(told.lines().count() > 3, "{values}: {told}");
        }
    }
}

/// The spec of the `NetworkPolicy` with these values of its own.
async fn network_policy(values: Value) -> Value {
    let path = charts("aep-operator");
    let values = json!({ "enabled": true }).as_object().map(|it| {
        let mut all = it.clone();
        all.extend(values.as_object().cloned().unwrap_or_default());
        all
    });
    let values = format!("networkPolicy={}", json!(values));
    let policy = "templates/networkpolicy.yaml";
    let shown = ["--show-only", policy, "--set-json", &values];
    let arguments = [&["template", "aep", path.to_str().unwrap()][..], &shown].concat();
    let text = succeeded(&run(cluster().await.helm().unwrap(), &arguments, "").await);
    let mut policy: Value = serde_saphyr::from_str(&text).unwrap();
    policy["spec"].take()
}

/// What a rule is about: its peers, and its ports.
fn rule(rule: &Value) -> (&Value, Vec<&Value>) {
    let ports = rule["ports"].as_array().unwrap();
    let peers = if rule["from"].is_null() {
        &rule["to"]
    } else {
        &rule["from"]
    };
    (peers, ports.iter().map(|it| &it["port"]).collect())
}

#[tokio::test]
async fn the_network_policy_lets_in_who_reads_metrics_and_out_to_dns_api_server_and_adobe() {
    let open = network_policy(json!({})).await;
    assert_eq!(open["policyTypes"], json!(["Ingress", "Egress"]));
    let ingress: Vec<_> = open["ingress"]
        .as_array()
        .unwrap()
        .iter()
        .map(rule)
        .collect();
    let any_pod = json!([{ "namespaceSelector": {} }]);
    assert_eq!(ingress, [(&any_pod, vec![&json!("http-metrics")])]);
    let (monitoring, server) = (
        json!([{ "podSelector": { "matchLabels": { "app": "prometheus" } } }]),
        json!([{ "ipBlock": { "cidr": "192.0.2.1/32" } }]),
    );
    let narrow = json!({ "metricsFrom": monitoring, "apiServer": server });
    let narrow = network_policy(narrow).await;
    assert_eq!(narrow["ingress"][0]["from"], monitoring);
    let egress: Vec<_> = narrow["egress"]
        .as_array()
        .unwrap()
        .iter()
        .map(rule)
        .collect();
    let [dns, https, kubernetes] = [53, 443, 6443].map(|port| json!(port));
    let anywhere = Value::Null;
    assert_eq!(
        egress,
        [
            (&anywhere, vec![&dns, &dns]),
            (&server, vec![&https, &kubernetes]),
            (&anywhere, vec![&https]),
        ]
    );
    let closed = network_policy(json!({ "metricsFrom": [] })).await;
    assert!(closed["ingress"].is_null(), "{closed}");
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
        for helm in HELMS {
            let output = run(helm(cluster().await).unwrap(), &arguments, "").await;
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{typo} is taken");
            assert!(
                errors.contains("schema") && errors.contains(named),
                "{typo}: {errors}"
            );
        }
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
        for helm in HELMS {
            let output = run(helm(cluster().await).unwrap(), &arguments, "").await;
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(errors.contains(way_out), "{values}: {errors}");
        }
    }
}
