//! When a call is repeated.

use std::time::Duration;

use crate::backoff::Backoff;

/// The longest pause, whatever Adobe asks for.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How often, how soon and for how long a call is repeated before its failure is reported. This is a matter of seconds: a
/// caller that wants to wait longer decides that itself, knowing why.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryPolicy {
    /// Repetitions after the first attempt.
    pub max_retries: u32,
    /// No repetition starts later than this after the first attempt.
    pub deadline: Duration,
    /// The delays before repetitions.
    pub backoff: Backoff,
    /// The longest pause asked for by Adobe that a call waits out.
    pub max_pause: Duration,
    /// The pauses after a throttled request whose answer does not say how long to wait.
    pub throttle: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 2,
            deadline: Duration::from_secs(10),
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(2)),
            max_pause: Duration::from_secs(2),
            throttle: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
        }
    }
}
