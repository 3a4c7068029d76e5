//! What holds a request back before it is sent: a pause that Adobe asked for, the bound on concurrent requests, the rate
//! limit. One gate per handle, shared by all its clones.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use super::{Class, Error, Limits, Result, RetryPolicy, Service};
use crate::backoff::jitter;

/// The longest pause, whatever Adobe asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

pub(super) struct Gate {
    slots: Semaphore,
    /// Held while waiting for the rate limit: first come, first served.
    turn: tokio::sync::Mutex<()>,
    rate: RateLimiter<NotKeyed, InMemoryState, SinceStart, NoOpMiddleware<Duration>>,
    clock: SinceStart,
    pause: Mutex<Pause>,
    policy: RetryPolicy,
}

#[derive(Default)]
struct Pause {
    until: Option<Instant>,
    /// How many times in a row Adobe throttled without saying how long to wait.
    throttles: u32,
}

/// Tokio's clock, so that tests can pause it.
#[derive(Clone)]
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Gate {
    pub(super) fn new(limits: Limits, policy: RetryPolicy) -> Self {
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(limits.requests_per_second))
            .allow_burst(at_least_one(limits.burst));
        let clock = SinceStart(Instant::now());
        Self {
            slots: Semaphore::new(at_least_one(limits.max_concurrent_requests).get() as usize),
            turn: tokio::sync::Mutex::default(),
            rate: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            pause: Mutex::default(),
            policy,
        }
    }

    /// Waits until a request may be sent; it may run as long as the permit lives.
    ///
    /// A pause is waited out without holding a permit, and with jitter so that those who wait do not all start at once. A
    /// pause longer than the policy allows is [`Class::Throttled`] at once.
    pub(super) async fn admit(
        &self,
        service: Service,
        since: Instant,
    ) -> Result<SemaphorePermit<'_>> {
        loop {
            self.wait_out(service, since).await?;
            let permit = self.slots.acquire().await.map_err(|_| {
                Error::new(service, Class::Unreachable, "the client has been shut down")
            })?;
            if self.remaining().is_some() {
                continue;
            }
            self.wait_for_rate().await;
            // The pause may have begun while waiting for the rate.
            if self.remaining().is_none() {
                return Ok(permit);
            }
        }
    }

    /// Waits for the rate limit. Without an order among those who wait, a busy sandbox could hold up some of them for ever.
    async fn wait_for_rate(&self) {
        let _turn = self.turn.lock().await;
        while let Err(too_early) = self.rate.check() {
            sleep(too_early.wait_time_from(self.clock.now())).await;
        }
    }

    /// Waits for the end of a short pause. A long one is an error, and so is one that would end after the deadline of a call
    /// that began at `since`.
    pub(super) async fn wait_out(&self, service: Service, since: Instant) -> Result<()> {
        while let Some(left) = self.remaining() {
            if left > self.policy.max_pause || since.elapsed() + left > self.policy.deadline {
                let message = "too many requests; calls are held back as long as Adobe asks";
                return Err(
                    Error::new(service, Class::Throttled, message).with_retry_after(Some(left))
                );
            }
            sleep(left + jitter(self.policy.backoff.exact_delay(1), 1.0)).await;
        }
        Ok(())
    }

    /// Starts or extends the pause: for `wait` if Adobe named a time. Returns what is left of it.
    pub(super) fn pause_for(&self, wait: Option<Duration>) -> Duration {
        let now = Instant::now();
        let mut pause = self.lock();
        let running = pause.until.is_some_and(|until| until > now);
        let wait = wait.map_or_else(
            || {
                // Requests that were in flight together are throttled together: that counts once.
                if !running {
                    pause.throttles = pause.throttles.saturating_add(1);
                }
                self.policy.throttle.delay(pause.throttles)
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
    pub(super) fn reset(&self) {
        let mut pause = self.lock();
        if pause.until.is_none_or(|until| until <= Instant::now()) {
            *pause = Pause::default();
        }
    }

    /// What is left of the pause, if it has not ended.
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
