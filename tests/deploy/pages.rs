//! The pages below `deploy/`, followed to the letter.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aep_control_plane::ControlPlane;
use aep_simulator::Options;
use tokio::process::Command;

use crate::definitions;
use crate::harness::{World, new_namespace};
use crate::kubectl::{done, texts};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The shell commands of a page, in their order.
pub fn commands(page: &str) -> String {
    let text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let commands = blocks.collect::<Vec<_>>().join("\n");
    assert!(!commands.is_empty(), "{page}");
    commands
}

/// Runs commands as a person would who has `kubectl` and this repository.
pub async fn run(script: &str) -> String {
    let control_plane = ControlPlane::shared().await;
    let kubectl = control_plane.kubectl().unwrap();
    let folder: PathBuf = Path::new(kubectl.get_program()).parent().unwrap().into();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("bash");
    for (name, value) in kubectl.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command
        .args(["-euo", "pipefail", "-c", script])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("CLIENT_ID", "aep-operator-demo")
        .env("CLIENT_SECRET", "demo-secret")
        .env("PAYPAL_ID", "paypal-id")
        .env("PAYPAL_SECRET", "paypal-secret")
        .current_dir(ROOT)
        .stdin(Stdio::null())
        .output();
    let output = output.await.unwrap();
    let (printed, errors) = texts(&output);
    assert!(output.status.success(), "{printed}{errors}");
    printed
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
    let printed = run(&commands("deploy/samples/README.md")).await;
    assert!(printed.ends_with("condition met\n"), "{printed}");
}

#[tokio::test]
async fn the_page_about_kustomize_installs_an_operator_and_its_sandbox() {
    let world = World::unattended(Options::default()).await;
    let printed = run(&commands("deploy/kustomize/README.md")).await;
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
    let argo_cd = new_namespace(&world.client, Some("argocd")).await;
    let create = ["create", "configmap", "argocd-cm", "-n", &argo_cd];
    done(&world, &create, "").await;
    let printed = run(&commands("deploy/argocd/README.md")).await;
    assert!(
        printed.contains("applicationset.argoproj.io/aep-sandboxes created"),
        "{printed}"
    );
}

#[tokio::test]
async fn the_page_about_flux_works() {
    let world = World::unattended(Options::default()).await;
    definitions::install(&world).await;
    new_namespace(&world.client, Some("flux-system")).await;
    let printed = run(&commands("deploy/flux/README.md")).await;
    assert!(
        printed.contains("kustomization.kustomize.toolkit.fluxcd.io/aep-prod created"),
        "{printed}"
    );
}
