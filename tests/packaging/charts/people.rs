//! What the chart of the definitions lets people do.

use aep_test_kit::{World, sample};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, RoleBinding};
use kube::api::{Api, PostParams};
use serde_json::json;

use super::release::{cluster, run, world};

#[tokio::test]
async fn who_may_not_read_a_secret_cannot_have_the_operator_use_it() {
    let world = world().await;
    let kubeconfig = author(&world).await;
    let objects = sample("payments");
    let of = |kind| objects.iter().find(|it| it["kind"] == kind).unwrap();
    for (kind, field) in [
        ("Sandbox", "credentialsRef"),
        ("BaseConnection", "secretParams"),
    ] {
        // A policy acts a moment after it was made.
        let refused = || async {
            let (allowed, errors) = apply(&world, &kubeconfig, of(kind)).await;
            let refused = !allowed && errors.contains(field);
            refused.then_some(()).ok_or(errors)
        };
        world.eventually("the policy to refuse", refused).await;
        world.apply(of(kind)).await.unwrap();
        // What is there already may be changed in other ways.
        let mut labelled = of(kind).clone();
        labelled["metadata"]["labels"] = json!({ "team": "data" });
        let (allowed, errors) = apply(&world, &kubeconfig, &labelled).await;
        assert!(allowed, "{kind}: {errors}");
    }
    let (allowed, errors) = apply(&world, &kubeconfig, of("Dataset")).await;
    assert!(allowed, "{errors}");
}

#[tokio::test]
async fn the_roles_join_those_of_kubernetes() {
    let roles: Api<ClusterRole> = Api::all(cluster().await.client());
    for role in ["view", "edit", "admin"] {
        let role_of_ours = roles.get(&format!("aep-operator-{role}")).await.unwrap();
        let labels = role_of_ours.metadata.labels.clone().unwrap();
        let join = format!("rbac.authorization.k8s.io/aggregate-to-{role}");
        assert_eq!(labels.get(&join).map(String::as_str), Some("true"));
        let verbs = &role_of_ours.rules.unwrap()[0].verbs;
        assert_eq!(verbs.iter().any(|verb| verb == "delete"), role != "view");
    }
}

/// The kubeconfig of somebody who may write our kinds in the world's namespace, and nothing else.
async fn author(world: &World) -> std::path::PathBuf {
    let account = json!({ "metadata": { "name": "author" } });
    let account: ServiceAccount = serde_json::from_value(account).unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(world.client.clone(), &world.namespace);
    accounts
        .create(&PostParams::default(), &account)
        .await
        .unwrap();
    let subject =
        json!({ "kind": "ServiceAccount", "name": "author", "namespace": world.namespace });
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "aep-operator-edit" });
    let binding =
        json!({ "metadata": { "name": "author" }, "roleRef": role, "subjects": [subject] });
    let binding: RoleBinding = serde_json::from_value(binding).unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(world.client.clone(), &world.namespace);
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
    let kubeconfig = cluster()
        .await
        .service_account_kubeconfig(&world.namespace, "author");
    kubeconfig.await.unwrap()
}

/// Whether kubectl may apply an object, and what it says.
async fn apply(
    world: &World,
    kubeconfig: &std::path::Path,
    object: &serde_json::Value,
) -> (bool, String) {
    let mut kubectl = cluster().await.kubectl().unwrap();
    kubectl.env("KUBECONFIG", kubeconfig);
    let arguments = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--namespace",
        &world.namespace,
        "-f",
        "-",
    ];
    let output = run(kubectl, &arguments, &object.to_string()).await;
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
