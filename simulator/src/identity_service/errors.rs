//! Refusals in Identity Service's own shape.

use serde_json::json;

use crate::clock::Utc;
use crate::http::Answer;
use crate::world::Context;

/// There is no such namespace.
pub(super) fn not_found(cx: &Context<'_>) -> Answer {
    let title = "NAMESPACE_NOT_FOUND";
    refusal(cx, (404, title, title), "The namespace does not exist")
}

/// Another namespace has this code already.
pub(super) fn conflict(cx: &Context<'_>, code: &str) -> Answer {
    let kind = (409, "NAMESPACE_CODE_CONFLICT", "INTEGRATION_CODE_EXISTS");
    refusal(
        cx,
        kind,
        &format!("A namespace with the code {code} already exists"),
    )
}

/// A body that describes no namespace. Adobe publishes no code for this, so the code says that it is simulated.
pub(super) fn invalid(cx: &Context<'_>, description: &str) -> Answer {
    let title = "SIM_NAMESPACE_INVALID";
    refusal(cx, (400, title, title), description)
}

fn refusal(
    cx: &Context<'_>,
    (status, title, code): (u16, &str, &str),
    description: &str,
) -> Answer {
    let body = json!({
        "timestamp": Utc::at(cx.now_ms).plain(),
        "type": "http://ns.adobe.com/adobecloud/problem/namespacevalidation",
        "status": status, "title": title, "description": description,
        "report": { "code": code },
    });
    Answer::json(status, body)
}
