//! The operator's own binary, as a process that a kill ends without notice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aep_operator::engine::Settings;
use serde_json::json;

/// A running operator; dropping it kills it.
pub struct Operator(Child);

impl Operator {
    /// Starts it with everything behind one URL: Kubernetes, Adobe's identity service, and the platform.
    pub fn start(settings: &Settings, url: &str, folder: &Folder) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.log())
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_aep-operator"))
            .arg("run")
            .args(["--watch-namespaces", &settings.namespaces.join(",")])
            .args(["--ims-endpoint", url, "--platform-endpoint", url])
            .args([
                "--list-lag-seconds",
                &settings.list_lag.as_secs().to_string(),
                "--request-timeout-seconds",
                &settings.request_timeout.as_secs().to_string(),
            ])
            .env("KUBECONFIG", folder.kubeconfig(url))
            .env("RUST_LOG", "aep_operator=debug,warn")
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // An error only says that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where the operators of one namespace find their kubeconfig and leave their log. It stays where a test failed.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder.
    pub fn new(namespace: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(namespace);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// What the operators said.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    fn kubeconfig(&self, url: &str) -> PathBuf {
        let path = self.0.join("kubeconfig");
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "proxy", "cluster": { "server": url } }],
            "users": [{ "name": "nobody", "user": {} }],
            "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "nobody" } }],
            "current-context": "proxy",
        });
        fs::write(&path, kubeconfig.to_string()).unwrap();
        path
    }

    /// Removes it.
    pub fn remove(self) {
        fs::remove_dir_all(self.0).unwrap();
    }
}
