//! Data Prep: mapping sets, which say how source data becomes a schema's fields.
//!
//! A stored mapping set is `{"versions": [<version 0>, <version 1>, …]}`, since flows pin versions.

mod errors;
mod language;
mod list;
mod model;
mod preview;
mod sets;
#[cfg(test)]
mod tests;
mod validate;

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Answers one request to Data Prep.
#[must_use]
pub fn answer(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Answer {
    route(request, sandbox, cx).unwrap_or_else(|refusal| refusal)
}

fn route(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Result<Answer, Answer> {
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["mappingSets"]) => list::answer(request, sandbox, cx),
        ("POST", ["mappingSets"]) => sets::create(request, sandbox, cx),
        ("POST", ["mappingSets", "validate"]) => validate::answer(request, sandbox),
        ("POST", ["mappingSets", "preview"]) => preview::answer(request),
        ("GET", ["mappingSets", id]) => sets::look_up(id, request, sandbox, cx),
        ("PUT", ["mappingSets", id]) => sets::replace(id, request, sandbox, cx),
        ("DELETE", ["mappingSets", id]) => sets::delete(id, sandbox, cx),
        ("GET", ["mappingSets", id, "mappings"]) => sets::rows(id, request, sandbox, cx),
        ("GET", ["mappingSets", id, "mappings", row]) => sets::row(id, row, request, sandbox, cx),
        ("POST", ["languages", "el", "validate"]) => language::answer(request),
        ("GET", ["languages", "el", "functions"]) => Ok(language::functions()),
        _ => Ok(Answer::html_not_found()),
    }
}
