//! A cluster with the images, the simulator and the definitions.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use aep_control_plane::{Cluster, Options, assets};
use tokio::runtime::Handle;

use crate::images::images;

/// A cluster with images, simulator and definitions, for a thread that has entered a runtime.
pub fn start(options: Options) -> Cluster {
    let cluster = start_with_simulator(options);
    let definitions = ours("charts/aep-operator-crds");
    done(
        cluster
            .helm()
            .unwrap()
            .args(["install", "aep-operator-crds", "--wait"])
            .arg(definitions),
    );
    cluster
}

/// The same without our definitions.
pub fn start_with_simulator(options: Options) -> Cluster {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // What takes minutes the first time comes before anything that can time out.
    assets(&["node", "kubectl", "helm"]).unwrap();
    let images = images();
    let cluster = Handle::current().block_on(Cluster::start(options));
    let cluster = cluster.unwrap();
    for name in ["aep-operator", "aep-simulator"] {
        let archive = images.join(format!("{name}.tar"));
        cluster
            .load(&archive, &format!("ghcr.io/aep-operator/{name}"))
            .unwrap();
    }
    let simulator = ours("tests/node/simulator.yaml");
    done(
        cluster
            .kubectl()
            .unwrap()
            .args(["apply", "-f"])
            .arg(simulator),
    );
    done(
        cluster
            .kubectl()
            .unwrap()
            .args("rollout status deployment/simulator -n adobe --timeout=3m".split(' ')),
    );
    cluster
}

/// A file of this repository.
pub fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a command prints that has to succeed.
pub fn done(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = run(command);
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {errors}");
    String::from_utf8(stdout).unwrap()
}

/// Runs a command, whatever comes of it.
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// Looks again and again until there is something.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < patience, "{what}: not within two minutes");
        std::thread::sleep(Duration::from_millis(200));
    }
}
