//! The repository: the contents of the documentation are complete, and nothing in CI can change unseen.

use std::path::Path;

use crate::docs::{ROOT, files, text};

#[test]
fn every_page_of_the_documentation_is_in_its_contents() {
    let docs = Path::new(ROOT).join("docs");
    let contents = text("docs/SUMMARY.md");
    for page in files(&docs, "md") {
        let name = page.strip_prefix(&docs).unwrap().display().to_string();
        let listed = contents.contains(&format!("]({name})"));
        assert!(
            listed || name == "SUMMARY.md",
            "docs/SUMMARY.md lacks {name}"
        );
    }
}

#[test]
fn every_action_is_pinned_to_a_commit_with_its_version_beside_it() {
    let workflows = files(&Path::new(ROOT).join(".github/workflows"), "yaml");
    let mut pinned = 0;
    for workflow in workflows {
        for line in text(&workflow).lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            let (_, commit) = action.split_once('@').unwrap_or_default();
            let (commit, version) = commit.split_once(" # v").unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            let is_pinned = is_commit && !version.is_empty();
            assert!(is_pinned, "{}: {action}", workflow.display());
            pinned += 1;
        }
    }
    assert!(pinned > 10, "{pinned} actions are pinned");
}
