//! Waits between retries, and the jitter that keeps many waits from ending at the same moment.

use std::time::Duration;

/// An exponential backoff: `first`, twice that, four times that …, never more than `cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// A backoff between these bounds.
    #[must_use]
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap }
    }

    /// The wait after so many failures in a row, give or take 20 %.
    #[must_use]
    pub fn delay(self, failures: u32) -> Duration {
        let exact = self.exact_delay(failures);
        exact.mul_f64(0.8) + jitter(exact, 0.4)
    }

    /// The same without jitter, for a wait that is computed more than once.
    #[must_use]
    pub fn exact_delay(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        let factor = 2_u32.saturating_pow(doublings);
        self.first.saturating_mul(factor).min(self.cap)
    }
}

/// A random duration below this `share` of `duration`, to be added to a wait.
#[must_use]
pub fn jitter(duration: Duration, share: f64) -> Duration {
    duration.mul_f64(share * rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));

    #[test]
    fn the_delay_doubles_with_every_failure_up_to_the_cap() {
        let seconds = [1, 2, 3, 9, 10, u32::MAX].map(|n| BACKOFF.exact_delay(n).as_secs());
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn without_any_failure_the_delay_is_the_first_one() {
        assert_eq!(BACKOFF.exact_delay(0), Duration::from_secs(1));
    }

    #[test]
    fn a_first_delay_beyond_the_cap_is_capped() {
        let backoff = Backoff::new(Duration::from_secs(9), Duration::from_secs(5));
        assert_eq!(backoff.exact_delay(1), Duration::from_secs(5));
    }

    #[test]
    fn delays_differ_and_stay_within_a_fifth_of_the_exact_one() {
        let delays: Vec<_> = (0..1000).map(|_| BACKOFF.delay(4).as_secs_f64()).collect();
        assert!(delays.iter().all(|delay| (6.4..9.6).contains(delay)));
        assert!(delays.iter().any(|delay| *delay < 7.2));
        assert!(delays.iter().any(|delay| *delay > 8.8));
    }

    #[test]
    fn jitter_is_below_the_share() {
        let tenth = Duration::from_secs(1);
        assert!((0..1000).all(|_| jitter(tenth * 10, 0.1) < tenth));
        assert_eq!(jitter(Duration::ZERO, 0.5), Duration::ZERO);
    }
}
