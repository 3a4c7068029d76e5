//! What enters a release: every action and image is pinned, jobs may do no more than they need, and the release is verified as
//! its users would.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::docs::{ROOT, files, text};

/// The scopes that a token may write, by workflow and job, with the reason. Everything else may read at most.
const WRITERS: [(&str, &str, &[&str]); 4] = [
    // Pages asks who publishes.
    ("docs", "publish", &["id-token", "pages"]),
    // Images and charts.
    ("release", "push", &["packages"]),
    // Signatures, beside what they sign.
    ("release", "sign", &["attestations", "id-token", "packages"]),
    ("release", "release", &["contents"]),
];

fn workflows() -> Vec<PathBuf> {
    let workflows = files(&Path::new(ROOT).join(".github/workflows"), "yaml");
    assert!(workflows.len() > 3, "{workflows:?}");
    workflows
}

fn yaml(path: impl AsRef<Path>) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap()
}

/// The jobs of all workflows: names of workflow and job, and what the workflow says of it.
fn jobs() -> Vec<(String, String, Value)> {
    let jobs = workflows().into_iter().flat_map(|path| {
        let workflow = yaml(&path)["name"].as_str().unwrap().to_owned();
        let jobs = yaml(&path)["jobs"].as_object().unwrap().clone();
        let jobs = jobs.into_iter();
        jobs.map(move |(name, job)| (workflow.clone(), name, job))
    });
    jobs.collect()
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().into_iter().flatten()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[test]
fn every_action_is_pinned_to_a_commit_with_its_version_beside_it() {
    let mut pinned = 0;
    for workflow in workflows() {
        let text = text(&workflow);
        let lines = text.lines();
        for action in lines.filter_map(|line| line.split_once("uses:")) {
            let (_, commit) = action.1.split_once('@').unwrap_or_default();
            let (commit, version) = commit.split_once(" # v").unwrap_or_default();
            let is_pinned = is_hex(commit, 40) && version.split('.').count() == 3;
            assert!(is_pinned, "{}: {}", workflow.display(), action.1);
            pinned += 1;
        }
        assert!(!text.contains("container:"), "images are pinned, too");
    }
    assert!(pinned > 10, "{pinned} actions are pinned");
}

/// The Dockerfiles below a folder of the repository.
fn recipes(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let names = names.filter(|name| name != "target" && !name.starts_with('.'));
    let found = names.flat_map(|name| {
        let path = folder.join(&name);
        if Path::new(ROOT).join(&path).is_dir() {
            return recipes(&path);
        }
        let is_recipe = name.contains("Dockerfile") || name.contains("Containerfile");
        is_recipe.then_some(path).into_iter().collect()
    });
    found.collect()
}

#[test]
fn every_image_is_scratch_or_pinned_to_a_digest() {
    let mut images = 0;
    for recipe in recipes(Path::new("")) {
        let text = text(&recipe);
        for image in text.lines().filter_map(|line| line.strip_prefix("FROM ")) {
            let (_, digest) = image.split_once("@sha256:").unwrap_or_default();
            let is_pinned = image == "scratch" || is_hex(digest, 64);
            assert!(is_pinned, "{}: {image}", recipe.display());
            images += 1;
        }
    }
    assert!(images > 2, "{images} images");
}

#[test]
fn a_bot_raises_whatever_is_pinned() {
    let bot = yaml(".github/dependabot.yml");
    let updates = bot["updates"].as_array().unwrap();
    let raises = |what: &str, folder: &Path| {
        let folder = format!("/{}", folder.display());
        updates.iter().any(|update| {
            let folders = update["directories"].as_array().into_iter().flatten();
            let mut folders = folders.chain([&update["directory"]]);
            update["package-ecosystem"] == what && folders.any(|it| *it == folder)
        })
    };
    for ecosystem in ["cargo", "github-actions", "rust-toolchain"] {
        assert!(raises(ecosystem, Path::new("")), "{ecosystem}");
    }
    for recipe in recipes(Path::new("")) {
        let folder = recipe.parent().unwrap();
        assert!(raises("docker", folder), "{}", recipe.display());
    }
}

#[test]
fn workflows_may_do_no_more_than_they_need() {
    for path in workflows() {
        let all = yaml(&path)["permissions"].clone();
        let nothing_else = serde_json::json!({ "contents": "read" });
        assert_eq!(all, nothing_else, "{}", path.display());
    }
    let mut writers = Vec::new();
    for (workflow, name, job) in jobs() {
        let scopes = job["permissions"].as_object().into_iter().flatten();
        let written = scopes.filter(|(_, access)| *access != "read");
        let mut written: Vec<_> = written.map(|(scope, _)| scope.as_str()).collect();
        written.sort_unstable();
        if written.is_empty() {
            continue;
        }
        let granted = WRITERS.iter().find(|it| it.0 == workflow && it.1 == name);
        let granted = granted.unwrap_or_else(|| panic!("{workflow}/{name} may only read"));
        assert_eq!(written, granted.2, "{workflow}/{name}");
        for step in steps(&job) {
            let run = step["run"].as_str().unwrap_or_default();
            let compiles = ["cargo ", "make ", "go ", ".ci/", "tests/"];
            let compiles = compiles.iter().any(|it| run.contains(it));
            assert!(!compiles, "{workflow}/{name} compiles: {run}");
        }
        writers.push((workflow, name));
    }
    assert_eq!(writers.len(), WRITERS.len(), "{writers:?}");
}

#[test]
fn no_step_is_left_the_credentials_of_the_checkout() {
    for (workflow, name, job) in jobs() {
        for step in steps(&job) {
            let action = step["uses"].as_str().unwrap_or_default();
            if action.starts_with("actions/checkout@") {
                let kept = &step["with"]["persist-credentials"];
                assert_eq!(*kept, false, "{workflow}/{name}");
            }
        }
    }
}

/// Runs `.ci/verify`, and with it the commands of docs/image.md. Stand-ins for the tools write down how they are called; `broken`
/// is one that finds nothing to be true. Gives the calls, and whether the release counts as verified.
fn verify(version: &str, broken: &str) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    for tool in ["cosign", "gh"] {
        let code = u8::from(broken == tool);
        let script = format!(
            "#!/bin/sh\necho {tool} \"$@\" >>'{}'\nexit {code}\n",
            calls.display()
        );
        let tool = folder.path().join(tool);
        fs::write(&tool, script).unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(Path::new(ROOT).join(".ci/verify"))
        .arg(version)
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output()
        .unwrap();
    let calls = fs::read_to_string(calls).unwrap_or_default();
    (calls, output.status.success())
}

#[test]
fn the_release_is_verified_with_the_commands_of_the_page() {
    let verified = jobs().into_iter().any(|(workflow, name, job)| {
        let mut steps = steps(&job);
        workflow == "release"
            && name == "verify"
            && steps.any(|it| it["run"] == r#".ci/verify "$GITHUB_REF_NAME""#)
    });
    assert!(verified, "no job verifies the release");
    let (calls, is_verified) = verify("v9.8.7", "");
    assert!(is_verified, "{calls}");
    for (call, times) in [
        ("cosign verify --", 4),
        ("cosign verify-attestation --type cyclonedx", 2),
        ("gh attestation verify oci://", 2),
        ("release.yaml@refs/tags/v9.8.7 ", 6),
        ("aep-operator:v9.8.7", 3),
        ("charts/aep-operator:9.8.7", 1),
        ("charts/aep-operator-crds:9.8.7", 1),
        ("aep-simulator:v9.8.7", 3),
    ] {
        assert_eq!(calls.matches(call).count(), times, "{call}: {calls}");
    }
    for tool in ["cosign", "gh"] {
        let (_, is_verified) = verify("v9.8.7", tool);
        assert!(!is_verified, "{tool} refuses, and the release is verified");
    }
}
