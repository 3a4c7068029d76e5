//! What a candidate knows about the lease, and what follows from that. Pure: time comes from outside.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

use super::Terms;

/// The lease as it was seen last, and since when it has looked like that.
///
/// Only this side's monotonic clock counts. The times in the lease were read off another machine's clock: they tell
/// that the lease has changed, never when.
#[derive(Debug)]
pub(super) struct Sight {
    spec: LeaseSpec,
    since: Instant,
}

/// Whose the lease is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It bears our name.
    Ours,
    /// Nobody's: never held, released, or not renewed for as long as it lasts.
    Free,
    /// Another one's.
    HeldBy(String),
}

impl Sight {
    /// Nothing was seen yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            spec: LeaseSpec::default(),
            since: now,
        }
    }

    /// Notes what the lease looks like now. One that was deleted may have a living holder, who will restore it: what was
    /// seen last goes on to count.
    pub(super) fn look(&mut self, spec: Option<&LeaseSpec>, now: Instant) {
        if let Some(spec) = spec.filter(|spec| **spec != self.spec) {
            self.spec = spec.clone();
            self.since = now;
        }
    }

    /// Whose the lease is.
    pub(super) fn standing(&self, me: &str, terms: Terms, now: Instant) -> Standing {
        match self.holder() {
            Some(holder) if holder == me => Standing::Ours,
            Some(holder) if now - self.since < self.duration(terms) => {
                Standing::HeldBy(holder.to_owned())
            }
            _ => Standing::Free,
        }
    }

    /// The same lease with our name on it.
    pub(super) fn claimed(&self, me: &str, terms: Terms, time: Timestamp) -> LeaseSpec {
        let mut spec = self.spec.clone();
        if self.holder() != Some(me) {
            spec.holder_identity = Some(me.to_owned());
            spec.acquire_time = Some(MicroTime(time));
            spec.lease_transitions =
                Some(spec.lease_transitions.map_or(0, |n| n.saturating_add(1)));
        }
        spec.lease_duration_seconds = Some(terms.seconds());
        spec.renew_time = Some(MicroTime(time));
        spec
    }

    fn holder(&self) -> Option<&str> {
        let holder = self.spec.holder_identity.as_deref();
        holder.filter(|holder| !holder.is_empty())
    }

    /// The holder relies on what it wrote, even where that is not our own setting.
    fn duration(&self, terms: Terms) -> Duration {
        let seconds = self.spec.lease_duration_seconds.unwrap_or_default();
        match u64::try_from(seconds) {
            Ok(seconds @ 1..) => Duration::from_secs(seconds),
            _ => terms.duration(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "me_1";
    const TERMS: fn() -> Terms = || Terms::new(15);

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

    fn standing(sight: &Sight, now: Instant) -> Standing {
        sight.standing(ME, TERMS(), now)
    }

    #[test]
    fn what_was_never_held_or_was_released_is_free_at_once() {
        let now = Instant::now();
        let mut sight = Sight::new(now);
        assert_eq!(standing(&sight, now), Standing::Free);
        for nobody in [None, Some(String::new())] {
            let released = LeaseSpec {
                holder_identity: nobody,
                ..held("other", 7)
            };
            sight.look(Some(&held("other", 7)), now);
            sight.look(Some(&released), now);
            assert_eq!(standing(&sight, now), Standing::Free);
        }
    }

    #[test]
    fn a_holder_is_left_alone_until_its_lease_was_seen_unchanged_for_as_long_as_it_lasts() {
        let start = Instant::now();
        let mut sight = Sight::new(start);
        let other = Standing::HeldBy("other".into());
        sight.look(Some(&held("other", 100)), start + seconds(60));
        assert_eq!(standing(&sight, start + seconds(74)), other);
        sight.look(Some(&held("other", 102)), start + seconds(74));
        assert_eq!(standing(&sight, start + seconds(88)), other);
        sight.look(Some(&held("other", 102)), start + seconds(88));
        assert_eq!(standing(&sight, start + seconds(89)), Standing::Free);
    }

    #[test]
    fn the_clock_of_the_holder_does_not_matter() {
        for renewed in [0, 253_402_207_200] {
            let now = Instant::now();
            let mut sight = Sight::new(now);
            sight.look(Some(&held("other", renewed)), now);
            let just_before = now + seconds(15) - Duration::from_millis(1);
            assert_eq!(
                standing(&sight, just_before),
                Standing::HeldBy("other".into())
            );
            assert_eq!(standing(&sight, now + seconds(15)), Standing::Free);
        }
    }

    #[test]
    fn the_holder_says_how_long_its_lease_lasts_unless_that_is_nonsense() {
        for (said, lasts) in [(Some(60), 60), (Some(0), 15), (Some(-1), 15), (None, 15)] {
            let now = Instant::now();
            let mut sight = Sight::new(now);
            let spec = LeaseSpec {
                lease_duration_seconds: said,
                ..held("other", 7)
            };
            sight.look(Some(&spec), now);
            assert_ne!(standing(&sight, now + seconds(lasts - 1)), Standing::Free);
            assert_eq!(standing(&sight, now + seconds(lasts)), Standing::Free);
        }
    }

    #[test]
    fn a_deleted_lease_is_left_for_its_holder_to_restore() {
        let now = Instant::now();
        let mut sight = Sight::new(now);
        sight.look(Some(&held("other", 7)), now);
        sight.look(None, now + seconds(14));
        assert_ne!(standing(&sight, now + seconds(14)), Standing::Free);
        assert_eq!(standing(&sight, now + seconds(15)), Standing::Free);
    }

    #[test]
    fn our_own_lease_is_ours_however_old() {
        let now = Instant::now();
        let mut sight = Sight::new(now);
        sight.look(Some(&held(ME, 7)), now);
        assert_eq!(standing(&sight, now + seconds(3600)), Standing::Ours);
        assert_eq!(
            sight.standing("me_2", TERMS(), now),
            Standing::HeldBy(ME.into()),
            "an earlier life of the same Pod is somebody else"
        );
    }

    #[test]
    fn a_takeover_counts_and_a_renewal_does_not() {
        let now = Instant::now();
        let mut sight = Sight::new(now);
        let time = Timestamp::from_second(200).unwrap();
        assert_eq!(
            sight.claimed(ME, TERMS(), time).lease_transitions,
            Some(0),
            "nobody held it before"
        );
        sight.look(Some(&held("other", 100)), now);
        let taken = sight.claimed(ME, TERMS(), time);
        assert_eq!(taken.holder_identity.as_deref(), Some(ME));
        assert_eq!(taken.lease_transitions, Some(5));
        assert_eq!(taken.acquire_time, Some(MicroTime(time)));
        sight.look(Some(&taken), now);
        let later = Timestamp::from_second(202).unwrap();
        let renewed = sight.claimed(ME, TERMS(), later);
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
            let terms = Terms::new(seconds);
            assert!(terms.duration() > terms.renew_deadline());
            assert!(terms.renew_deadline() > terms.retry_period().mul_f64(1.2));
            assert!(terms.renew_deadline() > terms.retry_period() + terms.patience());
        }
    }
}
