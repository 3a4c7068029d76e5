//! What the pages say, done.

use std::process::Stdio;

use aep_control_plane::{ControlPlane, Options};
use aep_operator::api::Sandbox;
use aep_test_kit::World;
use aep_test_kit::pages::{commands, follow, text};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use serde_json::Value;
use tokio::process::Child;

use super::generated::charts;
use super::release::{cluster, container, run, succeeded};

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
    let cluster = aep_test_kit::cluster::start(Options::default()).await;
    let world = World::on(cluster.client(), aep_simulator::Options::default()).await;
    let script = commands("docs/install.md");
    let (told, _operator) = tokio::join!(
        follow(&cluster, &["kubectl", "helm"], &script),
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
        serde_saphyr::from_multiple(&text("deploy/flux/helm-release.yaml")).unwrap();
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
