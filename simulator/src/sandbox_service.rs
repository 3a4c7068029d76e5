//! Sandbox service, as a caller without administration rights sees it.

use serde_json::{Value, json};

use crate::http::{Answer, Request};
use crate::world::{Context, Organisation};

const DEFAULT_LIMIT: usize = 50;

/// Answers one request to the Sandbox service. Nobody is a sandbox administrator here.
#[must_use]
pub fn answer(request: &Request, organisation: &Organisation, _cx: &mut Context<'_>) -> Answer {
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", []) => list(request, organisation),
        (_, ["sandboxes" | "sandboxTypes", ..]) => error(
            403,
            "SMS-2010-403",
            "The caller does not have sandbox administration rights.",
        ),
        _ => Answer::html_not_found(),
    }
}

/// Every sandbox that the caller may use, in whatever state it is.
fn list(request: &Request, organisation: &Organisation) -> Answer {
    let number = |name: &str| request.query(name).map(str::parse::<usize>);
    let (limit, offset) = match (number("limit"), number("offset")) {
        (None, None) => (DEFAULT_LIMIT, 0),
        (Some(Ok(limit)), Some(Ok(offset))) => (limit, offset),
        _ => {
            return error(
                400,
                "SMS-SIM-400",
                "limit and offset are numbers and go together.",
            );
        }
    };
    let sandboxes: Vec<&Value> = organisation
        .sandboxes
        .values()
        .map(|sandbox| &sandbox.about)
        .skip(offset)
        .take(limit)
        .collect();
    let page = json!({ "limit": limit, "count": sandboxes.len() });
    let href = "https://platform.adobe.io/data/foundation/sandbox-management/?limit={limit}&offset={offset}";
    let links = json!({ "page": { "href": href, "templated": true } });
    Answer::json(
        200,
        json!({ "sandboxes": sandboxes, "_page": page, "_links": links }),
    )
}

fn error(status: u16, code: &str, title: &str) -> Answer {
    let kind = format!("http://ns.adobe.com/aep/errors/{code}");
    Answer::json(
        status,
        json!({ "status": status, "title": title, "type": kind }),
    )
}

#[cfg(test)]
mod tests;
