//! A world whose operator is a process behind our proxy, and what must be true in it in the end.

use std::time::Duration;

use aep_control_plane::ControlPlane;
use aep_simulator::Options;
use aep_test_kit::cluster::client;
use aep_test_kit::{World, sample};
use serde_json::Value;

use super::cluster;
use super::process::{Folder, Operator};
use super::proxy::Proxy;

/// How long the operator asks for nothing when it has nothing left to do.
const SILENCE: Duration = Duration::from_millis(500);

/// By how much the operator overestimates how far listings lag behind.
const MARGIN: Duration = Duration::from_secs(1);

/// How long the operator waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// See the module.
pub struct Scenario {
    pub world: World,
    pub proxy: Proxy,
    pub objects: Vec<Value>,
    pub folder: Folder,
}

impl Scenario {
    /// An empty namespace and an empty Adobe whose listings lag behind; no operator yet.
    pub async fn new(list_lag: Duration) -> Self {
        let world = lagging(list_lag).await;
        let control_plane = ControlPlane::shared().await;
        let proxy = Proxy::start(control_plane, world.simulator.url()).await;
        let folder = Folder::new(&world.namespace);
        Self {
            world,
            proxy,
            objects: sample("payments"),
            folder,
        }
    }

    /// Starts an operator, in place of one that was killed.
    pub fn start_operator(&self) {
        // What an earlier operator asked for says nothing about this one.
        self.world.simulator.clear_calls();
        let settings = &self.world.settings;
        self.proxy
            .supervise(|url| Operator::start(settings, url, &self.folder));
    }

    /// Waits until everything is Ready and the operator has nothing left to do.
    pub async fn settled(&self) {
        self.world.all_ready(&self.objects).await;
        let simulator = &self.world.simulator;
        let listed = || async { must(simulator.count("GET", "/flows") > 0, &"no list of flows") };
        self.world
            .eventually("this operator to list what Adobe holds", listed)
            .await;
        self.silent().await;
        // An operator that is dead now may have written that it was Ready.
        self.world.all_ready(&self.objects).await;
    }

    /// Waits until every custom resource is gone and the operator has nothing left to do.
    pub async fn gone(&self) {
        cluster::gone(&self.world, &self.objects).await;
        self.silent().await;
    }

    async fn silent(&self) {
        let silent = || async { must(self.proxy.silence() >= SILENCE, &self.proxy.last_request()) };
        self.world
            .eventually("the operator to fall silent", silent)
            .await;
    }
}

/// A world whose listings lag behind for less than its operator takes into account; no operator yet.
pub async fn lagging(list_lag: Duration) -> World {
    let options = Options {
        list_lag,
        ..Options::default()
    };
    let mut world = World::on(client().await, options).await;
    world.settings.list_lag = list_lag + MARGIN;
    world.settings.request_timeout = PATIENCE;
    world
}

/// What `eventually` asks of a condition: nothing if it holds, else what was seen.
pub fn must(holds: bool, seen: &impl ToString) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| seen.to_string())
}
