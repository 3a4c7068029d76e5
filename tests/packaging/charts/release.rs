//! A release of the operator's chart, and the process that a Pod of it would run.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use aep_control_plane::{ControlPlane, Options};
use aep_test_kit::World;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use super::generated::charts;

/// How to run Helm: [`ControlPlane::helm`] or [`ControlPlane::helm3`].
pub type Helm = fn(&ControlPlane) -> anyhow::Result<std::process::Command>;

/// Both that people use.
pub const HELMS: [Helm; 2] = [ControlPlane::helm, ControlPlane::helm3];

/// One for all tests, with what keeps Deployments, and the chart of the definitions installed.
pub async fn cluster() -> &'static ControlPlane {
    static CLUSTER: OnceCell<ControlPlane> = OnceCell::const_new();
    let options = Options {
        audit_log: true,
        controllers: true,
    };
    CLUSTER
        .get_or_init(|| async {
            let cluster = aep_test_kit::cluster::start(options).await;
            install_definitions(&cluster).await;
            cluster
        })
        .await
}

/// Installs the chart of the definitions, or brings it back.
pub async fn install_definitions(cluster: &ControlPlane) {
    let chart = charts("aep-operator-crds");
    let arguments = ["upgrade", "--install", "aep-operator-crds", "--wait"];
    let place = ["--namespace", "default", chart.to_str().unwrap()];
    let arguments = [&arguments[..], &place].concat();
    succeeded(&run(cluster.helm().unwrap(), &arguments, "").await);
}

/// A world without an operator, on the cluster of these tests.
pub async fn world() -> World {
    let client = cluster().await.client();
    World::on(client, aep_simulator::Options::default()).await
}

/// Runs a command with a text as its input.
pub async fn run(command: std::process::Command, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::from(command);
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes())
        .await
        .unwrap();
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

/// What a command that must succeed has printed.
pub fn succeeded(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A release of the chart `aep-operator` called `aep`, in a world's namespace.
pub struct Release {
    pub namespace: String,
    pub name: &'static str,
    /// What it is installed with.
    pub tool: Helm,
    /// Where its values are kept.
    folder: PathBuf,
    values: Value,
}

impl Release {
    /// Values for a release that works with the world's simulator; nothing is installed yet.
    pub fn new(world: &World) -> Self {
        Self::with_adobe_of(world, world)
    }

    /// The same with the simulator of another world.
    pub fn with_adobe_of(other: &World, world: &World) -> Self {
        let [metrics, health] = [free_port(), free_port()];
        let url = other.simulator.url();
        let endpoints = json!({ "ims": url, "platform": url, "allowed": [url] });
        let values = json!({
            "bindAddress": "127.0.0.1",
            "metrics": { "port": metrics },
            "health": { "port": health },
            "aep": { "endpoints": endpoints, "listLagSeconds": 1, "requestTimeoutSeconds": 5, "resyncPeriodSeconds": 1 },
        });
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{health}", world.namespace));
        fs::create_dir_all(&folder).unwrap();
        Self {
            namespace: world.namespace.clone(),
            name: "aep",
            tool: ControlPlane::helm,
            folder,
            values,
        }
    }

    /// Gives a value; the key may name a group's member, as in `log.level`.
    pub fn set(&mut self, key: &str, value: Value) {
        let mut place = &mut self.values;
        for part in key.split('.') {
            place = &mut place[part];
        }
        *place = value;
    }

    /// Runs Helm with this release's name, chart and values.
    pub async fn helm(&self, action: &str, more: &[&str]) -> Output {
        let values = self.folder.join("values.json");
        fs::write(&values, self.values.to_string()).unwrap();
        let chart = charts("aep-operator");
        let (chart, values) = (chart.to_str().unwrap(), values.to_str().unwrap());
        let given = [action, self.name, chart, "--values", values];
        self.helm_with(&[&given[..], more].concat()).await
    }

    /// Runs Helm in this release's namespace.
    pub async fn helm_with(&self, arguments: &[&str]) -> Output {
        let place = ["--namespace", &self.namespace];
        let helm = (self.tool)(cluster().await).unwrap();
        run(helm, &[arguments, &place].concat(), "").await
    }

    /// The Deployment, once it is there.
    pub async fn deployment(&self, world: &World) -> Deployment {
        let api: Api<Deployment> = Api::namespaced(world.client.clone(), &self.namespace);
        let mine = format!("app.kubernetes.io/instance={}", self.name);
        let params = ListParams::default().labels(&mine);
        world
            .eventually("the Deployment", || async {
                let found = api.list(&params).await.unwrap().items;
                found.into_iter().next().ok_or_else(String::new)
            })
            .await
    }

    /// What a container of this release runs, as the `ServiceAccount` of its Pod: `run`, or the test's `check`.
    pub async fn command(&self, pod: &Value) -> Command {
        container(cluster().await, &self.namespace, pod).await
    }

    /// Starts what the release's Pod would run. Dropping it kills it.
    pub async fn start(&self, world: &World) -> Child {
        let deployment = serde_json::to_value(self.deployment(world).await.spec).unwrap();
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = self.command(&deployment["template"]["spec"]).await;
        command.stderr(log).stdout(Stdio::null()).spawn().unwrap()
    }
}

/// What the only container of a Pod runs, as the Pod's `ServiceAccount`.
pub async fn container(cluster: &ControlPlane, namespace: &str, pod: &Value) -> Command {
    let account = pod["serviceAccountName"].as_str().unwrap();
    let kubeconfig = cluster.service_account_kubeconfig(namespace, account);
    let container = &pod["containers"][0];
    let texts = container["args"].as_array().unwrap().iter();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aep-operator"));
    command.args(texts.map(|text| text.as_str().unwrap()));
    command
        .env_clear()
        .env("KUBECONFIG", kubeconfig.await.unwrap());
    for variable in container["env"].as_array().unwrap() {
        let field = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
        let value = match field {
            None => variable["value"].as_str().unwrap(),
            Some("metadata.name") => "the-pod",
            Some("metadata.namespace") => namespace,
            Some(other) => panic!("the kubelet would fill in {other}"),
        };
        command.env(variable["name"].as_str().unwrap(), value);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl Drop for Release {
    fn drop(&mut self) {
        // What a failed test leaves is for people to read.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Names and versions of all Deployments, accounts, roles and bindings in a namespace.
pub async fn parts(client: &Client, namespace: &str) -> Vec<String> {
    use k8s_openapi::api::{core::v1::ServiceAccount, rbac::v1::Role, rbac::v1::RoleBinding};
    let all = ListParams::default().labels("app.kubernetes.io/instance=aep");
    let mut parts = Vec::new();
    macro_rules! list {
        ($($kind:ty),*) => { $(
            let api: Api<$kind> = Api::namespaced(client.clone(), namespace);
            for object in api.list(&all).await.unwrap() {
                parts.push(format!("{}/{} {:?}", stringify!($kind), object.name_any(), object.metadata.uid));
            }
        )* };
    }
    list!(Deployment, ServiceAccount, Role, RoleBinding);
    parts
}
