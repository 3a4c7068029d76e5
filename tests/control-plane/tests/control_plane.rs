//! The control plane starts, serves and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "what a helper cannot do fails the test")]

mod program;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use aep_control_plane::{ControlPlane, Options, config};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::{Client, ResourceExt};
use serde_json::json;

use program::{runs_a_process_of, spawn_program, wait_until};

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        ..ObjectMeta::default()
    }
}

fn config_map(name: &str) -> ConfigMap {
    let data = BTreeMap::from([("key".into(), "value".into())]);
    ConfigMap {
        metadata: named(name),
        data: Some(data),
        ..ConfigMap::default()
    }
}

fn config_maps(client: Client) -> Api<ConfigMap> {
    Api::namespaced(client, "default")
}

#[tokio::test]
async fn it_stores_what_it_is_given() {
    let config_maps = config_maps(ControlPlane::shared().await.client());
    config_maps
        .create(&PostParams::default(), &config_map("stored"))
        .await
        .unwrap();
    let stored = config_maps.get("stored").await.unwrap();
    assert_eq!(stored.data.unwrap()["key"], "value");
}

#[tokio::test]
async fn kubectl_speaks_to_it_in_its_own_version() {
    let control_plane = ControlPlane::shared().await;
    let version = control_plane
        .client()
        .apiserver_version()
        .await
        .unwrap()
        .git_version;
    let output = control_plane
        .kubectl()
        .unwrap()
        .arg("version")
        .output()
        .unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(
        answer.contains(&format!("Server Version: {version}")),
        "{output:?}"
    );
}

#[tokio::test]
async fn a_service_account_may_do_what_its_role_says_and_no_more() {
    let control_plane = ControlPlane::shared().await;
    let (client, create) = (control_plane.client(), PostParams::default());
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
    let account = ServiceAccount {
        metadata: named("reader"),
        ..ServiceAccount::default()
    };
    accounts.create(&create, &account).await.unwrap();
    let roles = Api::<Role>::namespaced(client.clone(), "default");
    let role = serde_json::from_value(json!({
        "metadata": { "name": "reader" },
        "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"] }],
    }));
    roles.create(&create, &role.unwrap()).await.unwrap();
    let bindings = Api::<RoleBinding>::namespaced(client, "default");
    let binding = serde_json::from_value(json!({
        "metadata": { "name": "reader" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader" },
        "subjects": [{ "kind": "ServiceAccount", "namespace": "default", "name": "reader" }],
    }));
    bindings.create(&create, &binding.unwrap()).await.unwrap();

    let kubeconfig = control_plane
        .service_account_kubeconfig("default", "reader")
        .await
        .unwrap();
    let config_maps = config_maps(config(&kubeconfig).await.unwrap().try_into().unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = config_maps.list(&ListParams::default()).await {
        // The authorizer learns of the binding by a watch.
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = config_maps
        .create(&create, &config_map("forbidden"))
        .await
        .unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 403));
}

#[tokio::test]
async fn two_side_by_side_know_nothing_of_each_other() {
    let start = || ControlPlane::start(Options::default());
    let (one, other) = tokio::try_join!(start(), start()).unwrap();
    config_maps(one.client())
        .create(&PostParams::default(), &config_map("only-here"))
        .await
        .unwrap();
    assert!(
        config_maps(other.client())
            .get_opt("only-here")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_restart_of_the_api_server_keeps_what_is_stored() {
    let mut control_plane = ControlPlane::start(Options::default()).await.unwrap();
    let client = control_plane.client();
    config_maps(client.clone())
        .create(&PostParams::default(), &config_map("kept"))
        .await
        .unwrap();
    control_plane.restart_apiserver().await.unwrap();
    assert!(config_maps(client).get_opt("kept").await.unwrap().is_some());
}

#[tokio::test]
async fn controllers_finish_the_deletion_of_a_namespace_and_the_audit_log_tells_who_asked() {
    let options = Options {
        controllers: true,
        audit_log: true,
    };
    let control_plane = ControlPlane::start(options).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(control_plane.client());
    let namespace = Namespace {
        metadata: named("passing"),
        ..Namespace::default()
    };
    let namespace = namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    namespaces
        .delete(&namespace.name_any(), &DeleteParams::default())
        .await
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while namespaces.get_opt("passing").await.unwrap().is_some() {
        assert!(Instant::now() < deadline, "the namespace stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = std::fs::read_to_string(control_plane.audit_log().unwrap()).unwrap();
    let asked = |line: &str| {
        [
            r#""verb":"delete""#,
            "/namespaces/passing",
            r#""username":"admin""#,
        ]
        .iter()
        .all(|part| line.contains(part))
    };
    assert!(log.lines().any(asked));
}

#[tokio::test]
async fn stopping_it_leaves_nothing_behind() {
    let control_plane = ControlPlane::start(Options::default()).await.unwrap();
    let folder = control_plane.kubeconfig().parent().unwrap().to_owned();
    assert!(runs_a_process_of(&folder));
    control_plane.stop().await;
    assert!(!folder.exists());
    assert!(!runs_a_process_of(&folder));
}

#[test]
fn killing_its_owner_leaves_nothing_behind() {
    let (mut program, folder) = spawn_program(&[]);
    assert!(runs_a_process_of(&folder));
    program.kill().unwrap();
    program.wait().unwrap();
    wait_until("the processes are gone", || !runs_a_process_of(&folder));
    wait_until("the folder is gone", || !folder.exists());
}

#[test]
fn the_program_ends_well_when_it_is_told_to_stop() {
    let (mut program, folder) = spawn_program(&[]);
    let kill = Command::new("kill")
        .arg(program.id().to_string())
        .status()
        .unwrap();
    assert!(kill.success());
    assert!(program.wait().unwrap().success());
    assert!(!folder.exists());
    assert!(!runs_a_process_of(&folder));
}
