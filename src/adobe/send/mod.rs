//! The one door to the network: pause, token, permit, rate, headers, HTTP, classification, repetition, decoding.
//!
//! Patience here is a matter of seconds. Who wants to wait longer decides that elsewhere, knowing why.

mod call;
mod exchange;
mod gate;
#[cfg(test)]
mod tests;

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

pub(super) use call::{Call, Method};
pub(super) use exchange::{Answer, Purpose};
pub(super) use gate::Gate;

use super::auth::Token;
use super::error::Refusal;
use super::{Adobe, Class, Credentials, Error, Result, Service};
use crate::backoff::Backoff;

/// How hard a call is tried before its failure is reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Repetitions after the first attempt.
    pub retries: u32,
    /// No repetition starts later than this after the first attempt.
    pub total: Duration,
    /// The waits before repetitions.
    pub backoff: Backoff,
    /// The longest pause asked for by Adobe that is sat out in here.
    pub pause: Duration,
    /// The pauses after being throttled without being told for how long.
    pub throttled: Backoff,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retries: 2,
            total: Duration::from_secs(10),
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(2)),
            pause: Duration::from_secs(2),
            throttled: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
        }
    }
}

/// What has been tried so far.
struct Effort {
    started: Instant,
    retries: u32,
    renewed_token: bool,
}

impl Adobe {
    /// Makes the call and reads the answer as a `T`.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.send(call).await?;
        answer.read().map_err(|error| blame(call, error))
    }

    /// Makes the call, with the repetitions that are safe.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        let mut effort = Effort {
            started: Instant::now(),
            retries: 0,
            renewed_token: false,
        };
        loop {
            match self.attempt(call, &mut effort).await {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(error) => {
                    let delay = self.delay(call, &effort, &error).ok_or(error)?;
                    effort.retries += 1;
                    sleep(delay).await;
                }
            }
        }
    }

    /// One attempt; `None` when the token was refused and another one is worth a try.
    async fn attempt(&self, call: &Call, effort: &mut Effort) -> Result<Option<Answer>> {
        let gate = &self.shared.gate;
        gate.sit_out(call.service, effort.started).await?;
        let token = self.token().await.map_err(|error| self.heed(error))?;
        let request = self.request(call, &token)?;
        let _permit = gate.admit(call.service, effort.started).await?;
        let purpose = Purpose {
            service: call.service,
            method: call.method.as_str(),
            route: call.route,
        };
        let answer = self.exchange(purpose, request).await;
        let answer = answer.map_err(|error| blame(call, error))?;
        if answer.is_success() {
            gate.eased();
            return Ok(Some(answer));
        }
        let error = self.heed(blame(call, self.refusal(call, &answer, &token)));
        let renewable = answer.status == 401 && *error.class() == Class::CredentialsRejected;
        if renewable && !effort.renewed_token {
            effort.renewed_token = true;
            self.shared.tokens.invalidate(&token);
            return Ok(None);
        }
        Err(error)
    }

    /// Sets the shared pause if Adobe asks for one, and lets the error say how long it will be.
    fn heed(&self, error: Error) -> Error {
        let asked = error.retry_after();
        let pausing = match error.class() {
            // Without an answer of its own, the failure is an echo of the pause that runs already.
            Class::Throttled => error.status().is_some(),
            Class::Unavailable => asked.is_some(),
            _ => false,
        };
        if pausing {
            let pause = self.shared.gate.hold(asked);
            return error.with_retry_after(Some(pause));
        }
        error
    }

    /// How long to wait before repeating the call; `None` when it must not, or should not, be repeated in here.
    fn delay(&self, call: &Call, effort: &Effort, error: &Error) -> Option<Duration> {
        let patience = &self.shared.patience;
        // A failed token request means that the call itself was never sent.
        let harmless = call.idempotent || error.service() == Service::Ims;
        let repeatable = match error.class() {
            Class::Throttled => error.status().is_some(),
            Class::Unreachable => true,
            Class::Unavailable | Class::Interrupted => harmless,
            _ => false,
        };
        // The gate sits out a pause; one that it would not sit out is reported instead.
        let delay = match error.retry_after() {
            Some(pause) if pause > patience.pause => return None,
            Some(_) => Duration::ZERO,
            None => patience.backoff.delay(effort.retries + 1),
        };
        let tired =
            effort.retries >= patience.retries || effort.started.elapsed() + delay > patience.total;
        (repeatable && !tired).then_some(delay)
    }

    fn request(&self, call: &Call, token: &Token) -> Result<RequestBuilder> {
        let shared = &self.shared;
        let settings = &shared.settings;
        let header = |name, value: &str| header(call.service, name, value);
        let mut bearer = header(
            "access token",
            &format!("Bearer {}", token.secret().expose_secret()),
        )?;
        bearer.set_sensitive(true);
        let mut request = shared
            .http
            .request(call.method.into(), call.url(&settings.endpoints.platform)?)
            .timeout(settings.timeout)
            .header(AUTHORIZATION, bearer)
            .header(
                "x-api-key",
                header("client id", settings.credentials.client_id())?,
            )
            .header(
                "x-gw-ims-org-id",
                header("organisation id", &settings.ims_org_id)?,
            )
            .header(exchange::REQUEST_ID, fresh_id())
            .header(ACCEPT, call.accept);
        // The list of sandboxes is what tells whether the name is right: it must not depend on it.
        if call.service != Service::Sandboxes {
            let name = header("sandbox name", &settings.sandbox_name)?;
            request = request.header("x-sandbox-name", name);
        }
        if let Some(etag) = &call.if_match {
            request = request.header(IF_MATCH, header("version", etag)?);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, call.content_type)
                .body(body.to_string());
        }
        Ok(request)
    }

    fn refusal(&self, call: &Call, answer: &Answer, token: &Token) -> Error {
        let credentials = &self.shared.settings.credentials;
        let refusal = Refusal {
            service: call.service,
            deleting: call.method == Method::Delete,
            fixed_token: matches!(credentials, Credentials::Token { .. }),
            status: answer.status,
            body: &answer.body,
            request_id: answer.request_id(),
            retry_after: answer.retry_after(),
        };
        let mut secrets = call.secrets();
        secrets.push(token.secret().expose_secret());
        secrets.push(credentials.secret().expose_secret());
        refusal.into_error(&secrets)
    }
}

/// The error as one of this call, which may or may not be repeated.
fn blame(call: &Call, error: Error) -> Error {
    if call.idempotent {
        error
    } else {
        error.of_unrepeatable_call()
    }
}

fn header(service: Service, name: &str, value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).map_err(|_| {
        let message = format!("the {name} holds characters that no header may hold");
        Error::new(service, Class::Rejected, message)
    })
}

/// A random UUID, as Adobe's own clients send it.
fn fresh_id() -> String {
    let bits: u128 = rand::random();
    let hex = format!("{bits:032x}");
    let variant = ["8", "9", "a", "b"][usize::from(rand::random::<u8>() & 3)];
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}
