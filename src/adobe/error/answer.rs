//! Classifies answers that are not a success. Adobe's services have at least eight shapes of error body; all are read here,
//! and decisions rest on the status and the machine-readable code, not on prose.

use std::time::Duration;

use serde_json::Value;

use super::{Class, Error, LONGEST_MESSAGE};
use crate::adobe::tolerant::as_text;
use crate::adobe::{Redactor, Service};

/// Where the schema registry's ids live.
const REGISTRY_IDS: &str = "https://ns.adobe.com/";

/// Shorter ids are too likely to be part of something else.
const SHORTEST_REQUEST_ID: usize = 8;

/// The largest refusal that is parsed, in bytes. Adobe's are far smaller, and a larger one should not take up the thread.
const LARGEST_REFUSAL: usize = 1 << 20;

/// An answer with a status other than 2xx, and what is needed to classify it.
pub(in crate::adobe) struct Refusal<'a> {
    pub service: Service,
    /// Whether the call was a deletion.
    pub deleting: bool,
    /// Whether the token was a fixed one, which this process cannot renew.
    pub fixed_token: bool,
    pub status: u16,
    pub body: &'a [u8],
    pub request_id: Option<&'a str>,
    pub retry_after: Option<Duration>,
}

impl Refusal<'_> {
    /// The failure, in words without any secret that is known or was in the body of the call, of which these are the values.
    pub(in crate::adobe) fn into_error(self, redactor: &Redactor, of_call: &[&str]) -> Error {
        let words = ErrorBody::read(self.body);
        let class = self.class(&words);
        let redact = |text: &str| redactor.redact_also(text, 2 * LONGEST_MESSAGE, of_call);
        let request_id = words.request_id();
        let mut message = redact(&words.message(self.status));
        // Some messages quote the id of their own request, which would make every attempt look new.
        for id in [self.request_id, request_id.as_deref()]
            .into_iter()
            .flatten()
            .filter(|id| id.len() >= SHORTEST_REQUEST_ID)
        {
            message = message.replace(id, "…");
        }
        let request_id = self.request_id.or(request_id.as_deref()).map(redact);
        let mut error = Error::new(self.service, class, message)
            .with_status(self.status)
            .with_request_id(request_id.as_deref())
            .with_retry_after(self.retry_after);
        error.0.code = words.code().as_deref().map(redact);
        error
    }

    fn class(&self, words: &ErrorBody) -> Class {
        match self.answered_class(words) {
            Class::TokenRefused if self.fixed_token => Class::TokenExpired,
            class => class,
        }
    }

    fn answered_class(&self, words: &ErrorBody) -> Class {
        match self.status {
            429 => return Class::Throttled,
            408 | 500..=599 => return Class::Unavailable,
            200..=399 => return Class::Unreadable,
            _ if self.service == Service::Ims => return self.ims_class(words),
            _ => {}
        }
        if let Some(class) = words.coded_class(self.service) {
            return class;
        }
        match self.status {
            401 => Class::TokenRefused,
            403 => Class::PermissionDenied,
            // The gateway answers an unknown route, or a fault of its own, with a page or with its own shape.
            404 if words.is_of_service() => Class::NotFound,
            404 => Class::Unreadable,
            400 | 409 | 422 if self.deleting => Class::InUse,
            409 | 412 => Class::Stale,
            _ => Class::Rejected,
        }
    }

    /// Without JSON, the answer is not from IMS but from a proxy in front of it.
    fn ims_class(&self, words: &ErrorBody) -> Class {
        if matches!(words.0, Content::Json(_)) || matches!(self.status, 401 | 403) {
            Class::CredentialsRejected
        } else {
            Class::Unreadable
        }
    }
}

/// The body of an answer.
struct ErrorBody(Content);

enum Content {
    Json(Value),
    Page,
    Text(String),
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        if body.len() > LARGEST_REFUSAL {
            let start = String::from_utf8_lossy(&body[..LARGEST_REFUSAL / 16]);
            return Self(Content::Text(start.trim().to_owned()));
        }
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        Self(match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => Content::Json(value),
            _ if text.starts_with('<') => Content::Page,
            _ => Content::Text(text.to_owned()),
        })
    }

    fn text(&self, pointer: &str) -> Option<String> {
        let Content::Json(body) = &self.0 else {
            return None;
        };
        body.pointer(pointer)
            .and_then(as_text)
            .filter(|text| !text.trim().is_empty())
    }

    fn first(&self, pointers: &[&str]) -> Option<String> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }

    /// Whether the answer is from a service, and not from the gateway in front of it.
    fn is_of_service(&self) -> bool {
        matches!(self.0, Content::Json(_)) && self.text("/error_code").is_none()
    }

    fn code(&self) -> Option<String> {
        let problem = self.text("/type").and_then(|kind| {
            let last = kind.rsplit('/').next()?;
            numbered(last).map(|_| last.to_owned())
        });
        let other = || self.first(&["/error_code", "/code", "/report/code", "/error"]);
        // Some frameworks put text where others put a code.
        problem.or_else(other).filter(|code| !code.contains(' '))
    }

    fn request_id(&self) -> Option<String> {
        self.first(&["/report/request-id", "/report/registryRequestId"])
    }

    fn message(&self, status: u16) -> String {
        let detail = match &self.0 {
            Content::Page => return format!("an HTML page instead of an answer, status {status}"),
            Content::Text(text) if text.is_empty() => return format!("status {status}, no words"),
            Content::Text(text) => return format!("status {status}: {text}"),
            Content::Json(_) => self.detail(),
        };
        match (self.text("/title"), detail) {
            (Some(title), Some(detail)) if title != detail => format!("{title}: {detail}"),
            (title, detail) => detail
                .or(title)
                .or_else(|| self.text("/error"))
                .unwrap_or_else(|| format!("status {status}, no words")),
        }
    }

    fn detail(&self) -> Option<String> {
        self.first(&[
            "/report/detailed-message",
            "/errorMessage",
            "/detail",
            "/message",
            "/error_description",
            "/description",
            "/errorDetails",
        ])
    }

    /// The class that the code alone determines.
    fn coded_class(&self, service: Service) -> Option<Class> {
        let code = self.code().unwrap_or_default();
        match (numbered(&code), service) {
            (Some(("FLOW", number)), _) => flow_class(number),
            (Some(("XDM", 1521)), _) => self.title_owner(),
            (None, _) if code.bytes().all(|b| b.is_ascii_digit()) && !code.is_empty() => {
                gateway_class(&code)
            }
            // The registry's older answer to a taken title has no code, so its text decides.
            (None, Service::SchemaRegistry) => {
                self.detail().filter(|text| text.contains("same title"))?;
                self.title_owner()
            }
            _ => None,
        }
    }

    /// The `$id` in the text of a conflict of titles.
    fn title_owner(&self) -> Option<Class> {
        let candidates = [self.text("/detail"), self.detail()];
        let id = candidates.into_iter().flatten().find_map(|text| {
            let from = text.find(REGISTRY_IDS)?;
            let id = text[from..]
                .split(|c: char| c.is_whitespace() || c == '"')
                .next()?;
            Some(id.trim_end_matches(['.', ',', ';', ')']).to_owned())
        })?;
        Some(Class::TitleTaken { id })
    }
}

/// `FLOW-1439-404` → (`FLOW`, 1439). The last group repeats a status, and not always the right one.
fn numbered(code: &str) -> Option<(&str, u32)> {
    let (family, rest) = code.split_once('-')?;
    let number = rest.split('-').next()?.parse().ok()?;
    family
        .bytes()
        .all(|b| b.is_ascii_uppercase())
        .then_some((family, number))
}

fn gateway_class(code: &str) -> Option<Class> {
    match code {
        "403000" | "403003" | "403010" => Some(Class::TokenRefused),
        "403025" | "400003" => Some(Class::OrganisationMismatch),
        _ => None,
    }
}

fn flow_class(number: u32) -> Option<Class> {
    match number {
        1404 => Some(Class::Stale),
        1416 | 1417 | 1420 | 1421 | 1422 | 1457 | 1458 => Some(Class::Busy),
        1418 | 1447 => Some(Class::InUse),
        2000..=2002 => Some(Class::OrganisationMismatch),
        2100 | 2101 | 2103 | 2106 => Some(Class::SandboxUnknown),
        2118 | 2120 | 2121 => Some(Class::PermissionDenied),
        _ => None,
    }
}
