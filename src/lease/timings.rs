//! The durations of leader election.

use std::time::Duration;

/// The durations of a lease. Always lease duration > renew deadline > 1.2 × retry period: the leader has stopped before
/// another candidate can begin, and has tried to renew more than once before it stops.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTimings {
    seconds: u16,
}

impl LeaseTimings {
    /// A lease of that many seconds.
    #[must_use]
    pub fn new(seconds: u16) -> Self {
        Self {
            seconds: seconds.max(1),
        }
    }

    /// How long a lease must be unchanged before another candidate takes it.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// How long the leader acts after its last renewal: two thirds of the duration.
    #[must_use]
    pub fn renew_deadline(self) -> Duration {
        self.duration() * 2 / 3
    }

    /// How often the leader renews and the others check: seven times per duration.
    #[must_use]
    pub fn retry_period(self) -> Duration {
        self.duration() / 7
    }

    /// How long one attempt may take, so that another one fits in before the renew deadline.
    pub(super) fn attempt_timeout(self) -> Duration {
        self.renew_deadline() / 2
    }

    pub(super) fn seconds(self) -> i32 {
        self.seconds.into()
    }
}
