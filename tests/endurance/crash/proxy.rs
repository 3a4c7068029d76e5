//! Stands between the operator and everything else, counts its requests, and kills it at one of them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aep_control_plane::ControlPlane;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::process::Operator;

/// When the operator dies.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub moment: Moment,
    /// The last request, counted from 1 by arrival.
    pub request: usize,
}

/// On which side of the last request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The request is not carried out.
    Before,
    /// The request is carried out and its answer lost.
    After,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        write!(f, "killed {moment} request {}", self.request)
    }
}

/// A running proxy; it stops when dropped.
pub struct Proxy {
    /// Where it listens, for Kubernetes and for Adobe.
    url: String,
    gate: Arc<Gate>,
    serving: JoinHandle<()>,
}

struct Gate {
    kubernetes: Client,
    adobe: Client,
    progress: Mutex<Progress>,
    killed: CancellationToken,
}

struct Progress {
    operator: Option<Operator>,
    crash: Option<Crash>,
    requests: usize,
    /// What the operator asked for last.
    last: String,
    asked: Instant,
}

impl Proxy {
    /// Starts to forward requests: to the control plane as its administrator, and to Adobe at that address.
    pub async fn start(control_plane: &ControlPlane, adobe: &str) -> Self {
        let progress = Progress {
            operator: None,
            crash: None,
            requests: 0,
            last: String::new(),
            asked: Instant::now(),
        };
        let gate = Arc::new(Gate {
            kubernetes: forwarder(control_plane.config()),
            adobe: forwarder(Config::new(adobe.parse().unwrap())),
            progress: Mutex::new(progress),
            killed: CancellationToken::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = any(forward).with_state(gate.clone());
        let serving = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { url, gate, serving }
    }

    /// Starts an operator with our URL, in place of an earlier one.
    pub fn supervise(&self, start: impl FnOnce(&str) -> Operator) {
        // Its first requests wait until it can be killed.
        let mut progress = self.gate.progress();
        progress.operator = Some(start(&self.url));
    }

    /// Counts requests from here, and kills the operator at one of them if there is to be a crash.
    pub fn count_from_here(&self, crash: Option<Crash>) {
        let mut progress = self.gate.progress();
        progress.requests = 0;
        progress.crash = crash;
    }

    /// Calls the crash off; returns whether the operator still lives.
    pub fn disarm(&self) -> bool {
        let mut progress = self.gate.progress();
        let lives = progress.operator.is_some();
        if lives {
            progress.crash = None;
        }
        lives
    }

    /// Returns once the operator was killed.
    pub async fn killed(&self) {
        self.gate.killed.cancelled().await;
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.gate.progress().requests
    }

    /// The request at which the operator was killed, or else its latest.
    pub fn last_request(&self) -> String {
        self.gate.progress().last.clone()
    }

    /// For how long the operator has asked for nothing.
    pub fn silence(&self) -> Duration {
        self.gate.progress().asked.elapsed()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Gate {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request; returns when the operator is to die if this is the last one.
    fn count(&self, request: &Parts) -> Option<Moment> {
        if is_about_leases(request) {
            return None;
        }
        let mut progress = self.progress();
        progress.asked = Instant::now();
        progress.requests += 1;
        if progress
            .crash
            .is_none_or(|it| it.request >= progress.requests)
        {
            progress.last = format!("{} {}", request.method, request.uri);
        }
        let crash = progress.crash.filter(|it| it.request == progress.requests);
        crash.map(|it| it.moment)
    }

    /// Kills at once: nothing that the operator would do meanwhile is done.
    fn kill(&self) {
        // While a request waited for its answer, the crash may have been called off.
        let mut progress = self.progress();
        if progress.crash.is_some() {
            progress.operator = None;
            self.killed.cancel();
        }
    }
}

/// Who holds a lease is asked for again and again, however little there is to do.
fn is_about_leases(request: &Parts) -> bool {
    request.method == "GET" && request.uri.path().contains("/leases")
}

async fn forward(State(gate): State<Arc<Gate>>, request: Parts, body: Bytes) -> Response {
    let last = gate.count(&request);
    if last == Some(Moment::Before) {
        gate.kill();
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let of_kubernetes = request.uri.path().starts_with("/api");
    let behind = if of_kubernetes {
        &gate.kubernetes
    } else {
        &gate.adobe
    };
    let answer = behind.send(Request::from_parts(request, body.into())).await;
    if last == Some(Moment::After) {
        gate.kill();
    }
    match answer {
        Ok(answer) => answer.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// Kubernetes' client forwards any HTTP, streams included. It must not repeat anything on its own.
fn forwarder(mut config: Config) -> Client {
    config.default_retry = false;
    Client::try_from(config).unwrap()
}
