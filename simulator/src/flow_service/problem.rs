//! Refusals in Flow Service's own shape.

use serde_json::json;

use crate::http::{Answer, Request};

/// One refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    code: u16,
    status: u16,
    text: String,
    about: Option<(&'static str, String)>,
}

impl Problem {
    /// A refusal with any status.
    pub(crate) fn new(status: u16, code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            status,
            text: text.into(),
            about: None,
        }
    }

    /// A bad request that Flow Service itself refuses.
    pub(crate) fn bad(code: u16, text: impl Into<String>) -> Self {
        Self::new(400, code, text)
    }

    /// A bad request that the batch-source provider behind Flow Service refuses; its code shows in the text only.
    pub(crate) fn provider(code: u16, text: &str) -> Self {
        Self::bad(
            1100,
            format!("Error from flow provider: CONNECTOR-{code}-400: {text}"),
        )
    }

    /// There is no such object, or the caller may not see it.
    pub(crate) fn not_found(resource: &'static str, id: &str) -> Self {
        let text = format!(
            "The requested {resource} resource {id} is not found. Check the id and the permissions, then try again."
        );
        Self {
            about: Some((resource, id.to_owned())),
            ..Self::new(404, 1439, text)
        }
    }

    /// The answer that carries this refusal.
    pub(crate) fn answer(self, request: &Request) -> Answer {
        let Self {
            code,
            status,
            text,
            about,
        } = self;
        let title = match status {
            400 => "Bad request",
            403 => "Forbidden",
            404 => "Resource not found",
            412 => "Precondition failed",
            422 => "Unprocessable entity",
            _ => "Internal server error",
        };
        let mut report =
            json!({ "detailed-message": text, "request-id": request.header("x-request-id") });
        if let Some((resource, id)) = about {
            report["id"] = json!(id);
            report["type"] = json!(resource);
        }
        let kind = format!("https://ns.adobe.com/aep/errors/FLOW-{code}-{status}");
        let body = json!({
            "type": kind, "title": title, "status": status, "report": report, "errorMessage": text, "errorDetails": text,
        });
        Answer::json(status, body)
    }
}
