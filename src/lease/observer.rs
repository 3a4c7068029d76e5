//! What a candidate knows about the lease, and what follows from that. Pure: the caller passes the time.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

use super::LeaseTimings;

/// The lease as last observed, and since when it has been unchanged.
///
/// Only the local monotonic clock counts. The times in the lease come from another machine's clock: they show that the
/// lease has changed, never when.
#[derive(Debug)]
pub(super) struct LeaseObserver {
    spec: LeaseSpec,
    since: Instant,
}

/// Who holds the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LeaseState {
    /// This candidate.
    Ours,
    /// No one: it was never held, was released, or has expired.
    Free,
    /// Another candidate.
    HeldBy(String),
}

impl LeaseObserver {
    /// No lease has been observed yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            spec: LeaseSpec::default(),
            since: now,
        }
    }

    /// Records the lease as it is now. A deleted lease may have a live holder that will restore it, so the last one observed
    /// still counts.
    pub(super) fn observe(&mut self, spec: Option<&LeaseSpec>, now: Instant) {
        if let Some(spec) = spec.filter(|spec| **spec != self.spec) {
            self.spec = spec.clone();
            self.since = now;
        }
    }

    /// Who holds the lease.
    pub(super) fn state(&self, me: &str, timings: LeaseTimings, now: Instant) -> LeaseState {
        match self.holder() {
            Some(holder) if holder == me => LeaseState::Ours,
            Some(holder) if now - self.since < self.duration(timings) => {
                LeaseState::HeldBy(holder.to_owned())
            }
            _ => LeaseState::Free,
        }
    }

    /// The lease with this candidate as its holder.
    pub(super) fn claimed(&self, me: &str, timings: LeaseTimings, time: Timestamp) -> LeaseSpec {
        let mut spec = self.spec.clone();
        if self.holder() != Some(me) {
            spec.holder_identity = Some(me.to_owned());
            spec.acquire_time = Some(MicroTime(time));
            spec.lease_transitions =
                Some(spec.lease_transitions.map_or(0, |n| n.saturating_add(1)));
        }
        spec.lease_duration_seconds = Some(timings.seconds());
        spec.renew_time = Some(MicroTime(time));
        spec
    }

    fn holder(&self) -> Option<&str> {
        let holder = self.spec.holder_identity.as_deref();
        holder.filter(|holder| !holder.is_empty())
    }

    /// The holder relies on the duration that it wrote, even where ours is another.
    fn duration(&self, timings: LeaseTimings) -> Duration {
        let seconds = self.spec.lease_duration_seconds.unwrap_or_default();
        match u64::try_from(seconds) {
            Ok(seconds @ 1..) => Duration::from_secs(seconds),
            _ => timings.duration(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "me_1";
    const TIMINGS: fn() -> LeaseTimings = || LeaseTimings::new(15);

    fn held(by: &str, renewed: i64) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(by.into()),
            lease_duration_seconds: Some(15),
            lease_transitions: Some(4),
            renew_time: Some(MicroTime(Timestamp::from_second(renewed).unwrap())),
            ..LeaseSpec::default()
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn state(observer: &LeaseObserver, now: Instant) -> LeaseState {
        observer.state(ME, TIMINGS(), now)
    }

    #[test]
    fn what_was_never_held_or_was_released_is_free_at_once() {
        let now = Instant::now();
        let mut observer = LeaseObserver::new(now);
        assert_eq!(state(&observer, now), LeaseState::Free);
        for none in [None, Some(String::new())] {
            let released = LeaseSpec {
                holder_identity: none,
                ..held("other", 7)
            };
            observer.observe(Some(&held("other", 7)), now);
            observer.observe(Some(&released), now);
            assert_eq!(state(&observer, now), LeaseState::Free);
        }
    }

    #[test]
    fn a_lease_expires_once_it_was_observed_unchanged_for_its_duration() {
        let start = Instant::now();
        let mut observer = LeaseObserver::new(start);
        let other = LeaseState::HeldBy("other".into());
        observer.observe(Some(&held("other", 100)), start + seconds(60));
        assert_eq!(state(&observer, start + seconds(74)), other);
        observer.observe(Some(&held("other", 102)), start + seconds(74));
        assert_eq!(state(&observer, start + seconds(88)), other);
        observer.observe(Some(&held("other", 102)), start + seconds(88));
        assert_eq!(state(&observer, start + seconds(89)), LeaseState::Free);
    }

    #[test]
    fn the_clock_of_the_holder_does_not_matter() {
        for renewed in [0, 253_402_207_200] {
            let now = Instant::now();
            let mut observer = LeaseObserver::new(now);
            observer.observe(Some(&held("other", renewed)), now);
            let just_before = now + seconds(15) - Duration::from_millis(1);
            assert_eq!(
                state(&observer, just_before),
                LeaseState::HeldBy("other".into())
            );
            assert_eq!(state(&observer, now + seconds(15)), LeaseState::Free);
        }
    }

    #[test]
    fn the_duration_in_the_lease_counts_unless_it_is_invalid() {
        for (said, lasts) in [(Some(60), 60), (Some(0), 15), (Some(-1), 15), (None, 15)] {
            let now = Instant::now();
            let mut observer = LeaseObserver::new(now);
            let spec = LeaseSpec {
                lease_duration_seconds: said,
                ..held("other", 7)
            };
            observer.observe(Some(&spec), now);
            assert_ne!(state(&observer, now + seconds(lasts - 1)), LeaseState::Free);
            assert_eq!(state(&observer, now + seconds(lasts)), LeaseState::Free);
        }
    }

    #[test]
    fn a_deleted_lease_is_left_for_its_holder_to_restore() {
        let now = Instant::now();
        let mut observer = LeaseObserver::new(now);
        observer.observe(Some(&held("other", 7)), now);
        observer.observe(None, now + seconds(14));
        assert_ne!(state(&observer, now + seconds(14)), LeaseState::Free);
        assert_eq!(state(&observer, now + seconds(15)), LeaseState::Free);
    }

    #[test]
    fn our_own_lease_is_ours_however_old() {
        let now = Instant::now();
        let mut observer = LeaseObserver::new(now);
        observer.observe(Some(&held(ME, 7)), now);
        assert_eq!(state(&observer, now + seconds(3600)), LeaseState::Ours);
        assert_eq!(
            observer.state("me_2", TIMINGS(), now),
            LeaseState::HeldBy(ME.into()),
            "an earlier container of the same Pod is another candidate"
        );
    }

    #[test]
    fn a_takeover_counts_and_a_renewal_does_not() {
        let now = Instant::now();
        let mut observer = LeaseObserver::new(now);
        let time = Timestamp::from_second(200).unwrap();
        assert_eq!(
            observer.claimed(ME, TIMINGS(), time).lease_transitions,
            Some(0),
            "never held before"
        );
        observer.observe(Some(&held("other", 100)), now);
        let taken = observer.claimed(ME, TIMINGS(), time);
        assert_eq!(taken.holder_identity.as_deref(), Some(ME));
        assert_eq!(taken.lease_transitions, Some(5));
        assert_eq!(taken.acquire_time, Some(MicroTime(time)));
        observer.observe(Some(&taken), now);
        let later = Timestamp::from_second(202).unwrap();
        let renewed = observer.claimed(ME, TIMINGS(), later);
        assert_eq!(
            renewed,
            LeaseSpec {
                renew_time: Some(MicroTime(later)),
                ..taken
            }
        );
    }

    #[test]
    fn the_leader_stops_before_others_begin_and_tries_more_than_once() {
        for seconds in 0..=u16::MAX {
            let timings = LeaseTimings::new(seconds);
            assert!(timings.duration() > timings.renew_deadline());
            assert!(timings.renew_deadline() > timings.retry_period().mul_f64(1.2));
            assert!(timings.renew_deadline() > timings.retry_period() + timings.attempt_timeout());
        }
    }
}
