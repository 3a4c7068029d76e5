//! The operator as a process of its own, one of several.

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aep_control_plane::ControlPlane;
use aep_test_kit::{PATIENCE, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// The name of every test's lease, in its own namespace.
pub const LEASE: &str = "operator";

/// One replica. It is killed when this value is dropped.
pub struct Replica {
    process: Child,
    relay: Relay,
}

impl Replica {
    /// Starts one in a Pod of that name.
    pub async fn start(world: &World, pod: &str, lease_seconds: u16) -> Self {
        let kubeconfig = ControlPlane::shared().await.kubeconfig();
        Self::watching(kubeconfig, &world.namespace, world, pod, lease_seconds).await
    }

    /// The same in another cluster, and with other namespaces, separated by commas. The lease is that of the world.
    pub async fn watching(
        kubeconfig: &Path,
        namespaces: &str,
        world: &World,
        pod: &str,
        lease_seconds: u16,
    ) -> Self {
        let relay = Relay::start(world.simulator.url()).await;
        let process = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
            .arg("run")
            .args(["--watch-namespaces", namespaces, "--pod-name", pod])
            .args([
                "--ims-endpoint",
                &relay.url,
                "--platform-endpoint",
                &relay.url,
            ])
            .args(["--list-lag-seconds", "1", "--request-timeout-seconds", "5"])
            .args([
                "--lease",
                LEASE,
                "--lease-namespace",
                &world.namespace,
                "--lease-seconds",
                &lease_seconds.to_string(),
            ])
            .env("KUBECONFIG", kubeconfig)
            .env("RUST_LOG", "warn")
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { process, relay }
    }

    /// Sends a signal, by name.
    pub async fn signal(&self, name: &str) {
        let id = self.process.id().expect("it runs").to_string();
        let mut kill = Command::new("kill");
        let sent = kill.args(["-s", name, &id]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Bytes sent to Adobe so far.
    pub fn sent(&self) -> u64 {
        self.relay.sent.load(Ordering::Relaxed)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended; gives what it said and the bytes sent to Adobe by then.
    pub async fn ended(self) -> (Output, u64) {
        let output = tokio::time::timeout(PATIENCE, self.process.wait_with_output());
        let output = output.await.expect("it ends by itself").unwrap();
        (output, self.relay.sent.load(Ordering::Relaxed))
    }
}

/// Stands between one replica and Adobe, and counts what the replica sends.
struct Relay {
    url: String,
    sent: Arc<AtomicU64>,
}

impl Relay {
    async fn start(url: &str) -> Self {
        let adobe = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(AtomicU64::new(0));
        let count = sent.clone();
        tokio::spawn(async move {
            while let Ok((replica, _)) = listener.accept().await {
                let adobe = TcpStream::connect(&adobe).await.unwrap();
                tokio::spawn(relay(replica, adobe, count.clone()));
            }
        });
        Self { url, sent }
    }
}

async fn relay(replica: TcpStream, adobe: TcpStream, sent: Arc<AtomicU64>) {
    let (mut questions, mut back) = replica.into_split();
    let (mut answers, mut forth) = adobe.into_split();
    let forth = async move {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = questions.read(&mut buffer).await {
            sent.fetch_add(read as u64, Ordering::Relaxed);
            if forth.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    let back = async move { drop(copy(&mut answers, &mut back).await) };
    tokio::join!(forth, back);
}
