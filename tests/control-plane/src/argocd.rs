use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::server::Server;
use crate::{ControlPlane, PATIENCE, free_port, provide, wait_until};

const NAMESPACE: &str = "argocd";
const KINDS: [&str; 3] = ["applications", "applicationsets", "appprojects"];
const SERVERS: [&str; 3] = [
    "argocd-repo-server",
    "argocd-application-controller",
    "argocd-applicationset-controller",
];

/// A real Argo CD beside a control plane that runs controllers: all of it but the user interface,
/// in the namespace `argocd`. It has to end before the control plane.
pub struct ArgoCd {
    _servers: Vec<Server>,
}

impl ArgoCd {
    /// Installs its definitions and settings, and starts it. The control plane has to have its
    /// controllers.
    pub async fn start(control_plane: &ControlPlane) -> Result<Self> {
        let assets = provide(&["argocd"]).await?;
        let folder = control_plane.folder.path();
        install(control_plane, &assets).await?;
        let home = Home::new(folder, &assets, control_plane.kubeconfig())?;

        let (redis, repository) = (free_port()?, free_port()?);
        let mut servers = vec![Server::start(
            folder,
            &find("redis-server")?,
            &words(&format!(
                "--bind 127.0.0.1 --port {redis} --save  --appendonly no"
            )),
        )?];
        let redis = format!("--redis=127.0.0.1:{redis}");
        let arguments = [
            format!(
                "--port={repository} --address=127.0.0.1 --metrics-port={} --metrics-address=127.0.0.1 --disable-tls \
                 --client-ca-path= {redis}",
                free_port()?
            ),
            format!(
                "--namespace={NAMESPACE} --metrics-port={} --repo-server=127.0.0.1:{repository} --repo-server-plaintext \
                 {redis}",
                free_port()?
            ),
            format!(
                "--namespace={NAMESPACE} --metrics-addr=127.0.0.1:{} --probe-addr=127.0.0.1:{} --webhook-addr=127.0.0.1:{} \
                 --argocd-repo-server=127.0.0.1:{repository} --repo-server-plaintext",
                free_port()?,
                free_port()?,
                free_port()?
            ),
        ];
        for (name, arguments) in SERVERS.into_iter().zip(arguments) {
            servers.push(home.start(name, &words(&arguments))?);
        }
        wait_until(&mut servers[1], async || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, repository)).is_ok()
        })
        .await?;
        Ok(Self { _servers: servers })
    }
}

/// Where Argo CD keeps what its image would have in other places.
struct Home {
    folder: PathBuf,
    programs: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Home {
    fn new(folder: &Path, assets: &Path, kubeconfig: &Path) -> Result<Self> {
        let home = folder.join("argocd");
        let programs = home.join("bin");
        for name in ["bin", "gnupg", "tls", "ssh", "gpg", "tmp"] {
            fs::create_dir_all(home.join(name))?;
        }
        // The binary acts by the name it is called by.
        for name in SERVERS {
            symlink(assets.join("argocd"), programs.join(name))?;
        }
        symlink(assets.join("helm"), programs.join("helm"))?;
        let kubectl = assets.join("kubectl");
        // kubectl holds all of kustomize.
        let kustomize = format!("shift; exec {} kustomize \"$@\"", kubectl.display());
        write_script(&programs.join("kustomize"), &kustomize)?;
        write_script(&programs.join("git-verify-wrapper.sh"), "exit 0")?;
        let settings = home.join("kubeconfig");
        fs::write(&settings, in_namespace(kubeconfig)?)?;

        let path = std::env::var("PATH")?;
        let at = |name: &str| home.join(name).display().to_string();
        let environment = vec![
            ("PATH", format!("{}:{path}", programs.display())),
            ("KUBECONFIG", settings.display().to_string()),
            ("HOME", home.display().to_string()),
            ("TMPDIR", at("tmp")),
            ("GNUPGHOME", at("gnupg")),
            ("ARGOCD_TLS_DATA_PATH", at("tls")),
            ("ARGOCD_SSH_DATA_PATH", at("ssh")),
            ("ARGOCD_GPG_DATA_PATH", at("gpg")),
            ("ARGOCD_PLUGINSOCKFILEPATH", at("plugins")),
            ("ARGOCD_GPG_ENABLED", "false".into()),
            ("ARGOCD_FAKE_IN_CLUSTER", "true".into()),
            // On a busy machine it may show an old health until its next look, which is minutes away by default.
            ("ARGOCD_RECONCILIATION_TIMEOUT", "15s".into()),
            ("ARGOCD_RECONCILIATION_JITTER", "0".into()),
            // The pause between waves helps controllers that take a moment to notice. Ours need none.
            ("ARGOCD_SYNC_WAVE_DELAY", "0".into()),
        ];
        Ok(Self {
            folder: folder.into(),
            programs,
            environment,
        })
    }

    fn start(&self, name: &str, arguments: &[String]) -> Result<Server> {
        let binary = self.programs.join(name);
        Server::start_with(&self.folder, &binary, arguments, &self.environment)
    }
}

/// Definitions, then settings, some of which are of the kinds defined.
async fn install(control_plane: &ControlPlane, assets: &Path) -> Result<()> {
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/src/argocd.yaml");
    let definitions = assets.join("argocd-crds.yaml").display().to_string();
    let kubectl = |arguments: &[&str]| succeed(control_plane.kubectl()?.args(arguments));
    kubectl(&["create", "namespace", NAMESPACE])?;
    kubectl(&["apply", "--server-side", "--filename", &definitions])?;
    let known: Api<CustomResourceDefinition> = Api::all(control_plane.client());
    for kind in KINDS {
        let name = format!("{kind}.argoproj.io");
        let established = await_condition(known.clone(), &name, is_crd_established());
        timeout(PATIENCE, established).await??;
    }
    kubectl(&["apply", "--namespace", NAMESPACE, "--filename", settings])
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} fails: {errors}");
    Ok(())
}

/// The same kubeconfig for another namespace, which Argo CD takes for its own.
fn in_namespace(kubeconfig: &Path) -> Result<String> {
    let mut settings: Value = serde_json::from_str(&fs::read_to_string(kubeconfig)?)?;
    settings["contexts"][0]["context"]["namespace"] = json!(NAMESPACE);
    Ok(settings.to_string())
}

fn write_script(path: &Path, body: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\n{body}\n"))?;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o755),
    )?)
}

fn find(program: &str) -> Result<PathBuf> {
    let script = format!("command -v {program}");
    let output = Command::new("sh").args(["-c", &script]).output()?;
    let path = String::from_utf8(output.stdout)?;
    let path = path.lines().next();
    Ok(path
        .with_context(|| format!("there is no {program}"))?
        .into())
}

/// Splits at each space: two in a row have an empty argument between them.
fn words(arguments: &str) -> Vec<String> {
    arguments.split(' ').map(ToOwned::to_owned).collect()
}
