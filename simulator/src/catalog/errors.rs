//! Catalog's error bodies.

use serde_json::json;

use crate::http::Answer;

fn error(status: u16, title: &str, detail: &str) -> Answer {
    let kind = "/placeholder/type/uri";
    Answer::json(
        status,
        json!({ "type": kind, "status": status, "title": title, "detail": detail }),
    )
}

/// A request that Catalog cannot accept.
pub(super) fn bad_request(detail: &str) -> Answer {
    error(400, "BadRequestError", detail)
}

/// No such data set.
pub(super) fn not_found() -> Answer {
    error(404, "NotFoundError", "DataSet not found.")
}

/// No such batch.
pub(super) fn no_batch() -> Answer {
    error(404, "NotFoundError", "Batch not found.")
}

/// The data set changed since the caller read it.
pub(super) fn precondition_failed(version: &str) -> Answer {
    error(
        412,
        "PreconditionFailedError",
        &format!("The data set has version {version}."),
    )
}
