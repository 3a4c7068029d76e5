//! The pages below `deploy/`, followed to the letter.

use aep_control_plane::ControlPlane;
use aep_simulator::Options;
use aep_test_kit::World;
use aep_test_kit::cluster::create_namespace;
use aep_test_kit::kubectl::done;
use aep_test_kit::pages::{commands, follow};

use super::definitions;

/// Runs the commands of a page as somebody would who has `kubectl` and this repository.
pub async fn run(page: &str) -> String {
    follow(ControlPlane::shared().await, &["kubectl"], &commands(page)).await
}

#[tokio::test]
async fn the_page_about_samples_leads_to_a_ready_pipeline() {
    let mut options = Options::default();
    // Credentials as they stand in the samples.
    let secrets = vec!["REPLACE_ME".to_owned()];
    options.organisations[0]
        .clients
        .insert("REPLACE_ME".into(), secrets);
    let mut world = World::unattended(options).await;
    world.settings.namespaces = vec!["payments".into()];
    world.start_operator();
    let printed = run("deploy/samples/README.md").await;
    assert!(printed.ends_with("condition met\n"), "{printed}");
}

#[tokio::test]
async fn the_page_about_kustomize_installs_an_operator_and_its_sandbox() {
    let world = World::unattended(Options::default()).await;
    let printed = run("deploy/kustomize/README.md").await;
    assert!(
        printed.contains("deployment.apps/aep-operator serverside-applied"),
        "{printed}"
    );
    let account = [
        "get",
        "deployment",
        "aep-operator",
        "-o",
        "name",
        "-n",
        "aep-example",
    ];
    done(&world, &account, "").await;
}

#[tokio::test]
async fn the_page_about_argo_cd_works_beside_what_is_there() {
    let world = World::unattended(Options::default()).await;
    definitions::install(&world).await;
    create_namespace(&world.client, "argocd").await.unwrap();
    let create = ["create", "configmap", "argocd-cm", "-n", "argocd"];
    done(&world, &create, "").await;
    let printed = run("deploy/argocd/README.md").await;
    assert!(
        printed.contains("applicationset.argoproj.io/aep-sandboxes created"),
        "{printed}"
    );
}

#[tokio::test]
async fn the_page_about_flux_works() {
    let world = World::unattended(Options::default()).await;
    definitions::install(&world).await;
    create_namespace(&world.client, "flux-system")
        .await
        .unwrap();
    let printed = run("deploy/flux/README.md").await;
    assert!(
        printed.contains("kustomization.kustomize.toolkit.fluxcd.io/aep-prod created"),
        "{printed}"
    );
}
