//! When a dataflow runs, and which of that may still be changed.

use serde_json::{Map, Value};

use crate::adobe::PatchOp;
use crate::api::{self, Contract, Frequency};
use crate::kinds::compare;

/// How far ahead a start is set that the spec has in the past: Adobe refuses one that has passed when it arrives.
const MARGIN: i64 = 60;

const ONCE: &str = "once";

/// The schedule as the user wants it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ScheduleSpec {
    /// Seconds since 1970.
    pub start: i64,
    /// As Adobe spells it.
    pub frequency: &'static str,
    pub interval: Option<i64>,
    pub backfill: Option<bool>,
}

/// The schedule as Adobe holds it, whatever its spelling.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Schedule {
    /// Seconds since 1970.
    pub start: Option<i64>,
    pub frequency: Option<String>,
    pub interval: Option<i64>,
    pub backfill: Option<bool>,
}

impl Schedule {
    pub(super) fn read(params: Option<&Value>) -> Self {
        let get = |key: &str| params.and_then(|params| params.get(key));
        let frequency = get("frequency").and_then(Value::as_str);
        Self {
            start: get("startTime").and_then(compare::integer),
            frequency: frequency.map(str::to_ascii_lowercase),
            interval: get("interval").and_then(compare::integer),
            backfill: get("backfill").and_then(compare::flag),
        }
    }

    /// Whether the first run is due; a start that Adobe does not show counts as past.
    fn begun(&self, now: i64) -> bool {
        self.start.is_none_or(|start| start <= now)
    }
}

impl From<&api::Schedule> for ScheduleSpec {
    fn from(schedule: &api::Schedule) -> Self {
        Self {
            start: schedule.start_time.0.as_second(),
            frequency: match schedule.frequency {
                Frequency::Once => ONCE,
                Frequency::Minute => "minute",
                Frequency::Hour => "hour",
                Frequency::Day => "day",
                Frequency::Week => "week",
            },
            interval: schedule.interval.map(i64::from),
            backfill: schedule.backfill,
        }
    }
}

impl ScheduleSpec {
    /// The start that a new dataflow gets.
    pub(super) fn first_start(&self, now: i64, contract: Contract) -> i64 {
        match contract {
            Contract::Current if self.start <= now => now + MARGIN,
            Contract::Current | Contract::Legacy2020 => self.start,
        }
    }

    /// What is sent to create the schedule.
    pub(super) fn params(&self, start: i64, contract: Contract) -> Value {
        let mut params = Map::new();
        params.insert("startTime".into(), number(start, contract));
        params.insert("frequency".into(), self.frequency.into());
        if let Some(interval) = self.interval {
            params.insert("interval".into(), number(interval, contract));
        }
        if let Some(backfill) = self.backfill {
            params.insert("backfill".into(), backfill.into());
        }
        params.into()
    }

    /// What Adobe holds after a create.
    pub(super) fn image(&self, start: Option<i64>) -> Schedule {
        Schedule {
            start,
            frequency: Some(self.frequency.into()),
            interval: self.interval,
            backfill: self.backfill,
        }
    }

    /// What Adobe holds after a change.
    pub(super) fn changed(&self, held: &Schedule, now: i64) -> Schedule {
        Schedule {
            start: self.new_start(held, now).or(held.start),
            frequency: Some(self.frequency.into()),
            interval: self.interval.or(held.interval),
            backfill: self.backfill.or(held.backfill),
        }
    }

    /// The field that differs and that Adobe cannot change.
    pub(super) fn fixed(&self, held: &Schedule, now: i64) -> Option<&'static str> {
        let Some(frequency) = held.frequency.as_deref() else {
            return Some("`spec.schedule`");
        };
        if (frequency == ONCE) != (self.frequency == ONCE) {
            return Some("`spec.schedule.frequency`");
        }
        (self.new_backfill(held).is_some() && held.begun(now)).then_some("`spec.schedule.backfill`")
    }

    /// What has to change.
    pub(super) fn ops(&self, held: &Schedule, now: i64, contract: Contract) -> Vec<PatchOp> {
        let set = |key: &str, there: bool, value: Value| {
            let path = format!("/scheduleParams/{key}");
            if there {
                PatchOp::replace(path, value)
            } else {
                PatchOp::add(path, value)
            }
        };
        let mut ops = Vec::new();
        if held.frequency.as_deref() != Some(self.frequency) {
            let there = held.frequency.is_some();
            ops.push(set("frequency", there, self.frequency.into()));
        }
        if let Some(interval) = self.interval.filter(|_| self.interval != held.interval) {
            let there = held.interval.is_some();
            ops.push(set("interval", there, number(interval, contract)));
        }
        if let Some(start) = self.new_start(held, now) {
            ops.push(set("startTime", true, number(start, contract)));
        }
        if let Some(backfill) = self.new_backfill(held) {
            ops.push(set("backfill", held.backfill.is_some(), backfill.into()));
        }
        ops
    }

    /// A start can be moved only while both the old one and the new one lie ahead.
    fn new_start(&self, held: &Schedule, now: i64) -> Option<i64> {
        let movable = !held.begun(now) && self.start > now && held.start != Some(self.start);
        movable.then_some(self.start)
    }

    /// Where nothing is said about it, Adobe reads what is there already.
    fn new_backfill(&self, held: &Schedule) -> Option<bool> {
        let wanted = self.backfill?;
        (wanted != held.backfill.unwrap_or(true)).then_some(wanted)
    }
}

/// A number as the contract spells it.
pub(super) fn number(value: i64, contract: Contract) -> Value {
    match contract {
        Contract::Current => value.into(),
        Contract::Legacy2020 => value.to_string().into(),
    }
}
