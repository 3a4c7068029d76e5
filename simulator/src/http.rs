//! What a service sees of a request and what it answers: plain values, so that every service is a pure function over state.

use serde_json::{Value, json};

/// One request as a service sees it: the service's base path is already stripped, percent-encoding already undone.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Upper-case HTTP method.
    pub method: String,
    /// Decoded path segments below the service's base path, without empty ones (`/flows/1/` is `["flows", "1"]`).
    pub path: Vec<String>,
    /// Decoded query parameters, in order; a parameter may occur several times.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The JSON body, if there was one.
    pub body: Option<Value>,
}

impl Request {
    /// The first header of this (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The first query parameter of this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Every query parameter of this name.
    pub fn queries<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The path as borrowed segments, to match on.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// What a body holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing at all.
    Empty,
    /// A JSON document.
    Json(Value),
    /// Anything else, such as the gateway's HTML 404.
    Text {
        /// Media type.
        content_type: &'static str,
        /// The text.
        text: String,
    },
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Extra headers, such as `Location`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl Answer {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    /// The gateway's own error shape: `{"error_code", "message"}`.
    #[must_use]
    pub fn gateway(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, json!({ "error_code": code, "message": message }))
    }

    /// The HTML page that the gateway answers for a route it does not know.
    #[must_use]
    pub fn html_not_found() -> Self {
        let text =
            "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
                .to_owned();
        Self {
            status: 404,
            headers: Vec::new(),
            body: Body::Text {
                content_type: "text/html",
                text,
            },
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
