//! From the outcome of a pass to conditions. Pure: the same outcome twice gives the same status, so nothing is written.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{Timestamp, ToSpan as _, Unit};

use super::error::Error;
use super::reasons;
use crate::api::condition_types::{READY, RECONCILING, STALLED, SUSPENDED};
use crate::api::{CommonStatus, Condition, ConditionStatus};

/// What a user can do where the object at Adobe cannot be deleted.
const WAY_OUT: &str =
    ". To let this resource go and leave its object at Adobe, set `deletionPolicy: Orphan`";

/// How a pass ended, as conditions tell it.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// Adobe has what the spec says.
    Settled,
    /// The object exists, more steps follow.
    Progressing,
    /// The pass failed.
    Failed(&'a Error),
    /// Deletion failed or has to wait.
    Deleting(&'a Error),
    /// `spec.suspend` is set.
    Suspended,
}

/// Writes what the outcome means into the common status.
pub fn explain(status: &mut CommonStatus, generation: Option<i64>, outcome: &Outcome<'_>) {
    let mut scribe = Scribe { status, generation };
    match outcome {
        Outcome::Settled => {
            scribe.set(
                READY,
                ConditionStatus::True,
                reasons::SUCCEEDED,
                "Adobe has what the spec says",
            );
            scribe.clear(&[RECONCILING, STALLED, SUSPENDED]);
        }
        Outcome::Progressing => {
            let message = "created at Adobe, more steps follow";
            scribe.set(
                READY,
                ConditionStatus::Unknown,
                reasons::PROGRESSING,
                message,
            );
            scribe.set(
                RECONCILING,
                ConditionStatus::True,
                reasons::PROGRESSING,
                message,
            );
            scribe.clear(&[STALLED, SUSPENDED]);
        }
        Outcome::Failed(error) => scribe.failed(error),
        Outcome::Deleting(error) => {
            let verdict = error.verdict();
            let mut message = format!("cannot be deleted yet: {error}");
            if verdict.terminal || matches!(error, Error::Waiting { .. }) {
                message.push_str(WAY_OUT);
            }
            scribe.set(READY, ConditionStatus::False, verdict.reason, &message);
            scribe.set(
                RECONCILING,
                ConditionStatus::True,
                reasons::DELETING,
                &message,
            );
            scribe.clear(&[STALLED]);
            return;
        }
        Outcome::Suspended => scribe.suspended(),
    }
    status.observed_generation = generation;
}

/// Reports something that is worth a condition of its own only while it is true.
pub fn report(
    status: &mut CommonStatus,
    generation: Option<i64>,
    type_: &str,
    found: Option<(&str, &str)>,
) {
    let mut scribe = Scribe { status, generation };
    match found {
        Some((reason, message)) => scribe.set(type_, ConditionStatus::True, reason, message),
        None => scribe.clear(&[type_]),
    }
}

/// Tells of something that has a say in nothing else: as of the spec that the rest of the status speaks about.
pub fn tell(
    status: &mut CommonStatus,
    type_: &str,
    is_true: ConditionStatus,
    (reason, message): (&str, &str),
) {
    let generation = status.observed_generation;
    Scribe { status, generation }.set(type_, is_true, reason, message);
}

struct Scribe<'a> {
    status: &'a mut CommonStatus,
    generation: Option<i64>,
}

impl Scribe<'_> {
    fn failed(&mut self, error: &Error) {
        let verdict = error.verdict();
        let message = error.to_string();
        self.set(READY, ConditionStatus::False, verdict.reason, &message);
        self.clear(&[SUSPENDED]);
        if verdict.terminal {
            self.set(STALLED, ConditionStatus::True, verdict.reason, &message);
            self.clear(&[RECONCILING]);
        } else {
            let reason = match verdict.reason {
                reasons::DEPENDENCY_NOT_READY => reasons::DEPENDENCY_NOT_READY,
                _ => reasons::PROGRESSING_WITH_RETRY,
            };
            self.set(RECONCILING, ConditionStatus::True, reason, &message);
            self.clear(&[STALLED]);
        }
    }

    fn suspended(&mut self) {
        let message = "`spec.suspend` of it or of its Sandbox is true: nothing is changed at Adobe";
        let applied = self.status.observed_generation == self.generation;
        if !applied || self.status.condition(READY).is_none() {
            self.set(READY, ConditionStatus::Unknown, reasons::SUSPENDED, message);
        }
        self.set(
            SUSPENDED,
            ConditionStatus::True,
            reasons::SUSPENDED,
            message,
        );
        self.clear(&[RECONCILING, STALLED]);
    }

    fn clear(&mut self, types: &[&str]) {
        self.status
            .conditions
            .retain(|c| !types.contains(&c.type_.as_str()));
    }

    fn set(&mut self, type_: &str, status: ConditionStatus, reason: &str, message: &str) {
        let before = self.status.condition(type_);
        let since = before
            .filter(|c| c.status == status)
            .map(|c| c.last_transition_time.clone());
        let condition = Condition {
            type_: type_.to_owned(),
            status,
            observed_generation: self.generation,
            last_transition_time: since.unwrap_or_else(now),
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        match self.status.conditions.iter_mut().find(|c| c.type_ == type_) {
            Some(slot) => *slot = condition,
            None => self.status.conditions.push(condition),
        }
    }
}

/// Now, in whole seconds as Kubernetes keeps it: a finer time would differ after a round trip.
fn now() -> Time {
    let now = Timestamp::now();
    Time(now.round(Unit::Second).unwrap_or(now) - 0.seconds())
}
