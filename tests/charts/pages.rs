//! What the pages say, done.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use aep_control_plane::{ControlPlane, Options, assets};
use aep_operator::api::Sandbox;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use serde_json::Value;

use crate::generated::charts;
use crate::release::{cluster, run, succeeded};

/// A file of this repository.
fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// On a cluster of its own, as the commands begin with nothing. No Pod runs there, so nothing becomes Ready.
#[tokio::test]
async fn the_page_on_installing_can_be_followed_with_helm_to_the_letter() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cluster = ControlPlane::start(Options::default()).await.unwrap();
    let text = page("docs/install.md");
    let blocks = text.split("```sh\n").skip(1);
    let blocks: Vec<_> = blocks.filter_map(|it| it.split("```").next()).collect();
    let tools = assets(&["kubectl", "helm"]).unwrap();
    let mut shell = Command::new("bash");
    for (name, value) in cluster.kubectl().unwrap().get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
        .env(
            "PATH",
            format!("{}:{}", tools.display(), env::var("PATH").unwrap()),
        )
        .env("CLIENT_ID", "aep-operator-demo")
        .env("CLIENT_SECRET", "demo-secret")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let told = succeeded(&run(shell, &["-euo", "pipefail", "-c", &blocks.join("\n")], "").await);
    assert!(
        told.contains("STATUS: deployed") && told.contains("dataset.aep-operator.io/payments"),
        "{told}"
    );
    let sandboxes: Api<Sandbox> = Api::namespaced(cluster.client(), "payments");
    assert_eq!(
        sandboxes.get("default").await.unwrap().spec.sandbox_name,
        "prod"
    );
    let deployments: Api<Deployment> = Api::namespaced(cluster.client(), "payments");
    deployments.get("aep-aep-operator").await.unwrap();
}

#[tokio::test]
async fn the_values_in_the_example_for_flux_are_taken_by_the_charts() {
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&page("deploy/flux/helm-release.yaml")).unwrap();
    let releases: Vec<_> = objects
        .iter()
        .filter(|it| it["kind"] == "HelmRelease")
        .collect();
    assert!(!releases.is_empty());
    for release in releases {
        let chart = charts(release["spec"]["chartRef"]["name"].as_str().unwrap());
        let values = release["spec"]
            .get("values")
            .cloned()
            .unwrap_or_else(|| serde_json::json!({}));
        let arguments = ["template", "aep", chart.to_str().unwrap(), "--values", "-"];
        succeeded(
            &run(
                cluster().await.helm().unwrap(),
                &arguments,
                &values.to_string(),
            )
            .await,
        );
    }
}
