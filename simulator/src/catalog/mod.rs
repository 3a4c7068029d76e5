//! Catalog data sets.

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Answers one request to Catalog.
#[must_use]
pub fn answer(_request: &Request, _sandbox: &mut Sandbox, _cx: &mut Context<'_>) -> Answer {
    Answer::html_not_found()
}

/// Changes data sets the way the platform does on its own.
pub fn housekeeping(_sandbox: &mut Sandbox, _cx: &mut Context<'_>) {}
