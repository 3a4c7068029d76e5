//! Access tokens: fetched from IMS, shared by all calls, renewed ahead of their end.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::error::Refusal;
use super::send::Purpose;
use super::tolerant::as_integer;
use super::{Adobe, Class, Credentials, Error, Result, Service};
use crate::backoff::jitter;

const ROUTE: &str = "/ims/token/v3";
/// How long before its end a token is renewed, unless it lives shorter than twice that.
const AHEAD: Duration = Duration::from_secs(500);
/// How long a token that is still good is used before its failed renewal is tried again.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);
/// How long refused credentials are not asked about again.
const REFUSAL_HOLDS: Duration = Duration::from_secs(5);

/// An access token; cheap to clone.
#[derive(Clone)]
pub(super) struct Token(Arc<SecretString>);

impl Token {
    pub(super) fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// The token of one handle. However many calls need one, at most one request to IMS is under way.
#[derive(Default)]
pub(super) struct TokenCache {
    state: RwLock<State>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failure: Option<(Instant, Error)>,
}

#[derive(Clone)]
struct Held {
    token: Token,
    renew_at: Instant,
    ends_at: Instant,
}

impl TokenCache {
    /// Forgets `token`, unless another one has taken its place.
    pub(super) fn invalidate(&self, token: &Token) {
        let mut state = self.write();
        if state
            .held
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(&held.token.0, &token.0))
        {
            state.held = None;
        }
    }

    fn held(&self) -> Option<Held> {
        self.read().held.clone()
    }

    /// The failure that answers a question asked at `asked`: one that happened since, or a refusal of the credentials
    /// that is still fresh.
    fn failure(&self, asked: Instant) -> Option<Error> {
        let state = self.read();
        let (at, error) = state.failure.as_ref()?;
        let refused = *error.class() == Class::CredentialsRejected;
        (*at >= asked || (refused && at.elapsed() < REFUSAL_HOLDS)).then(|| error.clone())
    }

    /// What another caller has found out while this one, who asked at `asked`, was waiting.
    fn meanwhile(&self, asked: Instant) -> Option<Result<Token>> {
        let renewed = self.held().filter(|held| Instant::now() < held.renew_at);
        renewed
            .map(|held| Ok(held.token))
            .or_else(|| self.failure(asked).map(Err))
    }

    /// Remembers how a request ended. Where it failed, a token that is still good goes on serving.
    fn keep(&self, outcome: Result<Held>) -> Result<Token> {
        let now = Instant::now();
        let mut state = self.write();
        let error = match outcome {
            Ok(held) => {
                let token = held.token.clone();
                *state = State {
                    held: Some(held),
                    failure: None,
                };
                return Ok(token);
            }
            Err(error) => error,
        };
        state.failure = Some((now, error.clone()));
        match &mut state.held {
            Some(held) if now < held.ends_at => {
                held.renew_at = held.ends_at.min(now + RENEWAL_PAUSE);
                Ok(held.token.clone())
            }
            _ => Err(error),
        }
    }

    // Nothing panics while holding the lock, and every state in between is a valid one.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adobe {
    /// A token that is good for now.
    pub(super) async fn token(&self) -> Result<Token> {
        let Credentials::OAuth {
            client_id,
            client_secret,
            scopes,
        } = &self.shared.settings.credentials
        else {
            let fixed = self.shared.settings.credentials.secret().clone();
            return Ok(Token(Arc::new(fixed)));
        };
        let cache = &self.shared.tokens;
        let asked = Instant::now();
        let fetching = match cache.held() {
            Some(held) if asked < held.renew_at => return Ok(held.token),
            // Still good: one caller renews it, the others go on with it.
            Some(held) if asked < held.ends_at => match cache.fetching.try_lock() {
                Ok(fetching) => fetching,
                Err(_) => return Ok(held.token),
            },
            _ => cache.fetching.lock().await,
        };
        if let Some(outcome) = cache.meanwhile(asked) {
            return outcome;
        }
        let outcome = self.fetch(client_id, client_secret, scopes).await;
        let outcome = cache.keep(outcome);
        drop(fetching);
        outcome
    }

    async fn fetch(&self, id: &str, secret: &SecretString, scopes: &[String]) -> Result<Held> {
        let settings = &self.shared.settings;
        let scopes = scopes.join(",");
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret.expose_secret()),
        ];
        // An empty scope is not the same as none.
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        let request = self
            .shared
            .http
            .post(format!(
                "{}{ROUTE}",
                settings.endpoints.ims.trim_end_matches('/')
            ))
            .timeout(settings.timeout)
            .header(ACCEPT, "application/json")
            .form(&form);
        let purpose = Purpose {
            service: Service::Ims,
            method: "POST",
            route: ROUTE,
        };
        let started = Instant::now();
        let answer = self.exchange(purpose, request).await?;
        if answer.is_success() {
            let held = answer.read::<Issued>()?.held_since(started);
            if let Some(meter) = &self.meter {
                meter.renewed(SystemTime::now() + held.ends_at.duration_since(Instant::now()));
            }
            return Ok(held);
        }
        let refusal = Refusal {
            service: Service::Ims,
            deleting: false,
            fixed_token: false,
            status: answer.status,
            body: &answer.body,
            request_id: answer.request_id(),
            retry_after: answer.retry_after(),
        };
        Err(refusal.into_error(&[secret.expose_secret()]))
    }
}

/// What IMS issues.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    /// Seconds.
    expires_in: Value,
}

impl Issued {
    fn held_since(self, started: Instant) -> Held {
        // A life that cannot be read, or beyond all reason, is taken for an hour.
        let life = as_integer(&self.expires_in).and_then(|seconds| u64::try_from(seconds).ok());
        let life = Duration::from_secs(life.filter(|s| *s < 400_000_000).unwrap_or(3600));
        let ahead = AHEAD.min(life / 2);
        let ahead = ahead + jitter(ahead, 0.25);
        Held {
            token: Token(Arc::new(self.access_token.into())),
            renew_at: started + life.saturating_sub(ahead),
            ends_at: started + life,
        }
    }
}
