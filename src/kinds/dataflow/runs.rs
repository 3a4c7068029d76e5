//! The runs of dataflows: polled in one go per sandbox, reported in the status, in events and in metrics.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use prometheus_client::encoding::DescriptorEncoder;

use super::metrics;
use super::outcome::{Outcome, outcome};
use crate::adobe::Run;
use crate::api::condition_types::LAST_RUN_SUCCEEDED;
use crate::api::{
    ConditionStatus, CurrentRun, Dataflow, DataflowStatus, FIGURE_MAX, FlowState, LastRun,
    RUN_ERROR_MAX, RUN_ID_MAX, RUN_STATE_MAX,
};
use crate::engine::{Events, Observing, Result, Session, set_condition};

/// How far a poll reaches back beyond the one before: runs may be listed late, and our clock may be ahead of Adobe's.
const OVERLAP: i64 = 5 * 60 * 1000;
/// How far a poll reaches back at most. What happened before is found by way of the flows, each of which names its last
/// run.
const REACH: i64 = 60 * 60 * 1000;

/// Reasons of the condition `LastRunSucceeded`.
mod reasons {
    pub(super) const SUCCEEDED: &str = "RunSucceeded";
    pub(super) const PARTIALLY_SUCCEEDED: &str = "RunPartiallySucceeded";
    pub(super) const FAILED: &str = "RunFailed";
    pub(super) const OUTCOME_UNKNOWN: &str = "RunOutcomeUnknown";
    pub(super) const NO_RUN_YET: &str = "NoRunYet";
}

impl Observing<Dataflow> for Runs {
    const PERIOD: Option<Duration> = Some(Duration::from_secs(120));

    /// One call for the recent runs of all dataflows, and one for those of which more must be known.
    async fn poll(session: &Session, dataflows: &[Arc<Dataflow>]) -> Result<Vec<Arc<Dataflow>>> {
        if !dataflows.iter().any(|it| may_run(it)) {
            return Ok(Vec::new());
        }
        let flows = session.collection::<Dataflow>();
        let runs = &flows.memory;
        let begun = Timestamp::now().as_millisecond();
        let adobe = session.adobe();
        let service = adobe.flow_service();
        let since = runs.history().since(begun);
        let recent = service.runs_since(since).await?;
        let missing = {
            let mut history = runs.history();
            history.keep(dataflows);
            history.learn(&recent);
            let seen: HashSet<_> = recent.iter().map(|run| run.id.as_str()).collect();
            let last = |flow: &str| flows.index(|it| it.get(flow))?.last_run.clone();
            history.missing(dataflows, &seen, last)
        };
        let older = service.runs_by_id(&missing).await?;
        let mut history = runs.history();
        history.learn(&older);
        let found: HashSet<_> = older.into_iter().map(|run| run.id).collect();
        let absent = missing.into_iter().filter(|id| !found.contains(id));
        history.absent.extend(absent);
        history.polled = Some(begun);
        let news = dataflows.iter().filter(|it| history.has_news(it));
        Ok(news.cloned().collect())
    }

    /// Writes what is known into the status; a new outcome also becomes an event.
    fn report(
        session: Option<&Session>,
        dataflow: &Dataflow,
        status: &mut DataflowStatus,
        events: &mut Events,
    ) {
        let Some(id) = status.common.id.clone() else {
            return;
        };
        if let Some(session) = session {
            let flows = session.collection::<Dataflow>();
            if let Some(known) = flows.memory.history().flows.get(&id) {
                known.bring_up(status);
            }
        }
        conclude(status);
        let before = dataflow.status.as_ref();
        announce(before.and_then(|it| it.last_run.as_ref()), status, events);
    }

    fn encode(
        dataflows: &[Arc<Dataflow>],
        is_suspended: &dyn Fn(&str, &str) -> bool,
        encoder: &mut DescriptorEncoder<'_>,
    ) -> std::fmt::Result {
        metrics::encode(dataflows, is_suspended, encoder)
    }
}

/// Whether a poll can show anything: a disabled dataflow may still have a run to end.
fn may_run(dataflow: &Dataflow) -> bool {
    let status = dataflow.status.as_ref();
    dataflow.spec.state == FlowState::Enabled || status.is_some_and(|it| it.current_run.is_some())
}

/// The last run that a flow names: id, and start in milliseconds since 1970.
pub(super) type LastRunRef = (String, Option<i64>);

/// What is remembered of the runs in a sandbox. All of it may be lost.
#[derive(Debug, Default)]
pub struct Runs(Mutex<History>);

impl Runs {
    fn history(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct History {
    /// When the last poll began that succeeded, in milliseconds since 1970.
    polled: Option<i64>,
    flows: HashMap<String, FlowRuns>,
    /// Ids that were asked for in vain: Adobe forgets old runs.
    absent: HashSet<String>,
}

impl History {
    fn since(&self, now: i64) -> i64 {
        let polled = self.polled.unwrap_or(now);
        polled.clamp(now - REACH, now) - OVERLAP
    }

    /// Forgets all flows but those of these dataflows.
    fn keep(&mut self, dataflows: &[Arc<Dataflow>]) {
        let ids: HashSet<_> = dataflows.iter().filter_map(|it| flow_id(it)).collect();
        self.flows.retain(|id, _| ids.contains(id.as_str()));
        for id in ids {
            self.flows.entry(id.to_owned()).or_default();
        }
    }

    /// Notes these runs, as far as they are of flows that matter.
    fn learn(&mut self, runs: &[Run]) {
        for run in runs.iter().filter(|run| !run.id.is_empty()) {
            if let Some(known) = self.flows.get_mut(&run.flow_id) {
                known.learn(run);
            }
        }
    }

    /// Ids of the runs of which more must be known: those under way, and those that a flow names as its last one.
    fn missing(
        &mut self,
        dataflows: &[Arc<Dataflow>],
        seen: &HashSet<&str>,
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
        let new = |id: &String| !seen.contains(id.as_str()) && !self.absent.contains(id);
        let mut missing: Vec<_> = wanted.into_iter().filter(new).collect();
        missing.sort();
        missing
    }

    fn has_news(&self, dataflow: &Dataflow) -> bool {
        let known = flow_id(dataflow).and_then(|id| self.flows.get(id));
        let (Some(known), Some(status)) = (known, &dataflow.status) else {
            return false;
        };
        let mut told = status.clone();
        known.bring_up(&mut told);
        told != *status
    }
}

fn flow_id(dataflow: &Dataflow) -> Option<&str> {
    dataflow.status.as_ref()?.common.id.as_deref()
}

/// What was seen of one flow's runs.
#[derive(Clone, Debug, Default)]
struct FlowRuns {
    /// The latest one that has ended.
    ended: Option<Run>,
    /// A later one that has not.
    current: Option<Run>,
    /// When one last ended with success, in milliseconds since 1970.
    succeeded: Option<i64>,
}

impl FlowRuns {
    fn learn(&mut self, run: &Run) {
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

    /// Ids of runs that had not ended when they were seen last, or that were never seen.
    fn open(&self, status: &DataflowStatus, last: Option<LastRunRef>) -> HashSet<String> {
        let told = status.last_run.as_ref();
        let ended = [
            self.ended.as_ref().map(|it| it.id.as_str()),
            told.map(|it| it.id.as_str()),
        ];
        let told = told.and_then(|it| it.start_time.as_ref());
        let told = told.map(|it| it.0.as_millisecond());
        let latest = self.ended.as_ref().and_then(|it| it.started_at).max(told);
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

    /// Writes what the status does not tell yet. Where nothing is known, what it tells stays.
    fn bring_up(&self, status: &mut DataflowStatus) {
        if let Some(run) = &self.ended {
            let run = ended(run);
            let told = status.last_run.as_ref();
            if told.is_none_or(|it| it.id == run.id || it.start_time <= run.start_time) {
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
    let figure = |count: Option<i64>| count.map(|it| it.clamp(0, FIGURE_MAX));
    let duration = run.completed_at.zip(run.started_at);
    let duration = duration.map(|(end, start)| end.saturating_sub(start) / 1000);
    LastRun {
        id: cut(&run.id, RUN_ID_MAX),
        state: cut(state, RUN_STATE_MAX),
        start_time: run.started_at.and_then(time),
        completion_time: run.completed_at.and_then(time),
        duration_seconds: figure(duration),
        records_read: figure(run.records_read),
        records_written: figure(run.records_written),
        records_failed: figure(run.records_failed),
        error: run.error.as_deref().map(|it| cut(it, RUN_ERROR_MAX)),
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// An instant in whole seconds, as Kubernetes keeps it.
fn time(millis: i64) -> Option<Time> {
    let seconds = millis.div_euclid(1000);
    let sane = (0..=253_402_300_799).contains(&seconds);
    let instant = Timestamp::from_second(seconds).ok().filter(|_| sane);
    instant.map(Time)
}

/// The condition, from the last run alone: the same run gives the same condition, whenever it is looked at.
fn conclude(status: &mut DataflowStatus) {
    let Some(run) = &status.last_run else {
        let none = (reasons::NO_RUN_YET, "no run has ended yet");
        let unknown = ConditionStatus::Unknown;
        set_condition(&mut status.common, LAST_RUN_SUCCEEDED, unknown, none);
        return;
    };
    let error = run.error.as_deref();
    let (is_true, reason, message) = match outcome(run) {
        Outcome::Succeeded => (
            ConditionStatus::True,
            reasons::SUCCEEDED,
            format!("the last run succeeded{}", refused(run)),
        ),
        Outcome::Partial => (
            ConditionStatus::True,
            reasons::PARTIALLY_SUCCEEDED,
            format!("the last run succeeded in part{}", refused(run)),
        ),
        Outcome::Failed => (
            ConditionStatus::False,
            reasons::FAILED,
            format!(
                "the last run failed: {}",
                error.unwrap_or("Adobe does not say why")
            ),
        ),
        Outcome::Running | Outcome::Other => (
            ConditionStatus::Unknown,
            reasons::OUTCOME_UNKNOWN,
            format!("the last run has ended, and Adobe calls it `{}`", run.state),
        ),
    };
    let told = (reason, message.as_str());
    set_condition(&mut status.common, LAST_RUN_SUCCEEDED, is_true, told);
}

/// What a successful run left out.
fn refused(run: &LastRun) -> String {
    let error = run.error.as_ref().map(|it| format!(": {it}"));
    let count = match run.records_failed.unwrap_or_default() {
        0 if error.is_none() => return String::new(),
        0 => ", with errors".to_owned(),
        1 => ", with 1 record refused".to_owned(),
        more => format!(", with {more} records refused"),
    };
    count + &error.unwrap_or_default()
}

/// One event for each run that failed, and one for the first that succeeds again.
fn announce(before: Option<&LastRun>, status: &DataflowStatus, events: &mut Events) {
    let Some(run) = &status.last_run else { return };
    let was = before.map(outcome);
    let is_news = before.is_none_or(|it| it.id != run.id) || was != Some(outcome(run));
    let condition = status.common.condition(LAST_RUN_SUCCEEDED);
    let Some(condition) = condition.filter(|_| is_news) else {
        return;
    };
    let note = format!("{} (run {})", condition.message, run.id);
    match outcome(run) {
        Outcome::Failed => events.warning("DataflowRunFailed", note),
        it if it.is_success() && was == Some(Outcome::Failed) => {
            events.normal("DataflowRunRecovered", note);
        }
        _ => {}
    }
}
