//! Sends a call: pause, token, permit, headers, HTTP, classification, safe repetitions, decoding.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::auth::Token;
use super::call::{Call, Method};
use super::error::Refusal;
use super::transport::{Answer, Purpose, REQUEST_ID};
use super::{Adobe, Class, Credentials, Error, Result, Service};

/// The attempts at one call so far.
struct Attempts {
    started: Instant,
    retries: u32,
}

impl Adobe {
    /// Makes the call and reads the answer as a `T`.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.send(call).await?;
        answer.read().map_err(|error| failure_of(call, error))
    }

    /// Makes the call, with the repetitions that are safe.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        let mut attempts = Attempts {
            started: Instant::now(),
            retries: 0,
        };
        loop {
            match self.attempt(call, &attempts).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let delay = self.retry_delay(call, &attempts, &error).ok_or(error)?;
                    attempts.retries += 1;
                    sleep(delay).await;
                }
            }
        }
    }

    async fn attempt(&self, call: &Call, attempts: &Attempts) -> Result<Answer> {
        let gate = &self.shared.gate;
        gate.wait_out(call.service, attempts.started).await?;
        // Without a slot, since IMS may take its time.
        self.token(call).await?;
        let _slot = gate.admit(call.service, attempts.started).await?;
        // It may have been refused since.
        let token = self.token(call).await?;
        if let (Some(meter), Some(expires_at)) = (&self.transport.meter, token.expires_at()) {
            meter.uses_token(expires_at);
        }
        let request = self.request(call, &token)?;
        let purpose = Purpose {
            service: call.service,
            method: call.method.as_str(),
            route: call.route,
        };
        let answer = self.transport.exchange(purpose, request).await;
        let answer = answer.map_err(|error| failure_of(call, error))?;
        if answer.is_success() {
            gate.reset();
            self.shared.account.accepted(call.service);
            return Ok(answer);
        }
        let error = failure_of(call, self.refusal(call, &answer));
        Err(match error.class() {
            Class::TokenRefused | Class::TokenExpired => self.shared.account.refused(token, error),
            _ => self.record_throttle(error),
        })
    }

    async fn token(&self, call: &Call) -> Result<Token> {
        let (account, settings) = (&self.shared.account, &self.shared.settings);
        let token = account.token(call.service, &self.transport, settings).await;
        let token = token.map_err(|error| self.record_throttle(error))?;
        self.redactor().learn("", "token", token.secret());
        Ok(token)
    }

    /// Starts the shared pause if Adobe asks for one; the error then says how long it will be.
    fn record_throttle(&self, error: Error) -> Error {
        let asked = error.retry_after();
        let pausing = match error.class() {
            // Without a status, the call failed because of a pause that runs already.
            Class::Throttled => error.status().is_some(),
            Class::Unavailable => asked.is_some(),
            _ => false,
        };
        if pausing {
            let pause = self.shared.gate.pause_for(asked);
            return error.with_retry_after(Some(pause));
        }
        error
    }

    /// How long to wait before repeating the call; `None` when it must not, or should not, be repeated here.
    fn retry_delay(&self, call: &Call, attempts: &Attempts, error: &Error) -> Option<Duration> {
        let policy = &self.shared.policy;
        // A failed token request means that the call itself was never sent.
        let never_sent_or_idempotent = call.idempotent || error.service() == Service::Ims;
        let repeatable = match error.class() {
            Class::Throttled => error.status().is_some(),
            // Neither was carried out.
            Class::Unreachable | Class::TokenRefused => true,
            Class::Unavailable | Class::Interrupted => never_sent_or_idempotent,
            _ => false,
        };
        // A short pause is waited out, here or by the gate; a longer one is reported instead.
        let delay = match error.retry_after() {
            Some(pause) if pause > policy.max_pause => return None,
            Some(pause) if *error.class() == Class::TokenRefused => pause,
            Some(_) => Duration::ZERO,
            None => policy.backoff.delay(attempts.retries + 1),
        };
        let exhausted = attempts.retries >= policy.max_retries
            || attempts.started.elapsed() + delay > policy.deadline;
        (repeatable && !exhausted).then_some(delay)
    }

    fn request(&self, call: &Call, token: &Token) -> Result<RequestBuilder> {
        let settings = &self.shared.settings;
        let header = |name, value: &str| header(call.service, name, value);
        let mut bearer = header(
            "access token",
            &format!("Bearer {}", token.secret().expose_secret()),
        )?;
        bearer.set_sensitive(true);
        let mut request = self
            .transport
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
            .header(REQUEST_ID, Uuid::new_v4().to_string())
            .header(ACCEPT, call.accept);
        // The list of sandboxes shows whether the name is right, so it must not depend on it.
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

    fn refusal(&self, call: &Call, answer: &Answer) -> Error {
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
        refusal.into_error(self.redactor(), &call.secrets())
    }
}

/// The error, marked as ambiguous if this call must not be repeated.
fn failure_of(call: &Call, error: Error) -> Error {
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
