//! What a request must pass before it may be sent: a pause that Adobe asked for, the bound on concurrent requests, the
//! rate limit. One gate per handle, shared by all its clones.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use super::Patience;
use crate::adobe::{Class, Error, Limits, Result, Service};
use crate::backoff::jitter;

/// The longest pause that is believed, whatever Adobe says.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

pub(in crate::adobe) struct Gate {
    slots: Semaphore,
    rate: RateLimiter<NotKeyed, InMemoryState, SinceStart, NoOpMiddleware<Duration>>,
    clock: SinceStart,
    pause: Mutex<Pause>,
    patience: Patience,
}

#[derive(Default)]
struct Pause {
    until: Option<Instant>,
    /// Times in a row that Adobe throttled without naming a time.
    strikes: u32,
}

/// Tokio's clock, so that tests may stop it.
#[derive(Clone)]
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Gate {
    pub(in crate::adobe) fn new(limits: Limits, patience: Patience) -> Self {
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(limits.requests_per_second))
            .allow_burst(at_least_one(limits.burst));
        let clock = SinceStart(Instant::now());
        Self {
            slots: Semaphore::new(at_least_one(limits.max_concurrent_requests).get() as usize),
            rate: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            pause: Mutex::default(),
            patience,
        }
    }

    /// Waits until a request may be sent; it may run as long as the permit lives.
    ///
    /// A pause is sat out without holding a permit, and with a bit of jitter so that the waiting do not start as one.
    /// A pause longer than our patience is [`Class::Throttled`] at once.
    pub(in crate::adobe) async fn admit(
        &self,
        service: Service,
        since: Instant,
    ) -> Result<SemaphorePermit<'_>> {
        loop {
            self.sit_out(service, since).await?;
            let permit = self.slots.acquire().await.map_err(|_| {
                Error::new(service, Class::Unreachable, "the client has been shut down")
            })?;
            if self.remaining().is_some() {
                continue;
            }
            while let Err(too_early) = self.rate.check() {
                sleep(too_early.wait_time_from(self.clock.now())).await;
            }
            // The pause may have begun while waiting for the rate.
            if self.remaining().is_none() {
                return Ok(permit);
            }
        }
    }

    /// Waits for the end of a short pause; a long one is an error, and so is one that would keep the caller, who waits
    /// `since` then, longer than a call may take.
    pub(in crate::adobe) async fn sit_out(&self, service: Service, since: Instant) -> Result<()> {
        while let Some(left) = self.remaining() {
            if left > self.patience.pause || since.elapsed() + left > self.patience.total {
                let message = "too many requests; calls are held back as long as Adobe asks";
                return Err(
                    Error::new(service, Class::Throttled, message).with_retry_after(Some(left))
                );
            }
            sleep(left + jitter(self.patience.backoff.exact_delay(1), 1.0)).await;
        }
        Ok(())
    }

    /// Adobe asks to be left alone, for `wait` if it said so. Returns how long the pause will be.
    pub(in crate::adobe) fn hold(&self, wait: Option<Duration>) -> Duration {
        let now = Instant::now();
        let mut pause = self.lock();
        let running = pause.until.is_some_and(|until| until > now);
        let wait = wait.map_or_else(
            || {
                // Requests that were under way together are throttled together: that is one strike.
                if !running {
                    pause.strikes = pause.strikes.saturating_add(1);
                }
                self.patience.throttled.delay(pause.strikes)
            },
            |asked| asked.min(LONGEST_PAUSE),
        );
        let until = pause
            .until
            .map_or(now + wait, |until| until.max(now + wait));
        pause.until = Some(until);
        until - now
    }

    /// A request succeeded: the next throttling is the first in a row.
    pub(in crate::adobe) fn eased(&self) {
        let mut pause = self.lock();
        if pause.until.is_none_or(|until| until <= Instant::now()) {
            *pause = Pause::default();
        }
    }

    /// What is left of the pause.
    fn remaining(&self) -> Option<Duration> {
        let until = self.lock().until?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    #[cfg(test)]
    pub(super) fn free_slots(&self) -> usize {
        self.slots.available_permits()
    }

    fn lock(&self) -> MutexGuard<'_, Pause> {
        // Nothing panics while holding it, and half a pause is still a pause.
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
