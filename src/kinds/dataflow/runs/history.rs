//! What is remembered of runs, and what of it is written into the status.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::adobe::Run;
use crate::api::{
    CurrentRun, Dataflow, DataflowStatus, FIGURE_MAX, LastRun, RUN_ERROR_MAX, RUN_ID_MAX,
    RUN_STATE_MAX,
};
use crate::kinds::dataflow::outcome::Outcome;

/// How far a poll reaches back beyond the one before: runs may be listed late, and our clock may be ahead of Adobe's.
const OVERLAP: i64 = 5 * 60 * 1000;
/// How far a poll reaches back at most. What happened before is found by way of the flows, each of which names its last
/// run.
const REACH: i64 = 60 * 60 * 1000;

/// The last run that a flow names: id, and start in milliseconds since 1970.
pub(in crate::kinds::dataflow) type LastRunRef = (String, Option<i64>);

/// The runs of all flows in a sandbox.
#[derive(Debug, Default)]
pub(super) struct History {
    /// When the last poll began that succeeded, in milliseconds since 1970.
    pub(super) polled: Option<i64>,
    pub(super) flows: HashMap<String, FlowRuns>,
    /// Ids that Adobe does not find: it deletes old runs.
    pub(super) absent: HashSet<String>,
}

impl History {
    pub(super) fn since(&self, now: i64) -> i64 {
        let polled = self.polled.unwrap_or(now);
        polled.clamp(now - REACH, now) - OVERLAP
    }

    /// Forgets all flows but those of these dataflows.
    pub(super) fn keep(&mut self, dataflows: &[Arc<Dataflow>]) {
        let ids: HashSet<_> = dataflows.iter().filter_map(|it| flow_id(it)).collect();
        self.flows.retain(|id, _| ids.contains(id.as_str()));
        for id in ids {
            self.flows.entry(id.to_owned()).or_default();
        }
    }

    /// Records these runs, as far as they are of known flows.
    pub(super) fn learn(&mut self, runs: &[Run]) {
        for run in runs.iter().filter(|run| !run.id.is_empty()) {
            if let Some(known) = self.flows.get_mut(&run.flow_id) {
                known.learn(run);
            }
        }
    }

    /// Ids of the runs of which more must be known: those under way, and those that a flow names as its last one.
    pub(super) fn missing(
        &mut self,
        dataflows: &[Arc<Dataflow>],
        read: &HashSet<&str>,
        last: impl Fn(&str) -> Option<LastRunRef>,
    ) -> Vec<String> {
        let mut wanted = HashSet::new();
        for dataflow in dataflows {
            let (Some(flow), Some(status)) = (flow_id(dataflow), &dataflow.status) else {
                continue;
            };
            let known = self.flows.get(flow).cloned().unwrap_or_default();
            wanted.extend(known.open(status, last(flow)));
        }
        self.absent.retain(|id| wanted.contains(id));
        let new = |id: &String| !read.contains(id.as_str()) && !self.absent.contains(id);
        let mut missing: Vec<_> = wanted.into_iter().filter(new).collect();
        missing.sort();
        missing
    }

    pub(super) fn has_news(&self, dataflow: &Dataflow) -> bool {
        let known = flow_id(dataflow).and_then(|id| self.flows.get(id));
        let (Some(known), Some(status)) = (known, &dataflow.status) else {
            return false;
        };
        let mut updated = status.clone();
        known.bring_up(&mut updated);
        updated != *status
    }
}

fn flow_id(dataflow: &Dataflow) -> Option<&str> {
    dataflow.status.as_ref()?.common.id.as_deref()
}

/// What is known of one flow's runs.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowRuns {
    /// The latest one that has ended.
    ended: Option<Run>,
    /// A later one that has not.
    current: Option<Run>,
    /// When one last ended with success, in milliseconds since 1970.
    succeeded: Option<i64>,
}

impl FlowRuns {
    pub(super) fn learn(&mut self, run: &Run) {
        let outcome = Outcome::of(run);
        if outcome == Outcome::Running {
            let outdated = |other: &Option<Run>| {
                let newer = |it: &Run| it.id != run.id && it.started_at > run.started_at;
                other.as_ref().is_some_and(newer)
            };
            let ended = self.ended.as_ref().is_some_and(|it| it.id == run.id);
            if !ended && !outdated(&self.ended) && !outdated(&self.current) {
                self.current = Some(run.clone());
            }
            return;
        }
        if outcome.is_success() {
            self.succeeded = self.succeeded.max(run.completed_at.or(run.started_at));
        }
        let latest = self.ended.as_ref();
        if latest.is_none_or(|it| it.id == run.id || it.started_at <= run.started_at) {
            self.ended = Some(run.clone());
        }
        let over = |it: &mut Run| it.id == run.id || it.started_at < run.started_at;
        self.current.take_if(over);
    }

    /// Ids of runs that had not ended when they were read last, or that were never read.
    pub(super) fn open(
        &self,
        status: &DataflowStatus,
        last: Option<LastRunRef>,
    ) -> HashSet<String> {
        let reported = status.last_run.as_ref();
        let ended = [
            self.ended.as_ref().map(|it| it.id.as_str()),
            reported.map(|it| it.id.as_str()),
        ];
        let start = reported.and_then(|it| it.start_time.as_ref());
        let start = start.map(|it| it.0.as_millisecond());
        let latest = self.ended.as_ref().and_then(|it| it.started_at).max(start);
        let is_later = |start: Option<i64>| latest.is_none() || start > latest;
        let named = last.filter(|(_, start)| is_later(*start)).map(|it| it.0);
        let under_way = match &self.current {
            Some(run) => Some(run.id.clone()),
            None => status.current_run.as_ref().map(|it| it.id.clone()),
        };
        let ids = named.into_iter().chain(under_way);
        ids.filter(|id| !ended.contains(&Some(id.as_str())) && is_id(id))
            .collect()
    }

    /// Writes what is new into the status. Where nothing is known, the status stays as it is.
    pub(super) fn bring_up(&self, status: &mut DataflowStatus) {
        if let Some(run) = &self.ended {
            let run = ended(run);
            let reported = status.last_run.as_ref();
            if reported.is_none_or(|it| it.id == run.id || it.start_time <= run.start_time) {
                status.last_run = Some(run);
            }
        }
        let succeeded = self.succeeded.and_then(time);
        status.last_success_time = status.last_success_time.take().max(succeeded);
        if let Some(run) = &self.current {
            status.current_run = Some(CurrentRun {
                id: cut(&run.id, RUN_ID_MAX),
                start_time: run.started_at.and_then(time),
            });
        }
        let last = status.last_run.as_ref();
        let over = |current: &mut CurrentRun| {
            let over = |it: &LastRun| it.id == current.id || it.start_time > current.start_time;
            last.is_some_and(over)
        };
        status.current_run.take_if(over);
    }
}

/// Whether an id means nothing but itself in a filter.
fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !id.is_empty() && id.chars().all(plain)
}

/// A run that has ended, within the bounds of the status.
fn ended(run: &Run) -> LastRun {
    let state = match Outcome::of(run) {
        Outcome::Succeeded => "success",
        Outcome::Partial => "partialSuccess",
        Outcome::Failed => "failed",
        Outcome::Running | Outcome::Other => run.status.as_deref().unwrap_or_default(),
    };
    let state = if state.is_empty() { "unknown" } else { state };
    let bounded = |count: Option<i64>| count.map(|it| it.clamp(0, FIGURE_MAX));
    let duration = run.completed_at.zip(run.started_at);
    let duration = duration.map(|(end, start)| end.saturating_sub(start) / 1000);
    LastRun {
        id: cut(&run.id, RUN_ID_MAX),
        state: cut(state, RUN_STATE_MAX),
        start_time: run.started_at.and_then(time),
        completion_time: run.completed_at.and_then(time),
        duration_seconds: bounded(duration),
        records_read: bounded(run.records_read),
        records_written: bounded(run.records_written),
        records_failed: bounded(run.records_failed),
        error: run.error.as_deref().map(|it| cut(it, RUN_ERROR_MAX)),
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// An instant in whole seconds, as Kubernetes keeps it.
pub(super) fn time(millis: i64) -> Option<Time> {
    let seconds = millis.div_euclid(1000);
    let sane = (0..=253_402_300_799).contains(&seconds);
    let instant = Timestamp::from_second(seconds).ok().filter(|_| sane);
    instant.map(Time)
}
