//! Data Prep.

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Answers one request to Data Prep.
#[must_use]
pub fn answer(_request: &Request, _sandbox: &mut Sandbox, _cx: &mut Context<'_>) -> Answer {
    Answer::html_not_found()
}
