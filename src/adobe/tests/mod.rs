//! The client against a scripted server on loopback.

mod accounts;
mod fuzz;
mod sending;
mod services;
mod sharing;
mod tokens;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Adobe, Attempt, Credentials, Endpoints, Limits, Meter, Pool, RetryPolicy, Settings};
use crate::backoff::Backoff;

pub(super) const SECRET: &str = "s3cr3t-canary-client";
pub(super) const TOKEN: &str = "t0k3n-canary";

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    pub fn target(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    With(u16, &'static str, String, Value),
    /// Never answers.
    Hang,
}

/// A server that answers token requests, and everything else from a list.
pub(super) struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    tokens: Arc<Mutex<VecDeque<Reply>>>,
}

impl Server {
    /// Beyond the end of the list, the last reply is repeated.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let server = Self {
            url,
            seen: Arc::default(),
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            tokens: Arc::default(),
        };
        let (seen, replies, tokens) = (
            server.seen.clone(),
            server.replies.clone(),
            server.tokens.clone(),
        );
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let (seen, replies, tokens) = (seen.clone(), replies.clone(), tokens.clone());
            async move {
                let is_token = uri.path() == "/ims/token/v3";
                let body = String::from_utf8_lossy(&body).into_owned();
                seen.lock().expect("lock").push(Seen {
                    method,
                    uri,
                    headers,
                    body,
                });
                let reply = next(if is_token { &tokens } else { &replies });
                let issued = || Reply::Json(200, issued(TOKEN, 86_399));
                respond(reply.unwrap_or_else(issued)).await
            }
        };
        let app = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    /// Answers token requests from this list instead.
    pub fn tokens(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        *self.tokens.lock().expect("lock") = replies.into_iter().collect();
        self
    }

    /// All requests but those for tokens.
    pub fn seen(&self) -> Vec<Seen> {
        self.all()
            .into_iter()
            .filter(|seen| seen.uri.path() != "/ims/token/v3")
            .collect()
    }

    pub fn token_requests(&self) -> Vec<Seen> {
        self.all()
            .into_iter()
            .filter(|seen| seen.uri.path() == "/ims/token/v3")
            .collect()
    }

    fn all(&self) -> Vec<Seen> {
        self.seen.lock().expect("lock").clone()
    }

    pub fn adobe(&self) -> Adobe {
        pool().open(settings(&self.url, oauth()))
    }
}

fn next(replies: &Mutex<VecDeque<Reply>>) -> Option<Reply> {
    let mut replies = replies.lock().expect("lock");
    if replies.len() > 1 {
        replies.pop_front()
    } else {
        replies.front().cloned()
    }
}

async fn respond(reply: Reply) -> Response {
    let status = |status| StatusCode::from_u16(status).expect("status");
    match reply {
        Reply::Json(code, body) => (status(code), body.to_string()).into_response(),
        Reply::Text(code, body) => (status(code), body).into_response(),
        Reply::With(code, name, value, body) => {
            (status(code), [(name, value)], body.to_string()).into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}

pub(super) fn issued(token: &str, seconds: u64) -> Value {
    json!({"access_token": token, "token_type": "bearer", "expires_in": seconds})
}

pub(super) fn oauth() -> Credentials {
    Credentials::OAuth {
        client_id: "client".into(),
        client_secret: SECRET.into(),
        scopes: vec!["openid".into(), "AdobeID".into()],
    }
}

pub(super) fn settings(url: &str, credentials: Credentials) -> Settings {
    Settings {
        endpoints: Endpoints {
            ims: url.into(),
            platform: url.into(),
        },
        ims_org_id: "0123456789ABCDEF@AdobeOrg".into(),
        sandbox_name: "prod".into(),
        credentials,
        limits: Limits {
            requests_per_second: 10_000,
            burst: 10_000,
            max_concurrent_requests: 8,
        },
        timeout: Duration::from_secs(20),
    }
}

pub(super) fn pool() -> Pool {
    Pool::with_policy(quick())
}

/// The policy of production, with shorter delays.
fn quick() -> RetryPolicy {
    RetryPolicy {
        backoff: Backoff::new(Duration::from_millis(2), Duration::from_secs(2)),
        throttle: Backoff::new(Duration::from_millis(5), Duration::from_secs(60)),
        ..RetryPolicy::default()
    }
}

/// Records every attempt.
#[derive(Default)]
pub(super) struct Recorder(pub Mutex<Vec<Attempt>>);

impl Meter for Recorder {
    fn observe(&self, attempt: &Attempt) {
        self.0.lock().expect("lock").push(*attempt);
    }
}
