//! The page of all fields says what happens to each of them where the spec leaves it out, and where Adobe holds another value:
//! here all that is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde_json::{Value, json};

use super::case::{Answer, Case};
use super::path::{Field, fields};
use super::stage::Stage;
use super::{Subject, admitted};
use crate::api::{
    BaseConnection, Dataflow, Dataset, Kind, MappingSet, PlatformSchema, SourceConnection,
    TargetConnection,
};

const PAGE: &str = "docs/fields.md";
/// How often each cell of a table is tried.
const ENOUGH: usize = 8;
/// How many pairs of specs are tried at most.
const PAIRS: usize = 400;

/// What was seen of one field.
struct Observed {
    field: Field,
    taken_over: Vec<Answer>,
    taken_out: Vec<Answer>,
    changed: Vec<Answer>,
}

#[test]
fn what_the_page_says_of_each_field_is_what_happens() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(Stage::open());
    let page = Page::read();
    let wrong = runtime.block_on(async {
        let mut wrong = Vec::new();
        wrong.extend(try_fields::<BaseConnection>(&stage, &page).await);
        wrong.extend(try_fields::<SourceConnection>(&stage, &page).await);
        wrong.extend(try_fields::<TargetConnection>(&stage, &page).await);
        wrong.extend(try_fields::<PlatformSchema>(&stage, &page).await);
        wrong.extend(try_fields::<Dataset>(&stage, &page).await);
        wrong.extend(try_fields::<MappingSet>(&stage, &page).await);
        wrong.extend(try_fields::<Dataflow>(&stage, &page).await);
        wrong
    });
    assert!(wrong.is_empty(), "{PAGE} is wrong:\n{}", wrong.join("\n"));
}

/// What the page says of each field, by kind and field.
struct Page(BTreeMap<(String, String), Vec<String>>);

impl Page {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        let text = fs::read_to_string(path).unwrap();
        let (mut rows, mut kind) = (BTreeMap::new(), "");
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                kind = title;
            } else if let Some(row) = line.strip_prefix("| `") {
                let mut cells = row.split('|').map(|cell| cell.trim().to_owned());
                let field = cells.next().unwrap_or_default();
                let field = field.trim_end_matches('`').trim_end_matches("[]");
                rows.insert((kind.to_owned(), field.to_owned()), cells.collect());
            }
        }
        Self(rows)
    }

    /// The cells of a row: left out at creation, left out at take-over, taken out later, changed at Adobe.
    fn row(&self, kind: Kind, field: &str) -> &[String] {
        let row = self.0.get(&(kind.name().to_owned(), field.to_owned()));
        row.unwrap_or_else(|| panic!("{PAGE} has no {kind} `{field}`"))
    }
}

/// What may happen if the page says so; anything, where it leaves that to another page.
fn allowed(cell: &str) -> Option<BTreeSet<Answer>> {
    let words = [
        ("stays", Answer::Kept),
        ("no change", Answer::Kept),
        ("nothing is sent", Answer::Kept),
        ("not at Adobe", Answer::Kept),
        ("in place", Answer::Reset),
        ("removed", Answer::Reset),
        ("replace", Answer::Replace),
        ("refused", Answer::Refused),
    ];
    let said = words.into_iter().filter(|(word, _)| cell.contains(word));
    let said: BTreeSet<_> = said.map(|(_, answer)| answer).collect();
    (!said.is_empty() && !cell.contains("](")).then_some(said)
}

/// Tries every field of a kind; returns where the page is wrong.
async fn try_fields<K: Subject>(stage: &Stage, page: &Page) -> Vec<String> {
    let mut all: Vec<_> = fields(K::KIND).into_iter().map(Observed::new).collect();
    let mut runner = TestRunner::deterministic();
    let pairs = (admitted::<K>(&stage.world), K::specs(&stage.world));
    for _ in 0..PAIRS {
        if all.iter().all(Observed::is_complete) {
            break;
        }
        let (spec, other) = pairs.new_tree(&mut runner).unwrap().current();
        for one in &mut all {
            let observed = one.observe::<K>(stage, &spec, &other).await;
            observed.unwrap_or_else(|error| panic!("{} {}: {error}", K::KIND, one.field.name()));
        }
    }
    let wrong = all.iter().flat_map(|one| one.contradicts(K::KIND, page));
    wrong.collect()
}

impl Observed {
    fn new(field: Field) -> Self {
        Self {
            field,
            taken_over: Vec::new(),
            taken_out: Vec::new(),
            changed: Vec::new(),
        }
    }

    fn is_complete(&self) -> bool {
        let left_out = self.field.required
            || (self.taken_over.len() >= ENOUGH && self.taken_out.len() >= ENOUGH);
        left_out && self.changed.len() >= ENOUGH
    }

    /// Tries the field of a spec, and the value that it has in another one.
    async fn observe<K: Subject>(
        &mut self,
        stage: &Stage,
        spec: &Value,
        other: &Value,
    ) -> TestCaseResult {
        let Some(value) = self.field.get(spec).filter(|it| **it != json!([])) else {
            return Ok(());
        };
        let without = self.field.without(spec);
        let shown = self.field.is_secret() || !has_secrets(spec);
        if shown
            && !self.field.required
            && self.taken_out.len() < ENOUGH
            && K::allows(spec, &without)
        {
            stage.clear();
            let mut case = Case::<K>::open(stage, spec).await?;
            case.arrives(spec).await?;
            self.taken_out.push(case.answer(&without).await?);
            case.disown().await?;
            let taken_over = match case.settle(&without).await {
                Ok(Some(_)) => Some(Answer::Refused),
                // Whoever writes the field now finds it as it was.
                Ok(None) if case.answer(spec).await? == Answer::Kept => Some(Answer::Kept),
                Ok(None) => Some(Answer::Reset),
                // Without the field, Adobe would not have the rest.
                Err(_) if !K::admits(&stage.world, &without) => None,
                Err(error) => return Err(error),
            };
            self.taken_over.extend(taken_over);
        }
        let Some(found) = self.field.get(other).filter(|it| *it != value) else {
            return Ok(());
        };
        let found = self.field.with(spec, found);
        let admitted = K::admits(&stage.world, &found) && K::allows(&found, spec);
        if admitted && self.changed.len() < ENOUGH {
            stage.clear();
            let mut case = Case::<K>::open(stage, &found).await?;
            case.arrives(&found).await?;
            self.changed.push(case.answer(spec).await?);
        }
        Ok(())
    }

    /// Where what was seen is not what the page says.
    fn contradicts(&self, kind: Kind, page: &Page) -> Vec<String> {
        let field = self.field.name();
        let row = page.row(kind, &field);
        let mut cells = vec![(&row[3], &self.changed)];
        if !self.field.required {
            cells.extend([(&row[1], &self.taken_over), (&row[2], &self.taken_out)]);
        }
        let wrong = cells
            .into_iter()
            .filter(|(cell, seen)| !is_right(cell, seen));
        wrong
            .map(|(cell, seen)| format!("{kind} `{field}`: {cell}, but seen was {seen:?}"))
            .collect()
    }
}

/// Whether what was seen is what the page says. Another value may mean the same, and is kept then.
fn is_right(cell: &str, seen: &[Answer]) -> bool {
    let Some(allowed) = allowed(cell) else {
        return true;
    };
    let fits = |it: &Answer| allowed.contains(it) || *it == Answer::Kept;
    seen.iter().all(fits) && seen.iter().any(|it| allowed.contains(it))
}

/// Whether there are secrets among what is written: Adobe shows none, so they are never found as they were.
fn has_secrets(spec: &Value) -> bool {
    let secrets = spec["auth"]["secretParams"].as_array();
    secrets.is_some_and(|it| !it.is_empty())
}
