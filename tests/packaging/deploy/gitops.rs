//! One set of manifests in three sandboxes, and the examples for Argo CD and Flux.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aep_test_kit::kubectl::{done, manifest};
use aep_test_kit::{World, name, ours};
use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::{Value, json};

use super::definitions;
use super::pages::run;
use super::pod;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SANDBOXES: [&str; 3] = ["dev", "stage", "prod"];

/// Every object of a YAML file.
fn objects(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    serde_saphyr::from_multiple(&text).unwrap()
}

/// What `kubectl kustomize` makes of a folder.
async fn built(world: &World, folder: &str) -> Vec<Value> {
    let text = done(world, &["kustomize", folder], "").await;
    serde_saphyr::from_multiple(&text).unwrap()
}

async fn unattended() -> World {
    World::unattended(aep_simulator::Options::default()).await
}

#[tokio::test]
async fn one_set_of_manifests_becomes_ready_in_three_sandboxes() {
    let world = unattended().await;
    let namespaces = SANDBOXES.map(|sandbox| format!("aep-{sandbox}"));
    // The operators start as soon as their Deployments are there.
    let operators = namespaces.iter().map(|it| pod::start(&world, it));
    let (_operators, printed) = tokio::join!(join_all(operators), run("docs/promotion.md"));
    // The second apply found nothing to do.
    assert!(
        printed
            .trim_end()
            .ends_with("dataflow.aep-operator.io/payments condition met")
    );
    for sandbox in SANDBOXES {
        assert_eq!(
            world.simulator.objects(sandbox, "flows").len(),
            1,
            "{sandbox}"
        );
    }
    let flow = |sandbox| world.simulator.objects(sandbox, "flows").remove(0);
    assert_eq!(flow("dev")["state"], "disabled");
    assert_eq!(flow("stage")["scheduleParams"]["frequency"], "day");
    assert_eq!(flow("prod")["scheduleParams"]["frequency"], "minute");
    for namespace in &namespaces {
        let leases: Api<Lease> = Api::namespaced(world.client.clone(), namespace);
        let holder = leases
            .get("aep-operator")
            .await
            .unwrap()
            .spec
            .unwrap()
            .holder_identity;
        assert!(holder.unwrap().starts_with("aep-operator-0"), "{namespace}");
    }
}

#[tokio::test]
async fn the_pod_fits_a_restricted_namespace() {
    let world = unattended().await;
    let folder = "deploy/kustomize/overlays/example-sandbox";
    let all = built(&world, folder).await;
    let namespace = all.iter().find(|it| it["kind"] == "Namespace").unwrap();
    let restricted = json!({ "metadata": { "labels": namespace["metadata"]["labels"] } });
    let label = [
        "patch",
        "namespace",
        &world.namespace,
        "-p",
        &restricted.to_string(),
    ];
    done(&world, &label, "").await;
    let deployment = all.iter().find(|it| it["kind"] == "Deployment").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "trial" }, "spec": deployment["spec"]["template"]["spec"],
    });
    let create = ["create", "--dry-run=server", "-f", "-"];
    done(&world, &create, &pod.to_string()).await;
}

#[tokio::test]
async fn the_server_accepts_every_kustomization() {
    let world = unattended().await;
    let folders = ["base", "with-crds", "overlays/example-sandbox"];
    let folders = folders.map(|folder| format!("deploy/kustomize/{folder}"));
    let gitops = SANDBOXES.map(|sandbox| format!("deploy/gitops/sandboxes/{sandbox}"));
    for folder in folders.iter().chain(&gitops) {
        let mut all = built(&world, folder).await;
        for object in &mut all {
            let metadata = object["metadata"].as_object_mut().unwrap();
            // The world's own stands for it: it exists.
            if metadata.contains_key("namespace") {
                metadata.insert("namespace".into(), json!(world.namespace));
            }
        }
        let apply = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
        done(&world, &apply, &manifest(&all)).await;
        let kinds: BTreeSet<_> = all.iter().filter_map(|it| it["kind"].as_str()).collect();
        for kind in ["ServiceAccount", "Role", "RoleBinding", "Deployment"] {
            assert!(kinds.contains(kind), "{folder}: {kind}");
        }
    }
}

#[tokio::test]
async fn a_prefix_and_the_hash_of_a_secret_reach_all_that_refers_to_what_they_rename() {
    let mut world = unattended().await;
    world.start_operator();
    let mut all = built(&world, "deploy/kustomize/overlays/brand-a").await;
    for object in &mut all {
        let (kind, name) = name(object);
        assert!(name.starts_with("brand-a-"), "{kind}/{name}");
        if kind == "Secret" {
            let demo = json!({ "clientId": "aep-operator-demo", "clientSecret": "demo-secret" });
            object["stringData"] = demo;
            object.as_object_mut().unwrap().remove("data");
        }
    }
    let apply = ["apply", "--server-side", "-f", "-"];
    done(&world, &apply, &manifest(&all)).await;
    assert_eq!(ours(&all).count(), 8);
    world.all_ready(&all).await;
}

#[tokio::test]
async fn the_server_accepts_the_examples_for_argo_cd_and_flux() {
    let world = unattended().await;
    definitions::install(&world).await;
    let files =
        ["crds", "application", "applicationset"].map(|it| format!("deploy/argocd/{it}.yaml"));
    let flux = ["kustomization", "helm-release"].map(|it| format!("deploy/flux/{it}.yaml"));
    for file in files.iter().chain(&flux) {
        let mut all = objects(file);
        for object in &mut all {
            object["metadata"]
                .as_object_mut()
                .unwrap()
                .remove("namespace");
        }
        let dry = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
        done(&world, &dry, &manifest(&all)).await;
    }
}

#[tokio::test]
async fn the_application_set_names_folders_that_are_there() {
    let set = objects("deploy/argocd/applicationset.yaml").remove(0);
    let elements = &set["spec"]["generators"][0]["list"]["elements"];
    let named: Vec<_> = elements
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["sandbox"])
        .collect();
    assert_eq!(named, SANDBOXES);
    let paths = [
        set["spec"]["template"]["spec"]["source"]["path"].clone(),
        objects("deploy/argocd/application.yaml")[0]["spec"]["source"]["path"].clone(),
        objects("deploy/argocd/crds.yaml")[0]["spec"]["source"]["path"].clone(),
    ];
    let flux = objects("deploy/flux/kustomization.yaml");
    let flux = flux.iter().map(|it| it["spec"]["path"].clone());
    for path in paths.into_iter().chain(flux).filter(|it| !it.is_null()) {
        for sandbox in SANDBOXES {
            let path = path.as_str().unwrap().replace("{{.sandbox}}", sandbox);
            assert!(Path::new(ROOT).join(&path).is_dir(), "{path}");
        }
    }
}

#[tokio::test]
async fn definitions_applied_by_kustomize_are_those_that_are_committed() {
    let world = unattended().await;
    let names = |objects: &[Value]| -> BTreeSet<String> {
        let names = objects.iter().map(|it| it["metadata"]["name"].to_string());
        names.collect()
    };
    let committed = aep_operator::api::crds();
    let committed: Vec<_> = committed
        .iter()
        .map(|it| serde_json::to_value(it).unwrap())
        .collect();
    assert_eq!(names(&built(&world, "crds").await), names(&committed));
}
