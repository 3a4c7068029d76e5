//! A Git repository as a team would keep it: ours, with credentials, and with the simulator instead of Adobe.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cluster::{done, ours};

const URL: &str = "https://github.com/aep-operator/aep-operator # yours";

/// The environment that leads the operator of `deploy/kustomize` to the simulator.
const TO_SIMULATOR: &str = r"
patches:
- target: {kind: Deployment}
  patch: |-
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: IMS_ENDPOINT, value: 'http://10.0.0.1:8400'}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: PLATFORM_ENDPOINT, value: 'http://10.0.0.1:8400'}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: LIST_LAG_SECONDS, value: '1'}}
";

pub struct Repository(TempDir);

impl Repository {
    /// One commit on `main`, tagged as the release that our examples name.
    pub fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        for part in ["crds", "charts", "deploy", "tests/node/values.yaml"] {
            copy(&ours(part), &repository.path(part));
        }
        let secrets = "deploy/samples/payments/secrets.yaml";
        for (field, value) in [
            ("clientId", "aep-operator-demo"),
            ("clientSecret", "demo-secret"),
        ] {
            // Adobe's come first.
            repository.edit_first(
                secrets,
                &format!("{field}: REPLACE_ME"),
                &format!("{field}: {value}"),
            );
        }
        let sample = repository.path("deploy/samples/payments");
        copy(&sample, &repository.path("pipeline"));
        fs::remove_file(repository.path("pipeline/Kustomization")).unwrap();
        let base = repository.path("deploy/kustomize/base/kustomization.yaml");
        let text = fs::read_to_string(&base).unwrap();
        fs::write(base, text + TO_SIMULATOR).unwrap();

        repository.git("init --quiet --initial-branch=main");
        repository.commit();
        repository.git("tag v0.1.0");
        repository
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.0.path().display())
    }

    /// One of our examples, for this repository.
    pub fn example(&self, path: &str) -> String {
        let text = fs::read_to_string(ours(path)).unwrap();
        let text = text.replace(URL, &self.url());
        let plain = URL.split(' ').next().unwrap();
        text.replace(plain, &self.url())
            .replace("REPOSITORY", &self.url())
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Replaces a text that is there once, and commits.
    pub fn change(&self, path: &str, from: &str, to: &str) {
        self.edit_first(path, from, to);
        self.commit();
    }

    /// Takes the last commit back.
    pub fn revert(&self) {
        self.git("revert --no-edit HEAD");
    }

    /// Removes files, and commits.
    pub fn remove(&self, paths: &[String]) {
        for path in paths {
            fs::remove_file(self.path(path)).unwrap();
        }
        self.commit();
    }

    pub fn head(&self) -> String {
        self.git("rev-parse HEAD").trim().to_owned()
    }

    fn edit_first(&self, path: &str, from: &str, to: &str) {
        let path = self.path(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{} has no {from}", path.display());
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn commit(&self) {
        self.git("add --all");
        self.git("commit --quiet --message=change");
    }

    fn git(&self, arguments: &str) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.0.path());
        git.args(["-c", "user.name=team", "-c", "user.email=team@example.com"]);
        done(git.args(arguments.split(' ')))
    }
}

/// Copies a file or a folder.
fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}
