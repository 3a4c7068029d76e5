//! The whole product in one command: a control plane, Adobe's APIs in a box, the operator, and the payments pipeline.
//!
//! On a terminal it shows a live table and stays until Ctrl-C; elsewhere it prints plain lines, cleans up and exits 0
//! only if everything became Ready. `DEMO_KUBECONFIG` names a cluster to use instead of starting one.

mod cluster;
mod progress;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use aep_operator::adobe::Endpoints;
use aep_operator::engine::Settings;
use aep_operator::operator;
use aep_simulator::{Options, Simulator};
use anyhow::{Result, ensure};
use tokio_util::sync::CancellationToken;

use cluster::Cluster;
use progress::Progress;

const LATENCY: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider is installed already"))?;
    println!("starting control plane, simulator and operator");
    let started = Instant::now();
    let cluster = Cluster::connect().await?;
    let simulator = Simulator::start(Options {
        latency: LATENCY,
        ..Options::default()
    })
    .await?;
    let stop = CancellationToken::new();
    let url = simulator.url().to_owned();
    let settings = Settings {
        namespaces: vec![cluster.namespace.clone()],
        endpoints: Endpoints {
            ims: url.clone(),
            platform: url,
        },
        ..Settings::default()
    };
    let operator = tokio::spawn(operator::operate(
        cluster.client.clone(),
        settings,
        stop.clone(),
    ));
    println!(
        "control plane, simulator ({LATENCY:?} latency) and operator run after {:.1?}",
        started.elapsed()
    );

    let terminal = std::io::stdout().is_terminal();
    let applied = Instant::now();
    cluster.apply("payments").await?;
    let ready = Progress::new(&cluster, terminal).watch(PATIENCE).await?;
    println!(
        "\n{} after {:.1?}",
        if ready {
            "everything is Ready"
        } else {
            "not everything became Ready"
        },
        applied.elapsed()
    );
    show_adobe(&simulator);
    println!("\nlook around: {}", cluster.hint());
    if terminal {
        println!("Ctrl-C ends it");
        tokio::signal::ctrl_c().await?;
    }
    cluster.clean_up(PATIENCE).await?;
    stop.cancel();
    operator.abort();
    let left = simulator.object_count("prod");
    ensure!(
        left == 0,
        "{left} objects are left at Adobe after the deletion"
    );
    println!("deleted again: nothing is left at Adobe");
    ensure!(ready, "not everything became Ready");
    Ok(())
}

/// What now exists at Adobe's side, and what it cost.
fn show_adobe(simulator: &Simulator) {
    println!("\nat Adobe:");
    for (service, collection) in [
        ("Schema Registry", "fieldgroups"),
        ("Schema Registry", "schemas"),
        ("Catalog", "dataSets"),
        ("Data Prep", "mappingSets"),
        ("Flow Service", "connections"),
        ("Flow Service", "sourceConnections"),
        ("Flow Service", "targetConnections"),
        ("Flow Service", "flows"),
    ] {
        for object in simulator.objects("prod", collection) {
            let id = ["id", "$id"]
                .iter()
                .find_map(|key| object[*key].as_str())
                .unwrap_or("?");
            let name = ["name", "title"]
                .iter()
                .find_map(|key| object[*key].as_str())
                .unwrap_or("");
            println!("  {service:<16} {collection:<18} {id:<70} {name}");
        }
    }
    println!("  {} calls in all", simulator.calls().len());
}
