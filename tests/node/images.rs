//! Images are small, the same for the same commit, and know whom to trust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// Where the images of this build are, after having been packed once.
pub fn images() -> &'static Path {
    static IMAGES: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("images");
        pack(&folder, &[]);
        folder
    });
    &IMAGES
}

/// Runs the script that packs the images and returns what it prints: name, id and size of each.
fn pack(folder: &Path, variables: &[(&str, &Path)]) -> String {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/image"));
    // What cargo tells a test would make it build everything anew.
    let of_cargo = |name: &String| name.starts_with("CARGO") && name != "CARGO_HOME";
    for name in std::env::vars().map(|(name, _)| name).filter(of_cargo) {
        command.env_remove(name);
    }
    let output = command
        .arg(folder)
        .envs(variables.iter().copied())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The configuration inside of an archive.
fn configuration(archive: &Path) -> Value {
    let read = |path: &str| -> Value {
        let output = Command::new("tar")
            .arg("-xOf")
            .arg(archive)
            .arg(path)
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        read(&format!("blobs/{}", digest.replace(':', "/")))
    };
    let manifest = blob(&read("index.json")["manifests"][0]);
    blob(&manifest["config"])
}

pub fn the_same_binaries_give_the_same_images_at_another_time() {
    let images = images();
    let built = tempfile::tempdir().unwrap();
    for name in ["aep-operator", "aep-simulator"] {
        // Fresh files, with times and modes of their own.
        let binary = binaries().join(name);
        fs::write(built.path().join(name), fs::read(binary).unwrap()).unwrap();
    }
    let [first, second] = [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        pack(folder.path(), &[("BUILT", built.path())])
    });
    assert_eq!(first, second);
    assert!(first.contains("sha256:"), "{first}");
    assert!(images.join("aep-operator.tar").exists());
}

/// What the images were packed from.
fn binaries() -> PathBuf {
    if let Some(built) = std::env::var_os("BUILT") {
        return built.into();
    }
    let target = format!(
        "target/image/{}-unknown-linux-gnu/release",
        std::env::consts::ARCH
    );
    Path::new(env!("CARGO_MANIFEST_DIR")).join(target)
}

pub fn an_image_is_the_binary_run_by_a_numbered_user() {
    let images = images();
    let archive = images.join("aep-operator.tar");
    let configuration = configuration(&archive);
    let config = &configuration["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/aep-operator"]));
    for label in [
        "source", "revision", "version", "created", "title", "licenses",
    ] {
        let label = &config["Labels"][format!("org.opencontainers.image.{label}")];
        assert!(
            label.as_str().is_some_and(|it| !it.is_empty()),
            "{configuration}"
        );
    }
    assert_eq!(
        configuration["rootfs"]["diff_ids"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let megabytes = fs::metadata(archive).unwrap().len() / 1_000_000;
    assert!(megabytes < 20, "{megabytes} MB");
}
