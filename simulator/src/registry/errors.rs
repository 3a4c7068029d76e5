//! The registry's error bodies.
//!
//! Adobe publishes codes for some refusals only. Where a refusal is documented but its code is not, the code
//! contains `SIM`, so that nobody takes it for Adobe's.

use serde_json::json;

use super::kind::Kind;
use crate::clock::Utc;
use crate::http::Answer;
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
                "timestamp": Utc::at(cx.now_ms).american(),
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
