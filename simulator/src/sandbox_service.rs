//! Sandbox service.

use crate::http::{Answer, Request};
use crate::world::{Context, Organisation};

/// Answers one request to the Sandbox service.
#[must_use]
pub fn answer(_request: &Request, _organisation: &Organisation, _cx: &mut Context<'_>) -> Answer {
    Answer::html_not_found()
}
