//! What one row measures: the operator as a process of its own, in a namespace and with a simulator of its own.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aep_control_plane::ControlPlane;
use aep_simulator::Options;
use aep_test_kit::{World, condition, copies, sample};
use anyhow::{Result, ensure};
use kube::api::ListParams;
use serde_json::Value;

use crate::process;

/// The default limits of a `Sandbox`.
pub const REQUESTS_PER_SECOND: u32 = 20;
/// The default burst of a `Sandbox`.
pub const BURST: u32 = 40;

const PATIENCE: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(20);

/// See the module.
pub struct Subject {
    world: World,
    operator: Child,
}

impl Subject {
    /// Starts everything.
    pub async fn start(latency: Duration) -> Result<Self> {
        let options = Options {
            latency,
            ..Options::default()
        };
        let world = World::unattended(options).await;
        let url = world.simulator.url();
        let operator = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
            .args(["run", "--watch-namespaces", &world.namespace])
            .args(["--ims-endpoint", url, "--platform-endpoint", url])
            .env("KUBECONFIG", ControlPlane::shared().await.kubeconfig())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self { world, operator })
    }

    /// Applies that many pipelines and waits until all are Ready; gives the time.
    pub async fn build(&self, pipelines: usize) -> Result<Duration> {
        let objects = copies(&sample("payments"), pipelines);
        let started = Instant::now();
        let applies = objects.iter().map(|object| self.world.apply(object));
        futures::future::try_join_all(applies).await?;
        while self.ready().await? < pipelines {
            ensure!(
                started.elapsed() < PATIENCE,
                "not all of {pipelines} pipelines became Ready"
            );
            tokio::time::sleep(POLL).await;
        }
        Ok(started.elapsed())
    }

    /// How many pipelines are Ready.
    async fn ready(&self) -> Result<usize> {
        let flows = self.world.api("Dataflow");
        let flows = flows.list(&ListParams::default()).await?;
        let is_ready = |flow: &&Value| condition(flow, "Ready")["status"] == "True";
        Ok(flows.iter().map(|flow| &flow.data).filter(is_ready).count())
    }

    /// How many calls went to which route.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.world.simulator.calls() {
            let route = format!("{} {}", call.method, call.route);
            *counts.entry(route).or_default() += 1;
        }
        counts
    }

    /// CPU seconds and peak MiB of the operator.
    pub fn cost(&self) -> Result<(f64, f64)> {
        process::cost(self.operator.id())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // An error only says that it has ended already.
        let _ = self.operator.kill();
        let _ = self.operator.wait();
    }
}
