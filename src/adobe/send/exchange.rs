//! One attempt over HTTP: send, read a bounded answer, measure.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument;

use crate::adobe::{Adobe, Attempt, Class, Error, Result, Service};

/// The largest body that is read, in bytes. A full page of the largest kind of object stays well below.
const LARGEST_BODY: usize = 16 << 20;

/// The header that carries the id of a request, both ways.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// What is being asked, as far as measuring is concerned.
#[derive(Clone, Copy)]
pub(in crate::adobe) struct Purpose {
    pub service: Service,
    pub method: &'static str,
    pub route: &'static str,
}

/// A complete answer of any status.
pub(in crate::adobe) struct Answer {
    pub service: Service,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    sent_id: Option<String>,
}

impl Adobe {
    /// Sends one request, if that is permitted, and reads the whole answer.
    pub(in crate::adobe) async fn exchange(
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
            let message = "not sent: this process may not ask any more";
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
        let outcome = round_trip(service, request).instrument(span.clone()).await;
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
            request_id,
            "asked Adobe"
        );
        outcome
    }
}

async fn round_trip(service: Service, request: RequestBuilder) -> Result<Answer> {
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
    })
}

impl Answer {
    pub(in crate::adobe) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The id that Adobe gave the request, or else the one we gave it.
    pub(in crate::adobe) fn request_id(&self) -> Option<&str> {
        let answered = self.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        answered.or(self.sent_id.as_deref())
    }

    /// How long Adobe wants to be left alone: in seconds, or until an instant.
    pub(in crate::adobe) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        let left = until.duration_since(jiff::Timestamp::now());
        Some(Duration::try_from(left).unwrap_or_default())
    }

    /// The body as a `T`; an error names the field that does not fit.
    pub(in crate::adobe) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let mut text = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut text).map_err(|error| {
            Error::unreadable(self.service, &error)
                .with_status(self.status)
                .with_request_id(self.request_id())
        })
    }
}
