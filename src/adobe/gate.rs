//! What holds a request back before it is sent: a pause that Adobe asked for, the bound on concurrent requests, the rate
//! limit. One gate for all handles whose requests Adobe counts together.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::retry::LONGEST_PAUSE;
use super::{Class, Error, Limits, Result, RetryPolicy, Service};
use crate::backoff::jitter;

pub(super) struct Gate {
    /// The limits of each handle.
    limits: Mutex<Vec<Limits>>,
    /// Held while waiting for a slot and for the rate limit: first come, first served.
    turn: tokio::sync::Mutex<Rate>,
    in_flight: AtomicU32,
    /// A request has ended, or the limits have changed.
    freed: Notify,
    pause: Mutex<Pause>,
    policy: RetryPolicy,
}

#[derive(Default)]
struct Pause {
    until: Option<Instant>,
    /// How many times in a row Adobe throttled without saying how long to wait.
    throttles: u32,
}

/// The part of one handle in a gate: its limits apply as long as it lives.
pub(super) struct Share {
    gate: Arc<Gate>,
    limits: Limits,
}

impl Share {
    pub(super) fn new(gate: Arc<Gate>, limits: Limits) -> Self {
        lock(&gate.limits).push(limits);
        Self { gate, limits }
    }

    #[cfg(test)]
    pub(super) fn gate(&self) -> Arc<Gate> {
        self.gate.clone()
    }
}

impl Deref for Share {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        &self.gate
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = lock(&self.gate.limits);
        if let Some(mine) = all.iter().position(|it| *it == self.limits) {
            all.swap_remove(mine);
        }
        self.gate.freed.notify_one();
    }
}

/// The right to send one request; the request may run as long as this lives.
pub(super) struct Slot<'g>(&'g Gate);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

impl Gate {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self {
            limits: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            in_flight: AtomicU32::default(),
            freed: Notify::default(),
            pause: Mutex::default(),
            policy,
        }
    }

    /// Waits until a request may be sent.
    ///
    /// A pause is waited out without holding a slot, and with jitter so that those who wait do not all start at once. A
    /// pause longer than the policy allows is [`Class::Throttled`] at once.
    pub(super) async fn admit(&self, service: Service, since: Instant) -> Result<Slot<'_>> {
        loop {
            self.wait_out(service, since).await?;
            // Without an order among those who wait, a busy sandbox could hold up some of them for ever.
            let mut rate = self.turn.lock().await;
            let slot = self.slot(&rate).await;
            if self.remaining().is_some() {
                continue;
            }
            while let Err(too_early) = rate.take(self.strictest()) {
                sleep(too_early).await;
            }
            // The pause may have begun while waiting for the rate.
            if self.remaining().is_none() {
                return Ok(slot);
            }
        }
    }

    /// Waits until fewer requests are in flight than allowed. Only who has the turn may, so nobody else takes the slot.
    async fn slot(&self, _turn: &Rate) -> Slot<'_> {
        while self.free_slots() == 0 {
            self.freed.notified().await;
        }
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Slot(self)
    }

    pub(super) fn free_slots(&self) -> u32 {
        let allowed = self.strictest().max_concurrent_requests;
        allowed.saturating_sub(self.in_flight.load(Ordering::Acquire))
    }

    /// The strictest limits of all handles.
    fn strictest(&self) -> Limits {
        let all = lock(&self.limits);
        let least = |of: fn(&Limits) -> u32| all.iter().map(of).min().unwrap_or(1).max(1);
        Limits {
            requests_per_second: least(|it| it.requests_per_second),
            burst: least(|it| it.burst),
            max_concurrent_requests: least(|it| it.max_concurrent_requests),
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
        let mut pause = lock(&self.pause);
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
        let mut pause = lock(&self.pause);
        if pause.until.is_none_or(|until| until <= Instant::now()) {
            *pause = Pause::default();
        }
    }

    /// What is left of the pause, if it has not ended.
    fn remaining(&self) -> Option<Duration> {
        let until = lock(&self.pause).until?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}

/// The rate limit. Limits that change take effect at once, and do not allow another burst.
#[derive(Default)]
struct Rate {
    /// When the requests so far would have been sent, had they been sent at the rate.
    paid_until: Option<Instant>,
}

impl Rate {
    /// Counts one request, or says how long it has to wait.
    fn take(&mut self, limits: Limits) -> std::result::Result<(), Duration> {
        let now = Instant::now();
        let interval = Duration::from_secs(1) / limits.requests_per_second;
        let paid_until = self.paid_until.map_or(now, |it| it.max(now)) + interval;
        let too_early = paid_until.saturating_duration_since(now + interval * limits.burst);
        if !too_early.is_zero() {
            return Err(too_early);
        }
        self.paid_until = Some(paid_until);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding one, and half a pause is still a pause.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
