//! The only door to the network: sends one HTTP request if that is permitted, reads a bounded answer, measures.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument;

use super::retry::LONGEST_PAUSE;
use super::{Attempt, Class, Error, Meter, Permission, Redactor, Result, Service};

/// The largest body that is read, in bytes. A full page of the largest kind of object stays well below.
const LARGEST_BODY: usize = 16 << 20;

/// The longest part of a request id that is logged, in characters.
const LONGEST_REQUEST_ID: usize = 100;

/// The header that carries the id of a request, both ways.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// What a request is for, as metrics and traces name it.
#[derive(Clone, Copy)]
pub(super) struct Purpose {
    pub service: Service,
    pub method: &'static str,
    pub route: &'static str,
}

/// A complete answer of any status.
pub(super) struct Answer {
    pub service: Service,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub sent_id: Option<String>,
    pub redactor: Arc<Redactor>,
}

/// How requests leave this process.
#[derive(Clone)]
pub(super) struct Transport {
    pub http: reqwest::Client,
    pub meter: Option<Arc<dyn Meter>>,
    pub permission: Permission,
    pub redactor: Arc<Redactor>,
}

impl Transport {
    /// Sends one request, if that is permitted, and reads the whole answer.
    pub(super) async fn exchange(
        &self,
        purpose: Purpose,
        request: RequestBuilder,
    ) -> Result<Answer> {
        let Purpose {
            service,
            method,
            route,
        } = purpose;
        if !self.permission.is_given() {
            let message = "not sent: this process may not send requests any more";
            return Err(Error::new(service, Class::Unreachable, message));
        }
        let started = Instant::now();
        let span = tracing::info_span!(
            "request",
            otel.name = format!("{method} {route}"),
            otel.kind = "client",
            http.request.method = method,
            http.response.status_code = tracing::field::Empty,
            url.template = route,
            aep.service = service.label(),
            error.type = tracing::field::Empty,
        );
        let redactor = self.redactor.clone();
        let outcome = round_trip(service, request, redactor)
            .instrument(span.clone())
            .await;
        let outcome = outcome.map_err(|error| error.redacted(&self.redactor));
        let status = outcome.as_ref().ok().map(|answer| answer.status);
        match status {
            Some(status) => span.record("http.response.status_code", status),
            None => span.record("error.type", "no answer"),
        };
        let elapsed = started.elapsed();
        if let Some(meter) = &self.meter {
            meter.observe(&Attempt {
                service,
                method,
                route,
                status,
                elapsed,
            });
        }
        let request_id = match &outcome {
            Ok(answer) => answer.request_id(),
            Err(error) => error.request_id(),
        };
        tracing::debug!(
            service = service.label(),
            method,
            route,
            status,
            ?elapsed,
            request_id = request_id.map(|it| self.redactor.redact(it, LONGEST_REQUEST_ID)),
            "request to Adobe"
        );
        outcome
    }
}

async fn round_trip(
    service: Service,
    request: RequestBuilder,
    redactor: Arc<Redactor>,
) -> Result<Answer> {
    let (client, request) = request.build_split();
    let request = request.map_err(|error| Error::transport(service, error))?;
    let sent_id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let sent_id = sent_id.map(str::to_owned);
    let failed = |error| Error::transport(service, error).with_request_id(sent_id.as_deref());
    let mut response: Response = client.execute(request).await.map_err(failed)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            let message = "the answer is too large";
            return Err(Error::new(service, Class::Unreadable, message).with_status(status));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        service,
        status,
        headers,
        body,
        sent_id,
        redactor,
    })
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The request id that Adobe answered with, or else the one that was sent.
    pub(super) fn request_id(&self) -> Option<&str> {
        let answered = self.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        answered.or(self.sent_id.as_deref())
    }

    /// How long to wait before the next request: Adobe names seconds or an instant. Never longer than is sensible, since an
    /// error of any class carries this on to timers and to the next reconcile.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds).min(LONGEST_PAUSE));
        }
        let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        let left = until.duration_since(jiff::Timestamp::now());
        Some(
            Duration::try_from(left)
                .unwrap_or_default()
                .min(LONGEST_PAUSE),
        )
    }

    /// The body as a `T`; an error names the field that cannot be read.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let mut text = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut text).map_err(|error| {
            Error::unreadable(self.service, &error)
                .with_status(self.status)
                .with_request_id(self.request_id())
                .redacted(&self.redactor)
        })
    }
}
