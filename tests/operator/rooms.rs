//! The rooms of the house import one way only.

use std::fs;
use std::path::{Path, PathBuf};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// What each room may import.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("backoff", &[]),
    ("api", &[]),
    ("adobe", &["backoff"]),
    ("engine", &["api", "adobe", "backoff"]),
    ("kinds", &["engine", "api", "adobe", "backoff"]),
    ("operator", &["kinds", "engine", "api"]),
    ("lease", &["backoff"]),
    ("readiness", &["engine", "lease", "api"]),
    ("http", &["readiness"]),
    ("process", &["lease"]),
    ("telemetry", &[]),
    ("check", &["readiness", "api"]),
    (
        "cli",
        &[
            "operator",
            "lease",
            "http",
            "process",
            "readiness",
            "telemetry",
            "check",
            "engine",
            "api",
            "adobe",
        ],
    ),
];

fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|entry| rust_files(&entry))
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn room(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(SRC).join(name);
    if folder.is_dir() {
        rust_files(&folder)
    } else {
        vec![folder.with_extension("rs")]
    }
}

#[test]
fn rooms_import_one_way() {
    for (name, allowed) in MAY_IMPORT {
        for file in room(name) {
            let text = fs::read_to_string(&file).unwrap();
            for (other, _) in MAY_IMPORT {
                let imported = text.contains(&format!("crate::{other}"))
                    || text.contains(&format!("crate::{{{other}"));
                let fine = other == name || allowed.contains(&other);
                assert!(
                    !imported || fine,
                    "{} must not import `{other}`",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn main_is_short_and_no_room_is_crowded() {
    let lines = |file: &Path| {
        let text = fs::read_to_string(file).unwrap();
        text.split("\n#[cfg(test)]\n")
            .next()
            .unwrap_or_default()
            .lines()
            .count()
    };
    assert!(lines(&Path::new(SRC).join("main.rs")) <= 25);
    for file in rust_files(Path::new(SRC)) {
        let tests = file
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
        assert!(
            tests || lines(&file) <= 400,
            "{} has {} lines",
            file.display(),
            lines(&file)
        );
    }
}
