//! kubectl, as people run it.

use std::process::{Output, Stdio};

use aep_control_plane::ControlPlane;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::{ROOT, World};

/// Runs kubectl in the world's namespace, with this on its standard input.
pub async fn kubectl(world: &World, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::from(ControlPlane::shared().await.kubectl().unwrap());
    command
        .args(["--namespace", &world.namespace])
        .args(arguments)
        .current_dir(ROOT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that does not read its input may have ended already.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

/// Runs kubectl, which must succeed; gives what it prints.
pub async fn done(world: &World, arguments: &[&str], input: &str) -> String {
    let output = kubectl(world, arguments, input).await;
    let (printed, errors) = texts(&output);
    assert!(output.status.success(), "{arguments:?}: {errors}{printed}");
    printed
}

/// What a command printed on standard output and on standard error.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Objects as one text that kubectl reads.
pub fn manifest(objects: &[Value]) -> String {
    let texts = objects.iter().map(ToString::to_string);
    texts.collect::<Vec<_>>().join("\n---\n")
}
