//! Failures of calls, classified by what they mean to the caller.

mod answer;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::{Redactor, Service};

pub(super) use answer::Refusal;

/// The longest part of an answer that a message repeats, in characters.
const LONGEST_MESSAGE: usize = 500;

/// A call that did not succeed.
///
/// The text names the service and repeats Adobe's own words and code. It holds no secret and nothing that differs
/// between two attempts at the same thing, so that it may be written into a condition.
#[derive(Clone, Debug)]
pub struct Error(Box<Detail>);

#[derive(Clone, Debug)]
struct Detail {
    service: Service,
    class: Class,
    repeatable: bool,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

/// What a failure means to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// IMS does not accept the client id, its secret or its scopes, or the gateway has refused every token for a while.
    CredentialsRejected,
    /// The gateway refused a token that IMS issued, or its client id. The call was not carried out, and may succeed later.
    TokenRefused,
    /// The fixed access token is no longer valid.
    TokenExpired,
    /// The credentials do not belong to the organisation that was named.
    OrganisationMismatch,
    /// The credentials lack a permission or a role.
    PermissionDenied,
    /// The sandbox does not exist, or the credentials cannot see it.
    SandboxUnknown,
    /// The service says that the object does not exist.
    NotFound,
    /// The object has changed meanwhile: read it again and decide again.
    Stale,
    /// The object is changing state: the same call may succeed later.
    Busy,
    /// Others still use the object, or its deletion is refused for another reason.
    InUse,
    /// A resource of that title exists already.
    TitleTaken {
        /// The `$id` of the resource that has the title. It may be of another type than the one asked for.
        id: String,
    },
    /// The request is invalid: it fails until it is changed.
    Rejected,
    /// Too many requests, or a request during the pause that follows.
    Throttled,
    /// The service failed; whether the call took effect is unknown.
    Unavailable,
    /// The connection broke, or no answer came in time, after the request may have been sent.
    Interrupted,
    /// The request was never sent: no such host, no connection, no trust, no permission.
    Unreachable,
    /// An answer that the service should not give.
    Unreadable,
}

impl Error {
    pub(super) fn new(service: Service, class: Class, message: impl Into<String>) -> Self {
        let detail = Detail {
            service,
            class,
            repeatable: true,
            status: None,
            code: None,
            message: one_line(&message.into()),
            request_id: None,
            retry_after: None,
        };
        Self(Box::new(detail))
    }

    /// A request without an answer. The URL is left out: it may hold what should not be shown.
    pub(super) fn transport(service: Service, error: reqwest::Error) -> Self {
        let class = if error.is_connect() || error.is_builder() {
            Class::Unreachable
        } else {
            Class::Interrupted
        };
        let what = match class {
            Class::Unreachable => "cannot be reached",
            _ if error.is_timeout() => return Self::new(service, class, "no answer in time"),
            _ => "the connection broke before the answer was complete",
        };
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Self::new(service, class, format!("{what}: {cause}"))
    }

    /// An answer whose status is right and whose body cannot be read.
    pub(super) fn unreadable(
        service: Service,
        error: &serde_path_to_error::Error<serde_json::Error>,
    ) -> Self {
        let field = error.path().to_string();
        let place = if field == "." {
            "the answer".into()
        } else {
            format!("field `{field}`")
        };
        let words = without_value(error.inner());
        Self::new(
            service,
            Class::Unreadable,
            format!("cannot read {place}: {words}"),
        )
    }

    /// The same failure in words without secrets.
    pub(super) fn redacted(mut self, redactor: &Redactor) -> Self {
        let redact = |text: &str| redactor.redact(text, LONGEST_MESSAGE + 1);
        let Detail {
            message,
            code,
            request_id,
            ..
        } = &mut *self.0;
        *message = redact(message);
        *code = code.as_deref().map(redact);
        *request_id = request_id.as_deref().map(redact);
        self
    }

    /// An object in a list that cannot be read.
    pub(super) fn unreadable_object(
        service: Service,
        id: Option<&str>,
        error: &serde_path_to_error::Error<serde_json::Error>,
    ) -> Self {
        let words = Self::unreadable(service, error).0.message;
        let id = id.unwrap_or("without an id");
        let message = format!("the object {id} is there, but: {words}");
        Self::new(service, Class::Unreadable, message)
    }

    /// Marks the failure as one of a call that must not simply be repeated.
    pub(super) fn of_unrepeatable_call(mut self) -> Self {
        self.0.repeatable = false;
        self
    }

    /// The same failure, seen in the light of others.
    pub(super) fn with_class(mut self, class: Class) -> Self {
        self.0.class = class;
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(super) fn with_request_id(mut self, id: Option<&str>) -> Self {
        self.0.request_id = id.map(Into::into).or(self.0.request_id);
        self
    }

    pub(super) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait.or(self.0.retry_after);
        self
    }

    /// What the failure means.
    #[must_use]
    pub fn class(&self) -> &Class {
        &self.0.class
    }

    /// Whether the call may have taken effect although it failed. Never true of a read or a deletion, which can simply be
    /// repeated.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        let unknown = matches!(
            self.0.class,
            Class::Unavailable | Class::Interrupted | Class::Unreadable
        );
        unknown && !self.0.repeatable
    }

    /// The HTTP status; `None` when no answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Adobe's code, such as `FLOW-1439-404`, `XDM-1521-400`, `403025` or `invalid_client`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Adobe's message, or ours where Adobe sent none. At most 500 characters.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The id under which Adobe's support finds the request. For logs only: it differs with every attempt.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The service that failed.
    #[must_use]
    pub fn service(&self) -> Service {
        self.0.service
    }

    /// How long Adobe asks to wait, counted from now.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.service, self.0.message)?;
        match &self.0.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The message as one line of bounded length, without a full stop.
fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// The parser's message, without the value it found (which may be a secret) and without the position in the text.
fn without_value(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    if !words.starts_with("invalid ") {
        return words.to_owned();
    }
    match words.rsplit_once("expected ") {
        Some((_, wanted)) => format!("expected {wanted}"),
        None => "an unexpected value".to_owned(),
    }
}
