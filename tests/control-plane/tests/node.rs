//! A node fetches before it is isolated and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "what a helper cannot do fails the test")]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use aep_control_plane::trials::{needing, run};

use program::{runs_a_process_of, spawn_program, wait_until};

fn main() -> ExitCode {
    run(vec![
        needing(&["node"], all_is_fetched_before_the_network_is_isolated),
        needing(
            &["node"],
            killing_the_owner_of_a_node_leaves_no_container_mount_or_control_group_behind,
        ),
    ])
}

/// Notes in which network it was called, and builds programs that fail.
const GO: &str = r#"#!/bin/sh
readlink /proc/self/ns/net >>"$HOME/networks"
[ "$1" = build ] || exit 0
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\nexit 1\n' >"$2"
chmod +x "$2"
"#;

fn all_is_fetched_before_the_network_is_isolated() {
    let home = tempfile::tempdir().unwrap();
    let go = home.path().join("go");
    fs::write(&go, GO).unwrap();
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .arg("--node")
        .env("PATH", format!("{}:{path}", home.path().display()))
        .env("HOME", home.path())
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .env_remove("KUBEBUILDER_ASSETS")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("a server ended"), "{errors}");
    let ours = fs::read_link("/proc/self/ns/net").unwrap();
    let networks = fs::read_to_string(home.path().join("networks")).unwrap();
    assert!(
        networks.lines().all(|it| Path::new(it) == ours),
        "{networks}"
    );
}

fn killing_the_owner_of_a_node_leaves_no_container_mount_or_control_group_behind() {
    let (mut program, folder) = spawn_program(&["--node"]);
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let in_groups = || {
        let trees = fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
        let mut groups = trees.map(|it| it.path().join(&name));
        groups.any(|it| it.exists()) || Path::new("/sys/fs/cgroup").join(&name).exists()
    };
    assert!(runs_a_process_of(&folder) && in_groups());
    program.kill().unwrap();
    program.wait().unwrap();
    wait_until("the processes are gone", || !runs_a_process_of(&folder));
    wait_until("the folder is gone", || !folder.exists());
    wait_until("the control groups are gone", || !in_groups());
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains(&name), "{mounts}");
}
