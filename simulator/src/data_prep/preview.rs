//! What a mapping set makes of sample data.
//!
//! Paths and static values are copied. Calculated fields are not evaluated, and the answer says so.

use serde_json::{Map, Value, json};

use super::errors::invalid;
use super::model::{Draft, Row, SourceType};
use crate::http::{Answer, Request};

/// Answers `POST /mappingSets/preview`.
pub(super) fn answer(request: &Request) -> Result<Answer, Answer> {
    let body = request.body.clone().unwrap_or_default();
    let draft = Draft::read(body.get("mappingSet"))?;
    let samples = match body.get("data") {
        Some(Value::Array(samples)) => samples.clone(),
        Some(sample @ Value::Object(_)) => vec![sample.clone()],
        _ => return Err(invalid("A preview needs data")),
    };
    let previews: Vec<_> = samples
        .iter()
        .map(|sample| mapped(&draft, sample))
        .collect();
    Ok(Answer::json(200, previews.into()))
}

fn mapped(draft: &Draft, sample: &Value) -> Value {
    let mut data = Map::new();
    let mut errors = Vec::new();
    for row in &draft.rows {
        match row.kind {
            SourceType::Attribute => {
                if let Some(value) = at(sample, &row.source) {
                    place(&mut data, &row.destination, value.clone());
                }
            }
            SourceType::Static => place(&mut data, &row.destination, json!(row.source)),
            SourceType::Expression => errors.push(unevaluated(row)),
        }
    }
    let errors = if errors.is_empty() {
        Value::Null
    } else {
        errors.into()
    };
    json!({ "data": data, "errors": errors })
}

fn at<'a>(sample: &'a Value, path: &str) -> Option<&'a Value> {
    let whole = sample.get(path);
    whole.or_else(|| {
        path.split('.')
            .try_fold(sample, |inner, step| inner.get(step))
    })
}

fn place(data: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        data.insert(path.to_owned(), value);
        return;
    };
    let parent = data.entry(first).or_insert_with(|| json!({}));
    if let Some(inner) = parent.as_object_mut() {
        place(inner, rest, value);
    }
}

fn unevaluated(row: &Row) -> Value {
    json!({
        "destination": row.destination,
        "exception": "This simulator does not evaluate calculated fields",
        "source": row.source,
        "sourceType": row.kind.word(),
    })
}
