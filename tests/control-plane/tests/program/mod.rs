//! The program `control-plane` as a process, and what it leaves behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Waits for a condition that has to come true soon.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not after 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process has this folder among its arguments.
pub fn runs_a_process_of(folder: &Path) -> bool {
    let processes = Command::new("ps")
        .args(["-A", "-ww", "-o", "args"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&processes.stdout).contains(folder.to_str().unwrap())
}

/// The program `control-plane`, up to the point where it says how to use it.
pub fn spawn_program(arguments: &[&str]) -> (Child, PathBuf) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let kubeconfig = lines
        .map_while(Result::ok)
        .find_map(|line| {
            line.split_once("KUBECONFIG=")
                .map(|(_, path)| PathBuf::from(path))
        })
        .expect("the program names a kubeconfig");
    (program, kubeconfig.parent().unwrap().into())
}
