//! One call as data: everything `send` needs to know about it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

use super::{Class, Error, Result, Service};

/// An HTTP method that Adobe's services use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// One call to a service. Reads and deletions may be repeated; anything else only where the caller says so.
#[derive(Clone)]
pub(super) struct Call {
    pub service: Service,
    pub method: Method,
    /// Path below the service's base, with `{…}` where the ids go.
    pub route: &'static str,
    ids: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub accept: &'static str,
    pub content_type: &'static str,
    pub if_match: Option<String>,
    pub body: Option<Value>,
    pub idempotent: bool,
}

impl Call {
    pub(super) fn new(service: Service, method: Method, route: &'static str) -> Self {
        Self {
            service,
            method,
            route,
            ids: Vec::new(),
            query: Vec::new(),
            accept: "application/json",
            content_type: "application/json",
            if_match: None,
            body: None,
            idempotent: matches!(method, Method::Get | Method::Delete),
        }
    }

    /// Fills the next `{…}` of the route.
    pub(super) fn id(mut self, id: &str) -> Self {
        self.ids.push(id.to_owned());
        self
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same call with `name` set to `value` only.
    pub(super) fn requery(mut self, name: &'static str, value: String) -> Self {
        self.query.retain(|(known, _)| *known != name);
        self.query(name, value)
    }

    /// One `property` filter each, all of which must hold.
    pub(super) fn filters(mut self, filters: &[String]) -> Self {
        self.query
            .extend(filters.iter().map(|filter| ("property", filter.clone())));
        self
    }

    pub(super) fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }

    pub(super) fn content_type(mut self, media_type: &'static str) -> Self {
        self.content_type = media_type;
        self
    }

    /// Sends `etag` as it is, quotes included.
    pub(super) fn if_match(mut self, etag: &str) -> Self {
        self.if_match = Some(etag.to_owned());
        self
    }

    /// The call changes nothing although its method might.
    pub(super) fn repeatable(mut self) -> Self {
        self.idempotent = true;
        self
    }

    pub(super) fn body(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self> {
        let body = serde_json::to_value(body).map_err(|error| {
            Error::new(
                self.service,
                Class::Rejected,
                format!("cannot write the request: {error}"),
            )
        })?;
        self.body = Some(body);
        Ok(self)
    }

    /// The whole URL. An id that would change the path is refused before anything is sent.
    pub(super) fn url(&self, platform: &str) -> Result<Url> {
        let mut path = String::from(self.service.base());
        let mut ids = self.ids.iter();
        for segment in self.route.split('/').skip(1) {
            path.push('/');
            if !segment.starts_with('{') {
                path.push_str(segment);
                continue;
            }
            let id = ids.next().map_or("", String::as_str);
            if matches!(id, "" | "." | "..") {
                let message = format!("`{id}` is not an id");
                return Err(Error::new(self.service, Class::Rejected, message));
            }
            path.push_str(&encoded(id).to_string());
        }
        let platform = platform.trim_end_matches('/');
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        Url::parse(&format!("{platform}{path}{mark}{}", query.join("&"))).map_err(|error| {
            let message = format!("the endpoint is not a URL: {error}");
            Error::new(self.service, Class::Unreachable, message)
        })
    }

    /// Values in the body that must not be shown, should the answer repeat them: whatever stands under `auth`, or is patched
    /// into it. Those from Secrets are known anyway; users may have written others there.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let mut found = Vec::new();
        match &self.body {
            Some(Value::Object(body)) => {
                if let Some(params) = body.get("auth").and_then(|auth| auth.get("params")) {
                    texts(params, &mut found);
                }
            }
            Some(Value::Array(ops)) => {
                let path = |op: &Value| op.get("path").and_then(Value::as_str).map(str::to_owned);
                for op in ops
                    .iter()
                    .filter(|op| path(op).is_some_and(|p| p.starts_with("/auth")))
                {
                    if let Some(value) = op.get("value") {
                        texts(value, &mut found);
                    }
                }
            }
            _ => {}
        }
        found
    }
}

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

/// Percent-encodes a path segment or a value in a query. A space becomes `%20`: not every service reads `+`.
fn encoded(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, RESERVED)
}
