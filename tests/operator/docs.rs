//! What the pages for people say is there: every reason, every test that is called a proof, every file that is linked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aep_test_kit::metrics::PREFIXES as BEGINNINGS;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// All files below a folder whose names end like that.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path, extension)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .collect()
}

/// README.md, and what is below docs/ and deploy/.
pub fn pages() -> Vec<PathBuf> {
    let folders = ["docs", "deploy"].map(|folder| Path::new(ROOT).join(folder));
    let mut pages: Vec<_> = folders.iter().flat_map(|it| files(it, "md")).collect();
    pages.push(Path::new(ROOT).join("README.md"));
    pages
}

/// What stands between backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The constants of `engine::reasons`.
fn reasons() -> Vec<String> {
    let source = text("src/engine/reasons.rs");
    let value = |line: &str| {
        let (_, rest) = line.trim().split_once(": &str = \"")?;
        rest.strip_suffix("\";").map(ToOwned::to_owned)
    };
    source.lines().filter_map(value).collect()
}

/// The first column of the table that explains reasons.
fn explained() -> Vec<String> {
    let page = text("docs/troubleshooting.md");
    let (_, section) = page.split_once("## Reasons\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    let cells = rows.skip(2).filter_map(|row| row.split('|').nth(1));
    cells.flat_map(quoted).map(ToOwned::to_owned).collect()
}

#[test]
fn every_reason_is_explained_once_and_no_other() {
    let (mut reasons, mut explained) = (reasons(), explained());
    reasons.sort();
    explained.sort();
    assert!(reasons.len() > 20, "{reasons:?}");
    assert_eq!(explained, reasons);
}

/// The functions without parameters in our code: all tests are among them.
fn functions() -> BTreeSet<String> {
    let folders = ["src", "tests"].map(|folder| Path::new(ROOT).join(folder));
    let sources = folders.iter().flat_map(|folder| files(folder, "rs"));
    let names = sources.flat_map(|source| {
        let source = text(source);
        let parts = source.split("fn ").skip(1);
        let names = parts.filter_map(|part| part.split_once("()").map(|(name, _)| name));
        names.map(ToOwned::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

/// Names of tests are whole sentences; those of figures may be as long, also where kube-state-metrics puts `kube_` before.
fn is_name_of_test(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let figure = word.strip_prefix("kube_").unwrap_or(word);
    word.matches('_').count() >= 3
        && word.chars().all(plain)
        && !BEGINNINGS.iter().any(|it| figure.starts_with(it))
}

#[test]
fn every_test_that_a_page_names_exists() {
    let functions = functions();
    let mut named = 0;
    for page in pages() {
        for word in quoted(&text(&page)).filter(|word| is_name_of_test(word)) {
            assert!(functions.contains(word), "{}: {word}", page.display());
            named += 1;
        }
    }
    assert!(named > 20, "{named} tests are named");
}

#[test]
fn every_file_that_a_page_links_exists() {
    for page in pages() {
        let text = text(&page);
        let targets = text.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
            let (file, _) = target.split_once('#').unwrap_or((target, ""));
            let path = page.parent().unwrap().join(file);
            assert!(path.exists(), "{}: {target}", page.display());
        }
    }
}
