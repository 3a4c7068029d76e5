//! From the outcome of a reconcile to conditions. Pure: the same outcome twice gives the same status, so nothing is written.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{Timestamp, ToSpan as _, Unit};

use crate::api::condition_types::{READY, RECONCILING, STALLED, SUSPENDED};
use crate::api::{CommonStatus, Condition, ConditionStatus};
use crate::engine::error::Error;
use crate::engine::reasons;

/// What a user can do where the object at Adobe cannot be deleted.
const WAY_OUT: &str =
    ". To let this resource go and leave its object at Adobe, set `deletionPolicy: Orphan`";

/// How a reconcile ended, as conditions show it.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// Adobe has what the spec says.
    Synced,
    /// The object exists, more steps follow.
    Progressing,
    /// The reconcile failed.
    Failed(&'a Error),
    /// Deletion failed or has to wait.
    Deleting(&'a Error),
    /// `spec.suspend` is set.
    Suspended,
}

/// Writes what the outcome means into the common status.
pub fn set_outcome(status: &mut CommonStatus, generation: Option<i64>, outcome: &Outcome<'_>) {
    let mut conditions = Conditions { status, generation };
    match outcome {
        Outcome::Synced => {
            conditions.set(
                READY,
                ConditionStatus::True,
                reasons::SUCCEEDED,
                "Adobe has what the spec says",
            );
            conditions.clear(&[RECONCILING, STALLED, SUSPENDED]);
            status.synced_generation = generation;
        }
        Outcome::Progressing => {
            let message = "created at Adobe, more steps follow";
            conditions.set(
                READY,
                ConditionStatus::Unknown,
                reasons::PROGRESSING,
                message,
            );
            conditions.set(
                RECONCILING,
                ConditionStatus::True,
                reasons::PROGRESSING,
                message,
            );
            conditions.clear(&[STALLED, SUSPENDED]);
        }
        Outcome::Failed(error) => conditions.failed(error),
        Outcome::Deleting(error) => {
            let verdict = error.verdict();
            let mut message = format!("cannot be deleted yet: {error}");
            if verdict.terminal || matches!(error, Error::Waiting { .. } | Error::Pending(_)) {
                message.push_str(WAY_OUT);
            }
            conditions.set(READY, ConditionStatus::False, verdict.reason, &message);
            conditions.set(
                RECONCILING,
                ConditionStatus::True,
                reasons::DELETING,
                &message,
            );
            conditions.clear(&[STALLED]);
            return;
        }
        Outcome::Suspended => conditions.suspended(),
    }
    status.observed_generation = generation;
}

/// Sets a condition that is present only while it is true.
pub fn set_if_found(
    status: &mut CommonStatus,
    generation: Option<i64>,
    type_: &str,
    found: Option<(&str, &str)>,
) {
    let mut conditions = Conditions { status, generation };
    match found {
        Some((reason, message)) => conditions.set(type_, ConditionStatus::True, reason, message),
        None => conditions.clear(&[type_]),
    }
}

/// Sets a condition that says nothing about `Ready`: as of the generation that the rest of the status speaks about.
pub fn set_condition(
    status: &mut CommonStatus,
    type_: &str,
    is_true: ConditionStatus,
    (reason, message): (&str, &str),
) {
    let generation = status.observed_generation;
    Conditions { status, generation }.set(type_, is_true, reason, message);
}

struct Conditions<'a> {
    status: &'a mut CommonStatus,
    generation: Option<i64>,
}

impl Conditions<'_> {
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
