//! `control-plane` runs a Kubernetes API server on loopback until it is told to stop.

use aep_control_plane::{ControlPlane, Options};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a real kube-apiserver and etcd on loopback until Ctrl-C or SIGTERM, then removes all traces
#[derive(Parser)]
struct Arguments {
    /// Also run kube-controller-manager: garbage collection, namespaces, service accounts, Deployments
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
    println!(
        "Kubernetes API server at {}",
        control_plane.config().cluster_url
    );
    if let Some(log) = control_plane.audit_log() {
        println!("Audit log in {}", log.display());
    }
    println!(
        "To use it:\n\n  export KUBECONFIG={}\n",
        control_plane.kubeconfig().display()
    );
    println!("Ctrl-C stops it.");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    control_plane.stop().await;
    Ok(())
}
