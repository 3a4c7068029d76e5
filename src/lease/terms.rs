//! How long a lease lasts, and what follows from that.

use std::time::Duration;

/// The times of a lease. Always duration > renew deadline > 1.2 × retry period: the leader has stopped before anybody else
/// may begin, and has tried to renew more than once before it stops.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    seconds: u16,
}

impl Terms {
    /// A lease of that many seconds.
    #[must_use]
    pub fn new(seconds: u16) -> Self {
        Self {
            seconds: seconds.max(1),
        }
    }

    /// How long the others leave a lease alone that they see unchanged.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// How long the leader leads after its last renewal: two thirds.
    #[must_use]
    pub fn renew_deadline(self) -> Duration {
        self.duration() * 2 / 3
    }

    /// How often the leader renews and the others look: seven times.
    #[must_use]
    pub fn retry_period(self) -> Duration {
        self.duration() / 7
    }

    /// How long one try may take, so that another one fits in before the renew deadline.
    pub(super) fn patience(self) -> Duration {
        self.renew_deadline() / 2
    }

    pub(super) fn seconds(self) -> i32 {
        self.seconds.into()
    }
}
