//! `control-plane` runs a Kubernetes API server on loopback until it is told to stop, with a node if asked to.

use std::ops::Deref;
use std::path::PathBuf;

use aep_control_plane::{Cluster, ControlPlane, Options, assets};
use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a real kube-apiserver and etcd on loopback until Ctrl-C or SIGTERM, then removes all traces
#[derive(Parser)]
struct Arguments {
    /// Also run kube-controller-manager: garbage collection, namespaces, service accounts,
    /// Deployments
    #[arg(long)]
    controllers: bool,
    /// Record who requests what
    #[arg(long)]
    audit_log: bool,
    /// Also run a node, with scheduler, kubelet and containerd, so that Pods really run. Needs Linux
    /// and root
    #[arg(long)]
    node: bool,
    /// An OCI archive for the node, NAME=FILE; may be given several times
    #[arg(long, requires = "node", value_parser = image)]
    image: Vec<(String, PathBuf)>,
}

enum Running {
    ControlPlane(ControlPlane),
    Cluster(Cluster),
}

impl Running {
    async fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        let options = Options {
            audit_log: arguments.audit_log,
            controllers: arguments.controllers,
        };
        if !arguments.node {
            return Ok(Self::ControlPlane(ControlPlane::start(options).await?));
        }
        // For those who have none of their own.
        tokio::task::spawn_blocking(|| assets(&["kubectl", "helm"])).await??;
        let cluster = Cluster::start(options).await?;
        for (name, archive) in &arguments.image {
            cluster.load(archive, name)?;
        }
        Ok(Self::Cluster(cluster))
    }

    async fn stop(self) {
        match self {
            Self::ControlPlane(it) => it.stop().await,
            Self::Cluster(it) => it.stop().await,
        }
    }
}

impl Deref for Running {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::ControlPlane(it) => it,
            Self::Cluster(it) => it,
        }
    }
}

fn image(text: &str) -> anyhow::Result<(String, PathBuf)> {
    let (name, file) = text.split_once('=').context("not NAME=FILE")?;
    Ok((name.to_owned(), file.into()))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let running = tokio::select! {
        started = Running::start(&arguments) => started?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    // In one piece: whoever reads it may go once the path is there.
    print!("{}", how_to_use(&running, &arguments));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}

/// What to do with a node, from the root of the repository.
const NEXT: &str = include_str!("../../node/next.txt");

fn how_to_use(control_plane: &ControlPlane, arguments: &Arguments) -> String {
    let audit_log = control_plane
        .audit_log()
        .map(|log| format!("Audit log: {}\n", log.display()));
    let next = arguments.node.then(|| {
        let tools = control_plane.assets().display();
        format!("  export PATH={tools}:$PATH\n\n{NEXT}")
    });
    format!(
        "Kubernetes API server: {}\n{}To use it:\n\n  export KUBECONFIG={}\n{}\nCtrl-C stops it.\n",
        control_plane.config().cluster_url,
        audit_log.unwrap_or_default(),
        control_plane.kubeconfig().display(),
        next.unwrap_or_default(),
    )
}
