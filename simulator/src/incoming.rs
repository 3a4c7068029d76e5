//! One call as it came: which service it is for, and what is in it.

use axum::{body::to_bytes, extract::Request as HttpRequest, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::calls::{Call, route_template};
use crate::faults::Target;
use crate::http::{Answer, Body, Request};

/// The services there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Ims,
    Flow,
    Registry,
    Catalog,
    DataPrep,
    Sandbox,
    Identity,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Ims => "ims",
            Self::Flow => "flow",
            Self::Registry => "registry",
            Self::Catalog => "catalog",
            Self::DataPrep => "data-prep",
            Self::Sandbox => "sandbox",
            Self::Identity => "identity",
        }
    }

    /// The service of a path, and how many segments its base path has.
    fn of(path: &[String]) -> Option<(Self, usize)> {
        let segments: Vec<&str> = path.iter().take(3).map(String::as_str).collect();
        match segments.as_slice() {
            ["ims", ..] => Some((Self::Ims, 0)),
            ["data", "foundation", "flowservice"] => Some((Self::Flow, 3)),
            ["data", "foundation", "schemaregistry"] => Some((Self::Registry, 3)),
            ["data", "foundation", "catalog"] => Some((Self::Catalog, 3)),
            ["data", "foundation", "conversion"] => Some((Self::DataPrep, 3)),
            ["data", "foundation", "sandbox-management"] => Some((Self::Sandbox, 3)),
            ["data", "core", "idnamespace"] => Some((Self::Identity, 3)),
            _ => None,
        }
    }
}

/// What came in the body.
#[derive(Debug)]
pub(crate) enum Payload {
    Absent,
    Json(Value),
    Form(Vec<(String, String)>),
    Malformed,
    Other,
}

/// One call, read whole.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) service: Option<Service>,
    pub(crate) request: Request,
    pub(crate) payload: Payload,
    /// The `x-sandbox-name` header, or nothing.
    pub(crate) sandbox: String,
    path: String,
    url: String,
    route: String,
    text: String,
}

impl Incoming {
    /// Reads a call to its end; `None` if the caller broke off. The request id is for calls that bring none.
    pub(crate) async fn read(http: HttpRequest, request_id: String) -> Option<Self> {
        let (parts, body) = http.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.ok()?;
        let segments = parts
            .uri
            .path()
            .split('/')
            .filter(|segment| !segment.is_empty());
        let mut path: Vec<String> = segments.map(decoded).collect();
        let service = Service::of(&path);
        path.drain(..service.map_or(0, |(_, base)| base));
        let mut request = Request {
            method: parts.method.to_string(),
            path,
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            headers: headers(&parts, request_id),
            body: None,
        };
        let payload = payload(&bytes, request.header("content-type"));
        if let Payload::Json(value) = &payload {
            request.body = Some(value.clone());
        }
        Some(Self {
            service: service.map(|(service, _)| service),
            sandbox: request
                .header("x-sandbox-name")
                .unwrap_or_default()
                .to_owned(),
            route: route_template(&request.path),
            path: format!("/{}", request.path.join("/")),
            url: parts.uri.to_string(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            request,
            payload,
        })
    }

    /// What faults are matched with.
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            method: &self.request.method,
            service: self.service.map_or("", Service::name),
            route: &self.route,
            path: &self.path,
            sandbox: &self.sandbox,
            body: &self.text,
        }
    }

    /// What the log keeps of the call, without credentials; with bodies if somebody may look at them.
    pub(crate) fn call(
        &self,
        answer: Option<&Answer>,
        faulted: bool,
        time_ms: i64,
        bodies: bool,
    ) -> Call {
        Call {
            sequence: 0,
            time_ms,
            method: self.request.method.clone(),
            service: self.service.map_or("", Service::name).to_owned(),
            path: self.path.clone(),
            route: self.route.clone(),
            query: self.request.query.iter().map(redacted).collect(),
            sandbox: self.sandbox.clone(),
            headers: self.request.headers.iter().map(redacted).collect(),
            body: if bodies { self.logged_body() } else { None },
            status: answer.map_or(0, |answer| answer.status),
            answer: answer.filter(|_| bodies).and_then(Self::logged_answer),
            faulted,
        }
    }

    fn logged_body(&self) -> Option<Value> {
        match &self.payload {
            Payload::Form(form) => Some(
                form.iter()
                    .map(redacted)
                    .map(|(name, value)| (name, json!(value)))
                    .collect(),
            ),
            _ => self.request.body.clone(),
        }
    }

    /// A token that works has no place in a log.
    fn logged_answer(answer: &Answer) -> Option<Value> {
        match &answer.body {
            Body::Json(value) if value.get("access_token").is_none() => Some(value.clone()),
            _ => None,
        }
    }

    /// Path and query as they were sent; the query of IMS may hold secrets.
    pub(crate) fn url(&self) -> &str {
        if self.service == Some(Service::Ims) {
            &self.path
        } else {
            &self.url
        }
    }
}

fn redacted((name, value): &(String, String)) -> (String, String) {
    let secret = name == "authorization" || name == "client_secret";
    (
        name.clone(),
        if secret {
            "[redacted]".to_owned()
        } else {
            value.clone()
        },
    )
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn headers(parts: &Parts, request_id: String) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let sent = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())));
    let mut headers: Vec<(String, String)> = sent.collect();
    if !parts.headers.contains_key("x-request-id") {
        headers.push(("x-request-id".to_owned(), request_id));
    }
    headers
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn payload(bytes: &[u8], content_type: Option<&str>) -> Payload {
    if bytes.is_empty() {
        return Payload::Absent;
    }
    let media = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    if media.ends_with("json") {
        return serde_json::from_slice(bytes).map_or(Payload::Malformed, Payload::Json);
    }
    if media == "application/x-www-form-urlencoded" {
        Payload::Form(pairs(bytes))
    } else {
        Payload::Other
    }
}
