//! Whether a mapping set fits its schema.

use serde_json::{Map, Value, json};

use super::errors::invalid;
use super::language;
use super::model::{Draft, Row, SourceType};
use crate::http::{Answer, Request};
use crate::registry::{self, resolve::field_at};
use crate::world::Sandbox;

/// Answers `POST /mappingSets/validate`: 200 with one entry per row, however bad the rows are.
pub(super) fn answer(request: &Request, sandbox: &Sandbox) -> Result<Answer, Answer> {
    let draft = Draft::read(request.body.as_ref())?;
    let fields = fields(&draft, sandbox)?;
    let entries: Vec<_> = draft.rows.iter().map(|row| entry(row, &fields)).collect();
    Ok(Answer::json(200, json!({ "validationResponse": entries })))
}

/// Refuses a set with any bad row.
pub(super) fn require(draft: &Draft, sandbox: &Sandbox) -> Result<(), Answer> {
    let fields = fields(draft, sandbox)?;
    let problem = draft.rows.iter().find_map(|row| problem(row, &fields));
    problem.map_or(Ok(()), |detail| Err(invalid(&detail)))
}

fn fields(draft: &Draft, sandbox: &Sandbox) -> Result<Map<String, Value>, Answer> {
    registry::schema_fields(sandbox, &draft.schema)
        .ok_or_else(|| invalid(&format!("The schema {} does not exist", draft.schema)))
}

fn entry(row: &Row, fields: &Map<String, Value>) -> Value {
    match problem(row, fields) {
        None => json!({ "status": "SUCCESS", "errors": null }),
        Some(exception) => json!({ "status": "FAILED", "errors": [{
            "destination": row.destination,
            "exception": exception,
            "source": row.source,
            "columnName": row.source,
            "sourceType": row.kind.word(),
        }]}),
    }
}

fn problem(row: &Row, fields: &Map<String, Value>) -> Option<String> {
    let steps = steps(&row.destination);
    let steps: Vec<_> = steps.iter().map(String::as_str).collect();
    if field_at(fields, &steps).is_none() {
        return Some(format!(
            "The destination {} is not in the target schema",
            row.destination
        ));
    }
    if row.kind == SourceType::Expression && !language::is_valid(&row.source) {
        return Some(format!("The expression {} cannot be read", row.source));
    }
    row.source
        .is_empty()
        .then(|| "The source is empty".to_owned())
}

/// The names in a path such as `a.b[*].c` or `a.${b-c}`; an escaped dot belongs to a name.
fn steps(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut chars = path.chars();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match c {
            '.' if !inside => steps.push(String::new()),
            '[' => {
                chars.by_ref().find(|c| *c == ']');
            }
            '$' => {}
            '{' => inside = true,
            '}' => inside = false,
            '\\' => push(&mut steps, chars.next()),
            c => push(&mut steps, Some(c)),
        }
    }
    steps
}

fn push(steps: &mut [String], c: Option<char>) {
    if let Some(step) = steps.last_mut() {
        step.extend(c);
    }
}
