//! Whether this replica leads, and until when.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::time::Instant;
use tower::BoxError;
use tower::filter::{FilterLayer, Predicate};

/// Whether this process may act. Cheap to clone; all clones share one state.
///
/// It expires by the clock alone: the answer is right even if no task has run since, as after the whole process was
/// suspended.
#[derive(Clone, Debug)]
pub struct Leadership(Arc<Mutex<Validity>>);

#[derive(Clone, Copy, Debug)]
enum Validity {
    Unlimited,
    Until(Instant),
}

impl Leadership {
    /// Leadership without election, for a single replica: it never expires.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(Arc::new(Mutex::new(Validity::Unlimited)))
    }

    /// Leadership that has not been won yet.
    pub(super) fn none() -> Self {
        Self(Arc::new(Mutex::new(Validity::Until(Instant::now()))))
    }

    pub(super) fn extend(&self, until: Instant) {
        *self.validity() = Validity::Until(until);
    }

    pub(super) fn end(&self) {
        self.extend(Instant::now());
    }

    /// Whether this process may act now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.expires_at().is_none_or(|end| Instant::now() < end)
    }

    pub(super) fn expires_at(&self) -> Option<Instant> {
        match *self.validity() {
            Validity::Unlimited => None,
            Validity::Until(end) => Some(end),
        }
    }

    /// A layer for a client that must send no request once the leadership has expired.
    #[must_use]
    pub fn guard(&self) -> FilterLayer<Self> {
        FilterLayer::new(self.clone())
    }

    /// Polls the work only while the leadership is valid.
    ///
    /// This covers what waits between check and act, such as a request whose connection is still being opened.
    pub(super) async fn fence<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if self.is_valid() {
                work.as_mut().poll(cx)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    fn validity(&self) -> MutexGuard<'_, Validity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Predicate<R> for Leadership {
    type Request = R;

    fn check(&mut self, request: R) -> Result<R, BoxError> {
        if self.is_valid() {
            Ok(request)
        } else {
            Err("not sent: this replica is no longer the leader".into())
        }
    }
}
