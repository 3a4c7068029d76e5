//! The right to act: how long it lasts, and who asks.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::time::Instant;
use tower::BoxError;
use tower::filter::{FilterLayer, Predicate};

/// Whether this process may act. Cheap to clone; all clones tell the same.
///
/// It ends by the mere passing of time: who asks gets the right answer even where no task has run since, as after a pause
/// of the whole process.
#[derive(Clone, Debug)]
pub struct Leadership(Arc<Mutex<Term>>);

#[derive(Clone, Copy, Debug)]
enum Term {
    Unlimited,
    Until(Instant),
}

impl Leadership {
    /// For who is alone: it never ends.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(Arc::new(Mutex::new(Term::Unlimited)))
    }

    /// Not yet.
    pub(super) fn none() -> Self {
        Self(Arc::new(Mutex::new(Term::Until(Instant::now()))))
    }

    pub(super) fn extend(&self, until: Instant) {
        *self.term() = Term::Until(until);
    }

    pub(super) fn end(&self) {
        self.extend(Instant::now());
    }

    /// Whether this process may act now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.ends_at().is_none_or(|end| Instant::now() < end)
    }

    pub(super) fn ends_at(&self) -> Option<Instant> {
        match *self.term() {
            Term::Unlimited => None,
            Term::Until(end) => Some(end),
        }
    }

    /// For a client that shall send no request once the leadership has ended.
    #[must_use]
    pub fn guard(&self) -> FilterLayer<Self> {
        FilterLayer::new(self.clone())
    }

    /// Asks before every step of the work, and takes none once the leadership has ended.
    ///
    /// That covers what waits between the question and the act, such as a request whose connection is only being opened.
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

    fn term(&self) -> MutexGuard<'_, Term> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Predicate<R> for Leadership {
    type Request = R;

    fn check(&mut self, request: R) -> Result<R, BoxError> {
        if self.is_valid() {
            Ok(request)
        } else {
            Err("not sent: this replica does not lead any more".into())
        }
    }
}
