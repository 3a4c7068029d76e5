//! Catalog: data sets, and the batches in them.

mod batches;
mod errors;
mod housekeeping;
mod query;
mod read;
mod tags;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Value;

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

pub(crate) use batches::ingest;
pub use housekeeping::housekeeping;

/// Answers one request to Catalog.
#[must_use]
pub fn answer(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Answer {
    route(request, sandbox, cx).unwrap_or_else(|refusal| refusal)
}

fn route(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Result<Answer, Answer> {
    let segments = request.segments();
    let (deep, rest) = match segments.as_slice() {
        ["v2", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let [name, rest @ ..] = rest else {
        return Ok(Answer::html_not_found());
    };
    if *name == "batches" {
        return match (request.method.as_str(), rest, deep) {
            ("GET", [], false) => batches::list(request, sandbox, cx),
            ("GET", [id], false) => batches::look_up(id, request, sandbox),
            _ => Ok(Answer::html_not_found()),
        };
    }
    if !name.eq_ignore_ascii_case("dataSets") {
        return Ok(Answer::html_not_found());
    }
    match (request.method.as_str(), rest, deep) {
        ("GET", [], false) => read::list(request, sandbox, cx),
        ("POST", [], false) => write::create(request, sandbox, cx),
        ("GET", [id], _) => read::look_up(id, request, sandbox),
        ("PATCH", [id], _) => write::patch(id, deep, request, sandbox, cx),
        ("PUT", [id], false) => write::put(id, request, sandbox, cx),
        ("DELETE", [id], false) => write::delete(id, sandbox, cx),
        _ => Ok(Answer::html_not_found()),
    }
}

/// A string member, or nothing.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}
