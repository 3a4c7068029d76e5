//! Replicas of the operator that compete for a lease and are killed again and again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aep_control_plane::ControlPlane;
use aep_test_kit::World;
use rand::Rng;
use rand::rngs::StdRng;

/// How many compete.
const REPLICAS: usize = 2;

/// After how many seconds the others take over from one that was killed: short, so that one of them leads most of the time.
const LEASE_SECONDS: &str = "4";

/// Seconds between two kills.
const KILL_INTERVAL: std::ops::Range<f64> = 3.0..10.0;

/// See the module.
pub struct Replicas {
    namespace: String,
    adobe: String,
    kubeconfig: PathBuf,
    folder: PathBuf,
    running: Mutex<Vec<Process>>,
    killed: AtomicUsize,
    ended: AtomicUsize,
}

/// Dropping it kills it, as SIGKILL does.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // An error only says that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Replicas {
    /// Starts all of them.
    pub async fn start(world: &World) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&world.namespace);
        fs::create_dir_all(&folder).unwrap();
        let replicas = Self {
            namespace: world.namespace.clone(),
            adobe: world.simulator.url().to_owned(),
            kubeconfig: ControlPlane::shared().await.kubeconfig().to_owned(),
            folder,
            running: Mutex::default(),
            killed: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        };
        let all = (0..REPLICAS).map(|number| replicas.one(number));
        *replicas.running.lock().unwrap() = all.collect();
        replicas
    }

    /// Kills one after another, and starts another in its place.
    pub async fn kill_at_random(&self, rng: &mut StdRng) {
        loop {
            let interval = rng.random_range(KILL_INTERVAL);
            tokio::time::sleep(Duration::from_secs_f64(interval)).await;
            let number = rng.random_range(0..REPLICAS);
            let mut running = self.running.lock().unwrap();
            running[number] = self.one(number);
            self.killed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Starts those again that have ended by themselves, as Kubernetes does: a leader that could not renew its lease ends.
    pub async fn restart_ended(&self) {
        loop {
            for (number, process) in self.running.lock().unwrap().iter_mut().enumerate() {
                if process.0.try_wait().unwrap().is_some() {
                    *process = self.one(number);
                    self.ended.fetch_add(1, Ordering::Relaxed);
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How many ended by themselves.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    /// How many were killed.
    pub fn killed(&self) -> usize {
        self.killed.load(Ordering::Relaxed)
    }

    /// Where their logs are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends all of them and removes their logs.
    pub fn end(self) {
        drop(self.running);
        fs::remove_dir_all(self.folder).unwrap();
    }

    fn one(&self, number: usize) -> Process {
        let pod = format!("replica-{number}");
        let mut log = File::options();
        let log = log.create(true).append(true).open(self.folder.join(&pod));
        let mut command = Command::new(env!("CARGO_BIN_EXE_aep-operator"));
        command
            .args([
                "run",
                "--watch-namespaces",
                &self.namespace,
                "--pod-name",
                &pod,
            ])
            .args(["--ims-endpoint", &self.adobe])
            .args(["--platform-endpoint", &self.adobe])
            .args(["--list-lag-seconds", "2", "--request-timeout-seconds", "3"])
            .args(["--resync-period-seconds", "10"])
            .args(["--lease", "operator", "--lease-seconds", LEASE_SECONDS])
            .env("KUBECONFIG", &self.kubeconfig)
            .env("RUST_LOG", "aep_operator=debug,warn")
            .stdin(Stdio::null())
            .stderr(log.unwrap());
        Process(command.spawn().unwrap())
    }
}
