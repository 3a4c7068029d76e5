//! `control-plane` runs a Kubernetes API server on loopback until it is told to stop.

use aep_control_plane::{ControlPlane, Options};
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
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments {
        controllers,
        audit_log,
    } = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let control_plane = tokio::select! {
        started = ControlPlane::start(Options { audit_log, controllers }) => started?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    // In one piece: whoever reads it may go once the path is there.
    print!("{}", how_to_use(&control_plane));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    control_plane.stop().await;
    Ok(())
}

fn how_to_use(control_plane: &ControlPlane) -> String {
    let audit_log = control_plane
        .audit_log()
        .map(|log| format!("Audit log: {}\n", log.display()));
    format!(
        "Kubernetes API server: {}\n{}To use it:\n\n  export KUBECONFIG={}\n\nCtrl-C stops it.\n",
        control_plane.config().cluster_url,
        audit_log.unwrap_or_default(),
        control_plane.kubeconfig().display(),
    )
}
