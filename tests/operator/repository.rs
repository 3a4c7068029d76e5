//! The contents of the documentation are complete.

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
