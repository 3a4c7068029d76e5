//! What the pages name exists: every reason, every test, every linked file. `docs/tests.md` is generated.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use aep_operator::api::Kind;
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

/// The functions in our code, and the files that hold them: all tests are among them.
fn functions() -> BTreeMap<String, BTreeSet<String>> {
    let mut functions = BTreeMap::<_, BTreeSet<_>>::new();
    let folders = ["src", "tests"].map(|folder| Path::new(ROOT).join(folder));
    for path in folders.iter().flat_map(|folder| files(folder, "rs")) {
        let source = text(&path);
        let file = path.strip_prefix(ROOT).unwrap().display().to_string();
        let parts = source.split("fn ").skip(1);
        for (name, _) in parts.filter_map(|part| part.split_once('(')) {
            let files = functions.entry(name.to_owned()).or_default();
            files.insert(file.clone());
        }
    }
    functions
}

/// Names of tests are whole sentences; those of metrics may be as long, also with the prefix `kube_` of kube-state-metrics.
fn is_name_of_test(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let metric = word.strip_prefix("kube_").unwrap_or(word);
    word.matches('_').count() >= 3
        && word.chars().all(plain)
        && !BEGINNINGS.iter().any(|it| metric.starts_with(it))
}

#[test]
fn every_test_that_a_page_names_exists() {
    let functions = functions();
    let mut named = 0;
    for page in pages() {
        for word in quoted(&text(&page)).filter(|word| is_name_of_test(word)) {
            assert!(functions.contains_key(word), "{}: {word}", page.display());
            named += 1;
        }
    }
    assert!(named > 20, "{named} tests are named");
}

#[test]
fn every_claim_of_the_threat_model_names_its_test() {
    let functions = functions();
    let page = text("docs/security.md");
    let tables = page.split("| claim | test |\n").skip(1);
    let rows = tables.flat_map(|table| table.lines().skip(1).take_while(|it| it.starts_with('|')));
    let mut claims = 0;
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next();
        let tests: Vec<_> = tests.into_iter().flat_map(quoted).collect();
        let exist = tests.iter().all(|test| functions.contains_key(*test));
        assert!(exist && !tests.is_empty(), "{row}");
        claims += 1;
    }
    assert!(claims > 20, "{claims} claims");
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

/// Pages, their sections, and the tests that prove what they say.
type Proofs = BTreeMap<String, BTreeMap<String, Vec<String>>>;

const TESTS: &str = "docs/tests.md";

const INTRODUCTION: &str = "\
<!-- Generated from tests.yaml by `UPDATE=1 cargo test --test operator docs::`. Do not edit. -->

# Tests behind the documentation

For each section of the documentation, the tests that prove what it says.
";

#[test]
fn the_page_of_tests_is_generated_from_the_list_and_every_test_exists() {
    let proofs: Proofs = serde_saphyr::from_str(&text("docs/tests.yaml")).unwrap();
    let functions = functions();
    let mut page = INTRODUCTION.to_owned();
    for (name, sections) in &proofs {
        write!(page, "\n## [{name}]({name})\n").unwrap();
        let headings = headings(&text(Path::new("docs").join(name)));
        for section in sections.keys() {
            assert!(headings.contains(section), "{name} has no `{section}`");
        }
        for heading in headings.iter().filter(|it| sections.contains_key(*it)) {
            let anchor = anchor(heading);
            write!(page, "\n### [{heading}]({name}#{anchor})\n\n").unwrap();
            for test in &sections[heading] {
                let files = functions.get(test);
                let files = files.unwrap_or_else(|| panic!("there is no test `{test}`"));
                let links = files.iter().map(|it| format!("[{it}](../{it})"));
                let links = links.collect::<Vec<_>>().join(", ");
                writeln!(page, "- `{test}` in {links}").unwrap();
            }
        }
    }
    if env::var_os("UPDATE").is_some() {
        fs::write(Path::new(ROOT).join(TESTS), &page).unwrap();
    }
    let committed = fs::read_to_string(Path::new(ROOT).join(TESTS)).unwrap_or_default();
    assert!(
        committed == page,
        "{TESTS} is stale: UPDATE=1 cargo test --test operator docs::"
    );
}

/// The title of a page and those of its sections, in their order.
fn headings(page: &str) -> Vec<String> {
    let lines = page.lines();
    let titles = lines.filter_map(|it| it.strip_prefix("# ").or_else(|| it.strip_prefix("## ")));
    titles.map(ToOwned::to_owned).collect()
}

/// How links name a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    let words = heading.chars().filter(kept).collect::<String>();
    words.to_lowercase().replace(' ', "-")
}

/// The first cells of the tables in a section, without backquotes.
fn rows_of(page: &str, section: &str) -> Vec<String> {
    let start = format!("\n## {section}\n");
    let (_, rest) = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no section {section}"));
    let section = rest.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| row.split('`').nth(1))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn every_field_of_a_spec_has_one_row_in_the_table_of_fields() {
    let table = text("docs/fields.md");
    let common = rows_of(&table, "Every kind");
    for kind in Kind::ALL {
        let page = format!("docs/reference/{}s.md", kind.name().to_lowercase());
        let page = page.replace("boxs.md", "boxes.md");
        let fields = rows_of(&text(page), "spec").into_iter();
        // What a reference consists of is the same everywhere.
        let own = fields.filter(|field| {
            let (parents, _) = field.rsplit_once('.').unwrap_or_default();
            let inner = ["Ref", "secretParams[]", "valueFrom"];
            !common.contains(field) && !inner.iter().any(|it| parents.ends_with(it))
        });
        let own: Vec<_> = own.collect();
        assert_eq!(rows_of(&table, kind.name()), own, "{kind}");
    }
}
