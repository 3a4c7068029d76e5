//! The documentation's commands, run as a reader would.

use std::process::Stdio;

use aep_control_plane::{ControlPlane, assets};
use tokio::process::Command;

use crate::kubectl::texts;
use crate::{ROOT, path};

/// The text of a file of the repository.
pub fn text(page: &str) -> String {
    std::fs::read_to_string(path(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The shell commands of a page, in their order.
pub fn commands(page: &str) -> String {
    let text = text(page);
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let commands = blocks.collect::<Vec<_>>().join("\n");
    assert!(!commands.is_empty(), "{page}");
    commands
}

/// Runs commands, which must succeed, as somebody who has these tools, this repository and credentials; gives what they
/// print.
pub async fn follow(cluster: &ControlPlane, tools: &[&str], script: &str) -> String {
    let path = assets(tools).unwrap();
    let path = format!("{}:{}", path.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .env("PATH", path)
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("DEMO_KUBECONFIG", cluster.kubeconfig())
        .env("CLIENT_ID", "aep-operator-demo")
        .env("CLIENT_SECRET", "demo-secret")
        .env("PAYPAL_ID", "paypal-id")
        .env("PAYPAL_SECRET", "paypal-secret")
        .current_dir(ROOT)
        .stdin(Stdio::null())
        .output();
    let output = output.await.unwrap();
    let (printed, errors) = texts(&output);
    assert!(output.status.success(), "{script}\n{printed}{errors}");
    printed
}
