use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Node;
use kube::api::Api;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::arguments::{self, files};
use crate::server::Server;
use crate::{ControlPlane, Network, Options, config, missing, provide, wait_until};

const NODE: &str = "node1";
const PAUSE: &str = "localhost/pause:1";
/// The address of the Service `kubernetes`, where Pods look for the API server.
const SERVICE: &str = "10.0.0.1/32";

/// A control plane with a node that runs Pods. It has a network of its own, without a way out, so
/// any number of clusters get along; the API server is on the machine's loopback, too.
pub struct Cluster {
    // Fields drop in this order: who writes to the folder goes before it.
    node: Server,
    _scheduler: Server,
    control_plane: ControlPlane,
    groups: String,
    _network: oneshot::Sender<()>,
}

struct Parts {
    node: Server,
    scheduler: Server,
    control_plane: ControlPlane,
}

impl Cluster {
    /// Starts a cluster and waits until its node is ready. Controllers run in any case. Fails where
    /// this machine cannot run a node.
    pub async fn start(options: Options) -> Result<Self> {
        let lacking = missing(&["node"])?;
        ensure!(
            lacking.is_empty(),
            "a node needs what this machine lacks: {lacking}"
        );
        // Before the network is isolated: there is no way to a module proxy from inside.
        let assets = provide(&["node"]).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let (started, outcome) = oneshot::channel();
        let (network, ended) = oneshot::channel();
        // Namespaces belong to threads, and what a thread starts inherits them.
        thread::spawn(move || inhabit_network(listener, assets, options, started, ended));
        let Parts {
            node,
            scheduler,
            mut control_plane,
        } = outcome.await.context("the cluster ended early")??;
        control_plane.reach_through(port).await?;
        let groups = group_name(control_plane.folder.path());
        let mut cluster = Self {
            node,
            _scheduler: scheduler,
            control_plane,
            groups,
            _network: network,
        };
        cluster.wait_for_node().await?;
        cluster.load_pause()?;
        Ok(cluster)
    }

    /// Puts an OCI archive that holds one image among the images of the node.
    pub fn load(&self, archive: &Path, name: &str) -> Result<()> {
        let output = Command::new(self.assets().join("ctr"))
            .arg("--address")
            .arg(self.folder().join("containerd.sock"))
            .args(["--namespace=k8s.io", "images", "import", "--local"])
            .arg(format!("--base-name={name}"))
            .arg(archive)
            .output()?;
        ensure!(
            output.status.success(),
            "{} is not loaded: {}",
            archive.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Ends the cluster, as dropping it does, without blocking the runtime.
    pub async fn stop(self) {
        // The only error is a panic in `drop`, which has been reported by then.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    fn folder(&self) -> &Path {
        self.control_plane.folder.path()
    }

    async fn wait_for_node(&mut self) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.control_plane.client());
        wait_until(
            &mut self.node,
            async || matches!(nodes.get_opt(NODE).await, Ok(Some(node)) if is_ready(&node)),
        )
        .await
    }

    fn load_pause(&self) -> Result<()> {
        let archive = pack_pause(self.folder(), self.assets())?;
        self.load(&archive, PAUSE.split(':').next().unwrap_or(PAUSE))
    }
}

impl Deref for Cluster {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.control_plane
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.node.stop();
        // Its processes die at once, but by themselves; the folder can go when the last has.
        let patience = Instant::now() + Duration::from_secs(10);
        let trees = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"];
        let left = || {
            trees
                .iter()
                .any(|it| Path::new(it).join(&self.groups).exists())
        };
        while left() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|it| it.success())
}

fn is_ready(node: &Node) -> bool {
    let conditions = node
        .status
        .iter()
        .flat_map(|it| it.conditions.iter().flatten());
    let ready = conditions
        .filter(|it| it.type_ == "Ready")
        .any(|it| it.status == "True");
    // Taints go a moment later; until then nothing is scheduled.
    ready
        && node
            .spec
            .as_ref()
            .is_none_or(|it| it.taints.as_ref().is_none_or(Vec::is_empty))
}

/// Runs the cluster in a new network, and lets others in through a listener made outside of it.
fn inhabit_network(
    listener: TcpListener,
    assets: PathBuf,
    options: Options,
    started: oneshot::Sender<Result<Parts>>,
    ended: oneshot::Receiver<()>,
) {
    let runtime = enter_network().and_then(|()| {
        Ok(tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?)
    });
    let runtime = match runtime {
        Ok(runtime) => runtime,
        // Nobody waits any more where sending fails.
        Err(error) => return drop(started.send(Err(error))),
    };
    runtime.block_on(async {
        let parts = start_parts(assets, options).await;
        if started.send(parts).is_ok() {
            tokio::select! {
                _ = forward(listener) => {}
                _ = ended => {}
            }
        }
    });
}

#[cfg(target_os = "linux")]
fn enter_network() -> Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)?;
    for arguments in [
        &["link", "set", "lo", "up"][..],
        &["address", "add", SERVICE, "dev", "lo"],
    ] {
        ensure!(
            succeeds("ip", arguments),
            "ip {} fails",
            arguments.join(" ")
        );
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn enter_network() -> Result<()> {
    anyhow::bail!("a node needs Linux")
}

async fn forward(listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let inside = SocketAddr::from((Ipv4Addr::LOCALHOST, Network::Own.port()?));
    loop {
        let (mut outer, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut inner = TcpStream::connect(inside).await?;
            copy_bidirectional(&mut outer, &mut inner).await
        });
    }
}

async fn start_parts(assets: PathBuf, options: Options) -> Result<Parts> {
    let options = Options {
        controllers: true,
        ..options
    };
    let control_plane = ControlPlane::start_in(Network::Own, assets, options).await?;
    let (folder, assets) = (control_plane.folder.path(), control_plane.assets());
    write_configuration(folder, assets)?;
    let scheduler = Server::start(
        folder,
        &assets.join("kube-scheduler"),
        &arguments::scheduler(folder),
    )?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let node = Server::start(
        folder,
        &script,
        &[
            folder.display().to_string(),
            assets.display().to_string(),
            group_name(folder),
        ],
    )?;
    Ok(Parts {
        node,
        scheduler,
        control_plane,
    })
}

/// The control groups are called as the folder is, which nobody else uses.
fn group_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn write_configuration(folder: &Path, assets: &Path) -> Result<()> {
    let network = folder.join("network");
    fs::create_dir(&network)?;
    fs::write(
        network.join("pods.conflist"),
        bridge(&folder.join("addresses")).to_string(),
    )?;
    fs::write(folder.join("kubelet.json"), kubelet(folder).to_string())?;
    let runc = Command::new("sh")
        .args(["-c", "command -v runc"])
        .output()?;
    let runc = String::from_utf8(runc.stdout)?;
    fs::write(
        folder.join("containerd.toml"),
        containerd(folder, assets, runc.trim()),
    )?;
    Ok(())
}

fn bridge(addresses: &Path) -> Value {
    let bridge = json!({
        "type": "bridge",
        "bridge": "pods",
        "isGateway": true,
        "ipam": {
            "type": "host-local",
            "ranges": [[{ "subnet": "10.244.0.0/24" }]],
            "routes": [{ "dst": "0.0.0.0/0" }],
            "dataDir": addresses,
        },
    });
    json!({ "cniVersion": "1.0.0", "name": "pods", "plugins": [bridge] })
}

fn kubelet(folder: &Path) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "10.0.0.1",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": false },
            "x509": { "clientCAFile": folder.join(files::AUTHORITY) },
        },
        "authorization": { "mode": "AlwaysAllow" },
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", group_name(folder)),
        "containerRuntimeEndpoint": format!("unix://{}", folder.join("containerd.sock").display()),
        "enforceNodeAllocatable": [],
        // The disk is the machine's, and may be full of other things.
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%" },
        "imageGCHighThresholdPercent": 100,
        "failCgroupV1": false,
        "failSwapOn": false,
        "makeIPTablesUtilChains": false,
        "oomScoreAdj": 0,
        // Nobody answers to names in this network, which programs find out fastest from somebody.
        "clusterDNS": ["10.0.0.1"],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
    })
}

fn containerd(folder: &Path, assets: &Path, runc: &str) -> String {
    let (folder, assets) = (folder.display(), assets.display());
    format!(
        "version = 3
root = '{folder}/containerd/root'
state = '{folder}/containerd/state'

[grpc]
address = '{folder}/containerd.sock'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{PAUSE}'

[plugins.'io.containerd.cri.v1.runtime']
# Without it, runc asks for more rights than the root of a virtual machine may have.
restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['{assets}']
conf_dir = '{folder}/network'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
runtime_path = '{assets}/containerd-shim-runc-v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '{runc}'
Root = '{folder}/containerd/runc'
SystemdCgroup = false
"
    )
}

/// Packs the program that every Pod needs beside its own.
fn pack_pause(folder: &Path, assets: &Path) -> Result<PathBuf> {
    let archive = folder.join("pause.tar");
    let store = folder.join("pause");
    let buildah = |arguments: &[&str]| {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver=vfs", "--root"]).arg(&store);
        command.arg("--runroot").arg(store.join("run"));
        command.args(arguments).stdout(Stdio::null());
        ensure!(command.status()?.success(), "buildah does not pack pause");
        Ok(())
    };
    let dockerfile = concat!(env!("CARGO_MANIFEST_DIR"), "/pause/Dockerfile");
    let context = folder.join("pause-context");
    fs::create_dir(&context)?;
    fs::copy(assets.join("pause"), context.join("pause"))?;
    let context = context.display().to_string();
    buildah(&[
        "build",
        "--quiet",
        "--isolation=chroot",
        "--tag",
        PAUSE,
        "--file",
        dockerfile,
        &context,
    ])?;
    let target = format!("oci-archive:{}:1", archive.display());
    buildah(&["push", "--quiet", PAUSE, &target])?;
    Ok(archive)
}

impl ControlPlane {
    /// Has everybody reach the API server at this port of the loopback.
    async fn reach_through(&mut self, port: u16) -> Result<()> {
        let mut kubeconfig: Value = serde_json::from_str(&fs::read_to_string(&self.kubeconfig)?)?;
        kubeconfig["clusters"][0]["cluster"]["server"] = json!(format!("https://127.0.0.1:{port}"));
        self.kubeconfig = self.folder.path().join(files::OUTER_KUBECONFIG);
        fs::write(&self.kubeconfig, serde_json::to_string_pretty(&kubeconfig)?)?;
        self.config = config(&self.kubeconfig).await?;
        Ok(())
    }
}
