//! What the pages say, done.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use aep_control_plane::{ControlPlane, Options, assets};
use aep_operator::api::Sandbox;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use serde_json::Value;
use tokio::process::Child;

use crate::generated::charts;
use crate::harness::World;
use crate::release::{cluster, container, run, succeeded};

/// A file of this repository.
fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The commands of a page, in their order.
fn commands(path: &str) -> String {
    let text = page(path);
    let blocks = text.split("```sh\n").skip(1);
    let blocks: Vec<_> = blocks.filter_map(|it| it.split("```").next()).collect();
    blocks.join("\n")
}

/// Runs commands as somebody who has the tools, this repository and credentials.
async fn follow(cluster: &ControlPlane, script: &str) -> String {
    let tools = assets(&["kubectl", "helm"]).unwrap();
    let path = format!("{}:{}", tools.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    for (name, value) in cluster.kubectl().unwrap().get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
        .env("PATH", path)
        .env("CLIENT_ID", "aep-operator-demo")
        .env("CLIENT_SECRET", "demo-secret")
        .env("PAYPAL_ID", "paypal-id")
        .env("PAYPAL_SECRET", "paypal-secret")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    succeeded(&run(shell, &["-euo", "pipefail", "-c", script], "").await)
}

/// The part of the node: runs the operator as soon as there is a Deployment.
async fn operator(cluster: &ControlPlane, world: &World, namespace: &str) -> Child {
    let deployments: Api<Deployment> = Api::namespaced(cluster.client(), namespace);
    let deployment = world
        .eventually("the Deployment", || async {
            let found = deployments.get_opt("aep-aep-operator").await.unwrap();
            found.ok_or_else(|| "none yet".to_owned())
        })
        .await;
    let deployment = serde_json::to_value(deployment).unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    let mut command = container(cluster, namespace, pod).await;
    for name in ["METRICS_ADDRESS", "HEALTH_ADDRESS"] {
        command.env(name, "127.0.0.1:0");
    }
    for name in ["IMS_ENDPOINT", "PLATFORM_ENDPOINT"] {
        command.env(name, world.simulator.url());
    }
    command.stderr(Stdio::null()).spawn().unwrap()
}

/// On a cluster of its own, as the commands begin with nothing.
#[tokio::test]
async fn the_page_on_installing_leads_from_nothing_to_a_ready_pipeline_and_back() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cluster = ControlPlane::start(Options::default()).await.unwrap();
    let world = World::on(cluster.client(), aep_simulator::Options::default()).await;
    let script = commands("docs/install.md");
    let (told, _operator) = tokio::join!(
        follow(&cluster, &script),
        operator(&cluster, &world, "payments")
    );
    let lines = [
        "sandbox.aep-operator.io/default condition met",
        "dataflow.aep-operator.io/payments condition met",
        "release \"aep\" uninstalled",
    ];
    for line in lines {
        assert!(told.contains(line), "{line}: {told}");
    }
    let created = world.simulator.calls().into_iter();
    let created = created.filter(|it| it.method == "POST" && it.path.ends_with("/flows"));
    assert_eq!(created.count(), 1);
    assert!(world.simulator.objects("prod", "flows").is_empty());
    let sandboxes: Api<Sandbox> = Api::namespaced(cluster.client(), "payments");
    let kept = sandboxes.get("default").await.unwrap();
    assert_eq!(kept.metadata.deletion_timestamp, None);
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
