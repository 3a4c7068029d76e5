//! The credentials of one client at Adobe: their token, and how services receive it. One account for all handles that use
//! the same credentials.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::auth::{Token, TokenCache};
use super::transport::Transport;
use super::{Class, Error, Result, Service, Settings};
use crate::backoff::Backoff;

/// How long a service is left alone after it refused a token.
const PAUSE: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));

/// So many tokens refused in a row, over so long a time, mean that the credentials are not accepted.
const LASTING: (u32, Duration) = (5, Duration::from_secs(60));

#[derive(Default)]
pub(super) struct Account {
    tokens: TokenCache,
    /// The services that refused the last token they were sent.
    refusals: Mutex<HashMap<Service, Refusals>>,
}

/// The tokens that a service refused in a row.
struct Refusals {
    since: Instant,
    count: u32,
    token: Option<Token>,
    /// Until when the service is left alone.
    until: Instant,
    error: Error,
}

impl Account {
    /// A token for a call to this service, or the last refusal while the service is left alone.
    pub(super) async fn token(
        &self,
        service: Service,
        transport: &Transport,
        settings: &Settings,
    ) -> Result<Token> {
        if let Some(refusal) = self.refusal(service) {
            return Err(refusal);
        }
        self.tokens.token(transport, settings).await
    }

    fn refusal(&self, service: Service) -> Option<Error> {
        let all = self.lock();
        let last = all.get(&service)?;
        let left = last.until.checked_duration_since(Instant::now())?;
        let held_back = !left.is_zero();
        held_back.then(|| last.error.clone().with_retry_after(Some(left)))
    }

    /// The service accepted the token.
    pub(super) fn accepted(&self, service: Service) {
        self.lock().remove(&service);
    }

    /// The service refused the token: the next call uses another one, at first immediately and then later and later. The
    /// error says when, and what the refusals so far mean.
    ///
    /// IMS does not issue tokens for bad credentials, so a refused token alone does not show that they are bad.
    pub(super) fn refused(&self, token: Token, error: Error) -> Error {
        self.tokens.invalidate(&token);
        let now = Instant::now();
        let is_renewable = *error.class() == Class::TokenRefused;
        let mut all = self.lock();
        let last = all.entry(error.service()).or_insert_with(|| Refusals {
            since: now,
            count: 0,
            token: None,
            until: now,
            error: error.clone(),
        });
        // Calls that were in flight together are refused together: that counts once.
        let is_known = last.token.as_ref().is_some_and(|it| it.is_same(&token));
        if last.until <= now && !is_known {
            last.count = last.count.saturating_add(1);
            last.token = Some(token);
            let is_renewed_at_once = is_renewable && last.count == 1;
            if !is_renewed_at_once {
                last.until = now + PAUSE.delay(last.count);
            }
        }
        let (count, time) = LASTING;
        let is_lasting = last.count >= count && now - last.since >= time;
        last.error = if is_renewable && is_lasting {
            error.with_class(Class::CredentialsRejected)
        } else {
            error
        };
        let left = last.until.saturating_duration_since(now);
        last.error.clone().with_retry_after(Some(left))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Service, Refusals>> {
        // Nothing panics while holding it, and every state in between is a valid one.
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
