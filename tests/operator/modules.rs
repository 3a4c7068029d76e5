//! Modules import one way only, and the paths through them are documented.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::circles;

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// What each module may import.
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

fn module(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(SRC).join(name);
    if folder.is_dir() {
        rust_files(&folder)
    } else {
        vec![folder.with_extension("rs")]
    }
}

#[test]
fn modules_import_one_way() {
    for (name, allowed) in MAY_IMPORT {
        for file in module(name) {
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
fn main_is_short_and_no_file_is_long() {
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

#[test]
fn a_kind_is_read_file_by_file_on_a_few_screens() {
    for file in rust_files(&Path::new(SRC).join("kinds")) {
        if file.file_stem().is_some_and(|it| it == "tests") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("mod tests {\n").next();
        let lines = code.unwrap_or_default().lines().count();
        assert!(lines <= 250, "{} has {lines} lines", file.display());
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let modules = circles::modules(Path::new(SRC));
    assert_eq!(circles::circles(&modules), [].into());
}

/// The files and functions in one numbered step of `docs/architecture.md`.
fn step(line: &str) -> Option<(String, String)> {
    let (number, rest) = line.split_once(". `")?;
    number.parse::<u8>().ok()?;
    let (file, rest) = rest.split_once("`, `")?;
    let (name, _) = rest.split_once('`')?;
    Some((file.to_owned(), name.to_owned()))
}

/// The files and functions in one row of the table of decisions.
fn row(line: &str) -> Vec<(&str, &str)> {
    let cell = line.rsplit('|').nth(1).unwrap_or_default();
    let quoted: Vec<_> = crate::docs::quoted(cell).collect();
    let pairs = quoted.windows(2).filter(|pair| {
        let extension = Path::new(pair[0]).extension();
        extension.is_some_and(|it| it == "rs")
    });
    pairs.map(|pair| (pair[0], pair[1])).collect()
}

fn assert_defined(file: &str, name: &str) {
    let text = fs::read_to_string(Path::new(SRC).join(file)).unwrap();
    let defined = ["fn {}(", "fn {}<", "struct {}<"].map(|it| it.replace("{}", name));
    assert!(
        defined.iter().any(|it| text.contains(it)),
        "{file} has no `{name}`"
    );
}

#[test]
fn the_documented_decisions_are_where_the_table_says() {
    let page = crate::docs::text("docs/architecture.md");
    let (_, section) = page.split_once("## Where is it decided?\n").unwrap();
    let (table, _) = section.split_once("\n## ").unwrap();
    let rows: Vec<_> = table.lines().filter(|it| it.starts_with('|')).collect();
    assert!(rows.len() > 10, "{} rows", rows.len());
    for line in &rows[2..] {
        let named = row(line);
        assert!(!named.is_empty(), "{line}");
        for (file, name) in named {
            assert_defined(file, name);
        }
    }
}

#[test]
fn the_documented_paths_lead_through_code_that_exists_and_never_return() {
    let page = crate::docs::text("docs/architecture.md");
    let (_, paths) = page.split_once("## Four paths through the code\n").unwrap();
    let paths: Vec<_> = paths.split("\n### ").skip(1).collect();
    assert_eq!(paths.len(), 4);
    for path in paths {
        let steps: Vec<_> = path.lines().filter_map(step).collect();
        assert!((5..=10).contains(&steps.len()), "{path}");
        let mut seen = BTreeSet::new();
        for (file, name) in steps {
            assert_defined(&file, &name);
            assert!(seen.insert(file.clone()), "back to {file}");
        }
    }
}
