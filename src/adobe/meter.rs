//! What is reported about every attempt, for metrics.

use std::time::{Duration, SystemTime};

use super::Service;

/// Receives every finished attempt, repeated ones and token requests included.
pub trait Meter: Send + Sync {
    /// An attempt has ended. Called on the request path: must be quick and must not block.
    fn observe(&self, attempt: &Attempt);

    /// A request is about to be sent with an access token that expires at this time.
    fn uses_token(&self, _expires_at: SystemTime) {}
}

/// One request that was sent, or that failed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The service that was called.
    pub service: Service,
    /// The HTTP method, in upper case.
    pub method: &'static str,
    /// The path below the service's base as a template such as `/flows/{id}`; never holds an id.
    pub route: &'static str,
    /// The HTTP status; `None` when no complete answer came.
    pub status: Option<u16>,
    /// From the first byte sent to the last byte read.
    pub elapsed: Duration,
}
