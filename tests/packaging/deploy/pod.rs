//! The operator as its Deployment would run it, on a cluster that has no nodes.

use std::collections::BTreeMap;
use std::process::Stdio;

use aep_control_plane::ControlPlane;
use aep_test_kit::World;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::Value;
use tokio::process::{Child, Command};

const NAME: &str = "aep-operator";

/// Starts it as soon as there is a Deployment: with its settings, as its account, with Adobe in the simulator.
pub async fn start(world: &World, namespace: &str) -> Child {
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), namespace);
    let wanted = format!("the Deployment of {namespace}");
    let deployment = world.eventually(&wanted, || async {
        let found = deployments.get_opt(NAME).await.unwrap();
        found.ok_or_else(|| "none yet".to_owned())
    });
    let deployment = serde_json::to_value(deployment.await).unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().unwrap();
    let control_plane = ControlPlane::shared().await;
    let kubeconfig = control_plane.service_account_kubeconfig(namespace, account);
    let container = &pod["containers"][0];
    let arguments = container["args"].as_array().unwrap().iter();
    Command::new(env!("CARGO_BIN_EXE_aep-operator"))
        .args(arguments.map(|it| it.as_str().unwrap()))
        .envs(settings(container, namespace))
        // Many of these share a machine.
        .envs([
            ("METRICS_ADDRESS", "127.0.0.1:0"),
            ("HEALTH_ADDRESS", "127.0.0.1:0"),
        ])
        .env("IMS_ENDPOINT", world.simulator.url())
        .env("PLATFORM_ENDPOINT", world.simulator.url())
        .env("KUBECONFIG", kubeconfig.await.unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// The variables of a container, as the kubelet works them out.
fn settings(container: &Value, namespace: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::<String, String>::new();
    for variable in container["env"].as_array().unwrap() {
        let mut value = match variable.pointer("/valueFrom/fieldRef/fieldPath") {
            None => variable["value"].as_str().unwrap().to_owned(),
            Some(path) if path == "metadata.name" => format!("{NAME}-0"),
            Some(path) if path == "metadata.namespace" => namespace.to_owned(),
            Some(path) => panic!("{path}"),
        };
        for (name, earlier) in &settings {
            value = value.replace(&format!("$({name})"), earlier);
        }
        settings.insert(variable["name"].as_str().unwrap().to_owned(), value);
    }
    settings
}
