//! Data Prep's error bodies. Adobe documents the statuses only, so nothing but the status means anything.

use serde_json::json;

use crate::http::Answer;

fn error(status: u16, title: &str, detail: &str) -> Answer {
    Answer::json(
        status,
        json!({ "status": status, "title": title, "detail": detail }),
    )
}

/// An invalid mapping set, or any other body that makes no sense.
pub(super) fn invalid(detail: &str) -> Answer {
    error(400, "Invalid request", detail)
}

/// No such mapping set, version or row.
pub(super) fn not_found(what: &str) -> Answer {
    error(404, "Not found", &format!("{what} not found"))
}
