//! Schema Registry.

use serde_json::Value;

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Answers one request to Schema Registry.
#[must_use]
pub fn answer(_request: &Request, _sandbox: &mut Sandbox, _cx: &mut Context<'_>) -> Answer {
    Answer::html_not_found()
}

/// The schema of this `$id` or `meta:altId`.
#[must_use]
pub fn find_schema<'a>(_sandbox: &'a Sandbox, _id: &str) -> Option<&'a Value> {
    None
}
