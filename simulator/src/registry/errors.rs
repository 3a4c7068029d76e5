//! The registry's error bodies.
//!
//! Adobe publishes codes for some refusals only. Where a refusal is documented but its code is not, the code
//! contains `SIM`, so that nobody takes it for Adobe's.

use serde_json::json;

use super::accept;
use super::clock;
use super::kind::Kind;
use crate::http::{Answer, Body};
use crate::world::Context;

/// A refusal in the registry's envelope; the HTTP status is the code's last part.
pub(super) fn refusal(cx: &mut Context<'_>, code: &str, title: &str, detail: &str) -> Answer {
    let status = code
        .rsplit('-')
        .next()
        .and_then(|s| s.parse().ok())
        .unwrap_or(400);
    Answer::json(
        status,
        json!({
            "type": format!("http://ns.adobe.com/aep/errors/{code}"),
            "title": title,
            "status": status,
            "report": {
                "registryRequestId": cx.ids.uuid(),
                "timestamp": clock::Utc::at(cx.now_ms).american(),
                "detailed-message": detail,
                "sub-errors": [],
            },
            "detail": detail,
        }),
    )
}

/// A body that cannot be what it is meant to be.
pub(super) fn invalid(cx: &mut Context<'_>, detail: &str) -> Answer {
    refusal(cx, "XDM-SIM-INVALID-400", "Invalid resource", detail)
}

/// Something else still depends on the resource.
pub(super) fn in_use(cx: &mut Context<'_>, detail: &str) -> Answer {
    refusal(cx, "XDM-SIM-INUSE-400", "Resource in use", detail)
}

/// No such resource.
pub(super) fn not_found(cx: &mut Context<'_>, code: &str, id: &str, version: &str) -> Answer {
    let detail = format!("Requested resource {id} with version {version} is not found");
    refusal(cx, code, "Resource Not Found", &detail)
}

/// No such resource of this kind.
pub(super) fn missing(cx: &mut Context<'_>, kind: Kind, id: &str) -> Answer {
    not_found(cx, kind.not_found_code(), id, "1")
}

/// The same refusal as it was in 2020: without a code, and with 406 for a media type that is missing or unknown.
pub(super) fn old_style(answer: Answer, supplied: &str) -> Answer {
    let Body::Json(body) = &answer.body else {
        return answer;
    };
    // Only the registry's own refusals have this report; the gateway's have always been as they are.
    if body["report"]["registryRequestId"].is_null() {
        return answer;
    }
    let unacceptable = body["title"] == accept::INVALID && !accept::is_known(supplied);
    let status = if unacceptable { 406 } else { answer.status };
    let title = match status {
        404 => "NotFoundError",
        406 => "NotAcceptableError",
        _ => "BadRequestError",
    };
    let detail = match (unacceptable, supplied) {
        (false, _) => body["detail"].clone(),
        (true, "") => json!("Accept header parameter is required"),
        (true, media) => json!(format!("Unknown Accept media supplied: {media}")),
    };
    let body = json!({ "type": "/placeholder/type/uri", "status": status, "title": title, "detail": detail });
    Answer::json(status, body)
}
