//! Access tokens: fetched from IMS, shared by all calls with the same credentials, renewed before they expire.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::error::Refusal;
use super::tolerant::as_integer;
use super::transport::{Purpose, Transport};
use super::{Class, Credentials, Error, Result, Service, Settings};
use crate::backoff::jitter;

const ROUTE: &str = "/ims/token/v3";
/// How long before its expiry a token is renewed, unless its lifetime is shorter than twice that.
const RENEW_BEFORE: Duration = Duration::from_secs(500);
/// After a failed renewal, how long a token that is still valid is used before renewal is tried again.
const RENEWAL_RETRY: Duration = Duration::from_secs(30);
/// How long refused credentials are not sent again.
const REFUSAL_TTL: Duration = Duration::from_secs(5);

/// An access token; cheap to clone.
#[derive(Clone)]
pub(super) struct Token(Arc<TokenParts>);

struct TokenParts {
    secret: SecretString,
    /// When it expires, if that is known.
    expires_at: Option<SystemTime>,
}

impl Token {
    pub(super) fn new(secret: SecretString, expires_at: Option<SystemTime>) -> Self {
        Self(Arc::new(TokenParts { secret, expires_at }))
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.0.secret
    }

    pub(super) fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Whether both were issued by the same answer of IMS.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The token of one account. However many calls need one, at most one request to IMS is in flight.
#[derive(Default)]
pub(super) struct TokenCache {
    state: RwLock<State>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    cached: Option<CachedToken>,
    failure: Option<Failure>,
}

struct Failure {
    at: Instant,
    /// Until when IMS is not asked again: as long as it says, and for a moment if it refused the credentials.
    until: Instant,
    error: Error,
}

#[derive(Clone)]
struct CachedToken {
    token: Token,
    renew_at: Instant,
    expires_at: Instant,
}

impl TokenCache {
    /// Removes `token`, unless it was replaced already.
    pub(super) fn invalidate(&self, token: &Token) {
        let mut state = self.write();
        if state
            .cached
            .as_ref()
            .is_some_and(|cached| cached.token.is_same(token))
        {
            state.cached = None;
        }
    }

    fn cached(&self) -> Option<CachedToken> {
        self.read().cached.clone()
    }

    /// The failure that a caller who asked at `asked` gets without a request: one that happened since, or one after which
    /// IMS is not asked yet.
    fn failure(&self, asked: Instant) -> Option<Error> {
        let state = self.read();
        let failure = state.failure.as_ref()?;
        let left = failure.until.saturating_duration_since(Instant::now());
        let error = failure.error.clone();
        let paused = error.retry_after().map(|_| left);
        (failure.at >= asked || !left.is_zero()).then(|| error.with_retry_after(paused))
    }

    /// The outcome of a request that another caller made since `asked`.
    fn fetched_since(&self, asked: Instant) -> Option<Result<Token>> {
        let renewed = self
            .cached()
            .filter(|cached| Instant::now() < cached.renew_at);
        renewed
            .map(|cached| Ok(cached.token))
            .or_else(|| self.failure(asked).map(Err))
    }

    /// Stores the outcome of a request. Where it failed, a token that is still valid stays in use.
    fn store(&self, outcome: Result<CachedToken>) -> Result<Token> {
        let now = Instant::now();
        let mut state = self.write();
        let error = match outcome {
            Ok(cached) => {
                let token = cached.token.clone();
                *state = State {
                    cached: Some(cached),
                    failure: None,
                };
                return Ok(token);
            }
            Err(error) => error,
        };
        let refused = *error.class() == Class::CredentialsRejected;
        let pause = match error.retry_after() {
            Some(asked) => asked,
            None if refused => REFUSAL_TTL,
            None => Duration::ZERO,
        };
        state.failure = Some(Failure {
            at: now,
            until: now + pause,
            error: error.clone(),
        });
        match &mut state.cached {
            Some(cached) if now < cached.expires_at => {
                cached.renew_at = cached.expires_at.min(now + RENEWAL_RETRY);
                Ok(cached.token.clone())
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

impl TokenCache {
    /// A token that is valid now.
    pub(super) async fn token(&self, transport: &Transport, settings: &Settings) -> Result<Token> {
        let Credentials::OAuth { .. } = settings.credentials else {
            let fixed = settings.credentials.secret().clone();
            return Ok(Token::new(fixed, None));
        };
        let asked = Instant::now();
        let fetching = match self.cached() {
            Some(cached) if asked < cached.renew_at => return Ok(cached.token),
            // Still valid: one caller renews it, the others go on using it.
            Some(cached) if asked < cached.expires_at => match self.fetching.try_lock() {
                Ok(fetching) => fetching,
                Err(_) => return Ok(cached.token),
            },
            _ => self.fetching.lock().await,
        };
        if let Some(outcome) = self.fetched_since(asked) {
            return outcome;
        }
        let outcome = fetch(transport, settings).await;
        let outcome = self.store(outcome);
        drop(fetching);
        outcome
    }
}

/// Requests a token from IMS.
async fn fetch(transport: &Transport, settings: &Settings) -> Result<CachedToken> {
    let secret = settings.credentials.secret().expose_secret();
    let scopes = settings.credentials.scopes().join(",");
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", settings.credentials.client_id()),
        ("client_secret", secret),
    ];
    // An empty scope is not the same as none.
    if !scopes.is_empty() {
        form.push(("scope", &scopes));
    }
    let ims = settings.endpoints.ims.trim_end_matches('/');
    let request = transport
        .http
        .post(format!("{ims}{ROUTE}"))
        .timeout(settings.timeout)
        .header(ACCEPT, "application/json")
        .form(&form);
    let purpose = Purpose {
        service: Service::Ims,
        method: "POST",
        route: ROUTE,
    };
    let started = Instant::now();
    let answer = transport.exchange(purpose, request).await?;
    if answer.is_success() {
        return Ok(answer.read::<Issued>()?.cached_since(started));
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
    Err(refusal.into_error(&transport.redactor, &[]))
}

/// What IMS issues.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    /// Seconds.
    expires_in: Value,
}

impl Issued {
    fn cached_since(self, started: Instant) -> CachedToken {
        // A lifetime that cannot be read, or is absurdly long, is taken to be an hour.
        let lifetime = as_integer(&self.expires_in).and_then(|seconds| u64::try_from(seconds).ok());
        let lifetime = Duration::from_secs(lifetime.filter(|s| *s < 400_000_000).unwrap_or(3600));
        let ahead = RENEW_BEFORE.min(lifetime / 2);
        let ahead = ahead + jitter(ahead, 0.25);
        let ends_at = SystemTime::now() + lifetime.saturating_sub(started.elapsed());
        CachedToken {
            token: Token::new(self.access_token.into(), Some(ends_at)),
            renew_at: started + lifetime.saturating_sub(ahead),
            expires_at: started + lifetime,
        }
    }
}
