//! The script `assets` finds binaries, makes them, or says what is missing.
#![allow(clippy::unwrap_used, reason = "what a helper cannot do fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Notes that it was called, and builds a file with the note.
const GO: &str = r#"#!/bin/sh
[ "$1" = build ] || exit 0
while [ "$1" != -o ]; do shift; done
echo "$3" | tee -a "$HOME/built" >"$2"
chmod +x "$2"
"#;
const FAILS: &str = "#!/bin/sh\nexit 1\n";

/// A home with an empty cache, and with a Go and a curl of our own.
struct Home(TempDir);

impl Home {
    fn new(go: &str, curl: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        executable(&home.path("bin/go"), go);
        executable(&home.path("bin/curl"), curl);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn assets(&self, names: &[&str]) -> Command {
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets"));
        command
            .args(names)
            .env("PATH", path)
            .env("HOME", self.0.path());
        command
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env_remove("KUBEBUILDER_ASSETS");
        command
    }

    fn built(&self) -> Vec<String> {
        let built = fs::read_to_string(self.path("built")).unwrap_or_default();
        built.lines().map(ToOwned::to_owned).collect()
    }
}

fn executable(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn folder(output: &Output) -> PathBuf {
    assert!(output.status.success(), "{}", complaint(output));
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .trim()
        .into()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_builds_what_it_is_asked_for_once() {
    let home = Home::new(GO, FAILS);
    for _ in 0..2 {
        let folder = folder(&home.assets(&["etcd", "helm"]).output().unwrap());
        assert!(folder.join("etcd").exists() && folder.join("helm").exists());
    }
    assert_eq!(
        home.built(),
        ["go.etcd.io/etcd/server/v3", "helm.sh/helm/v4/cmd/helm"]
    );
}

#[test]
fn several_at_once_build_once() {
    let home = Home::new(GO, FAILS);
    let spawn = |_| home.assets(&["kubectl"]).spawn().unwrap();
    for mut process in (0..5).map(spawn).collect::<Vec<_>>() {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(home.built(), ["k8s.io/kubernetes/cmd/kubectl"]);
}

#[test]
fn it_takes_over_from_a_builder_that_was_killed() {
    let home = Home::new(GO, FAILS);
    let cache = folder(&home.assets(&["etcd"]).output().unwrap());
    fs::create_dir(cache.join(".helm.lock")).unwrap();
    folder(&home.assets(&["helm"]).output().unwrap());
    assert!(cache.join("helm").exists());
}

#[test]
fn it_adds_tools_to_a_named_folder_that_holds_only_servers() {
    let home = Home::new(GO, FAILS);
    let named = home.path("named");
    executable(&named.join("etcd"), "");
    executable(&named.join("kube-apiserver"), "");
    let mut assets = home.assets(&["etcd", "kubectl"]);
    let folder = folder(&assets.env("KUBEBUILDER_ASSETS", &named).output().unwrap());
    assert_eq!(
        fs::read_link(folder.join("etcd")).unwrap(),
        named.join("etcd")
    );
    assert!(folder.join("kubectl").exists());
    assert!(!named.join("kubectl").exists());
}

#[test]
fn it_names_the_servers_that_a_named_folder_lacks() {
    let home = Home::new(GO, FAILS);
    executable(&home.path("named/etcd"), "");
    let mut assets = home.assets(&["etcd", "kube-apiserver"]);
    let output = assets
        .env("KUBEBUILDER_ASSETS", home.path("named"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        complaint(&output).contains("which lacks: kube-apiserver."),
        "{}",
        complaint(&output)
    );
    assert!(home.built().is_empty());
}

#[test]
fn it_refuses_a_download_that_is_not_what_it_should_be() {
    let curl = "#!/bin/sh\nwhile [ \"$1\" != --output ]; do shift; done\necho malicious >\"$2\"\n";
    let output = Home::new(FAILS, curl).assets(&["etcd"]).output().unwrap();
    assert!(!output.status.success());
    assert!(
        complaint(&output).contains("wrong checksum"),
        "{}",
        complaint(&output)
    );
}

#[test]
fn it_says_how_to_get_what_it_cannot() {
    let output = Home::new(FAILS, FAILS).assets(&["etcd"]).output().unwrap();
    assert!(!output.status.success());
    assert!(
        complaint(&output).contains("there is no etcd"),
        "{}",
        complaint(&output)
    );
    assert!(
        complaint(&output).contains("KUBEBUILDER_ASSETS"),
        "{}",
        complaint(&output)
    );
}
