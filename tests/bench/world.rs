//! One row's world: a namespace, a simulator and the operator as a process of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aep_control_plane::ControlPlane;
use aep_operator::api;
use aep_simulator::{Options, Simulator};
use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams,
};
use kube::core::GroupVersionKind;
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::copies::copies;

/// The default limits of a `Sandbox`.
pub const REQUESTS_PER_SECOND: u32 = 20;
/// The default burst of a `Sandbox`.
pub const BURST: u32 = 40;

const PATIENCE: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(20);

/// See the module.
pub struct World {
    client: Client,
    namespace: String,
    simulator: Simulator,
    operator: Child,
}

impl World {
    /// Starts everything.
    pub async fn new(latency: Duration) -> Result<Self> {
        let control_plane = ControlPlane::shared().await;
        let client = control_plane.client();
        install(&client).await?;
        let metadata = ObjectMeta {
            generate_name: Some("bench-".into()),
            ..ObjectMeta::default()
        };
        let namespace = Namespace {
            metadata,
            ..Namespace::default()
        };
        let namespace = Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await?
            .name_any();
        let simulator = Simulator::start(Options {
            latency,
            ..Options::default()
        })
        .await?;
        let operator = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
            .args([
                "run",
                "--watch-namespaces",
                &namespace,
                "--ims-endpoint",
                simulator.url(),
                "--platform-endpoint",
                simulator.url(),
            ])
            .env("KUBECONFIG", control_plane.kubeconfig())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self {
            client,
            namespace,
            simulator,
            operator,
        })
    }

    /// Applies that many pipelines and waits until all are Ready; gives the time.
    pub async fn build(&self, pipelines: usize) -> Result<Duration> {
        let objects = objects(pipelines)?;
        let started = Instant::now();
        let applies = objects.iter().map(|object| self.apply(object));
        futures::future::try_join_all(applies).await?;
        let flows = self.api("Dataflow");
        loop {
            let all = flows.list(&ListParams::default()).await?;
            let ready = all.iter().filter(|flow| is_ready(flow)).count();
            if ready == pipelines {
                return Ok(started.elapsed());
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "only {ready} of {pipelines} pipelines became Ready"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// How many calls went to which route.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.simulator.calls() {
            *counts
                .entry(format!("{} {}", call.method, call.route))
                .or_default() += 1;
        }
        counts
    }

    /// CPU seconds and peak MiB of the operator.
    pub fn cost(&self) -> Result<(f64, f64)> {
        super::process::cost(self.operator.id())
    }

    async fn apply(&self, object: &Value) -> Result<()> {
        let (kind, name) = (
            object["kind"].as_str().unwrap_or_default(),
            object["metadata"]["name"].as_str().unwrap_or_default(),
        );
        self.api(kind)
            .patch(
                name,
                &PatchParams::apply("bench").force(),
                &Patch::Apply(object),
            )
            .await?;
        Ok(())
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        let gvk = match kind {
            "Secret" => GroupVersionKind::gvk("", "v1", kind),
            _ => GroupVersionKind::gvk(api::GROUP, api::VERSION, kind),
        };
        Api::namespaced_with(
            self.client.clone(),
            &self.namespace,
            &ApiResource::from_gvk(&gvk),
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.operator.kill();
        let _ = self.operator.wait();
    }
}

fn is_ready(flow: &DynamicObject) -> bool {
    let conditions = flow.data["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|c| c["type"] == "Ready" && c["status"] == "True")
    })
}

async fn install(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        let name = crd.name_any();
        definitions
            .patch(
                &name,
                &PatchParams::apply("bench").force(),
                &Patch::Apply(&crd),
            )
            .await?;
        await_condition(definitions.clone(), &name, conditions::is_crd_established()).await?;
    }
    Ok(())
}

/// The payments sample that many times.
fn objects(pipelines: usize) -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/samples/payments");
    let mut sample = Vec::new();
    for entry in fs::read_dir(folder)? {
        for mut object in serde_saphyr::from_multiple::<Value>(&fs::read_to_string(entry?.path())?)?
        {
            if object["metadata"]["name"] == "adobe-io" {
                object["stringData"] =
                    json!({ "clientId": "aep-operator-demo", "clientSecret": "demo-secret" });
            }
            sample.push(object);
        }
    }
    Ok(copies(&sample, pipelines))
}
