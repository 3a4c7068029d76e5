//! What becomes of a dataflow: its runs, seen in one look per sandbox, told in the status, in events and in figures.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::Held;
use crate::adobe::Run;
use crate::api::condition_types::LAST_RUN_SUCCEEDED;
use crate::api::{
    ConditionStatus, CurrentRun, Dataflow, DataflowStatus, FIGURE_MAX, FlowState, Frequency,
    LastRun, RUN_ERROR_MAX, RUN_ID_MAX, RUN_STATE_MAX,
};
use crate::engine::{Pass, Result, RunFigures, Session, tell};

/// How far a look reaches back beyond the one before: runs may be listed late, and our clock may be ahead of Adobe's.
const OVERLAP: i64 = 5 * 60 * 1000;
/// How far a look reaches back at most. What happened before is found by way of the flows, each of which names its last
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

/// Looks once for all dataflows of a sandbox; gives those of which the status does not tell yet what was seen.
pub(super) async fn follow(
    session: &Session,
    dataflows: &[Arc<Dataflow>],
) -> Result<Vec<Arc<Dataflow>>> {
    if !dataflows.iter().any(|it| may_run(it)) {
        return Ok(Vec::new());
    }
    let runs = session.kept::<Runs>();
    let begun = Timestamp::now().as_millisecond();
    let adobe = session.adobe();
    let service = adobe.flow_service();
    let since = runs.book().since(begun);
    let recent = service.runs_since(since).await?;
    let missing = {
        let mut book = runs.book();
        book.keep(dataflows);
        book.learn(&recent);
        let seen: HashSet<_> = recent.iter().map(|run| run.id.as_str()).collect();
        let flows = session.observations::<Held>();
        let last = |flow: &str| flows.get(flow)?.last_run.clone();
        book.missing(dataflows, &seen, last)
    };
    let older = service.runs_by_id(&missing).await?;
    let mut book = runs.book();
    book.learn(&older);
    let found: HashSet<_> = older.into_iter().map(|run| run.id).collect();
    let absent = missing.into_iter().filter(|id| !found.contains(id));
    book.absent.extend(absent);
    book.looked = Some(begun);
    let news = dataflows.iter().filter(|it| book.has_news(it));
    Ok(news.cloned().collect())
}

/// Writes what is known into the status; of a new outcome it also tells as an event.
pub(super) fn report(pass: &Pass<'_, Dataflow>, status: &mut DataflowStatus) {
    let Some(id) = status.common.id.clone() else {
        return;
    };
    if let Ok(session) = pass.session()
        && let Some(known) = session.kept::<Runs>().book().flows.get(&id)
    {
        known.bring_up(status);
    }
    conclude(status);
    announce(pass, status);
    let scheduled = !pass.suspended() && pass.object().spec.state == FlowState::Enabled;
    let figures = figures(pass.object(), status, scheduled);
    let metrics = &pass.engine().settings.metrics;
    metrics
        .runs()
        .show(pass.namespace(), &pass.name(), &figures);
}

/// Whether anything can become of a look: a disabled dataflow may still have a run to end.
fn may_run(dataflow: &Dataflow) -> bool {
    let status = dataflow.status.as_ref();
    dataflow.spec.state == FlowState::Enabled || status.is_some_and(|it| it.current_run.is_some())
}

/// The last run that a flow names: id, and start in milliseconds since 1970.
pub(super) type Named = (String, Option<i64>);

/// What is kept in mind of the runs in a sandbox. All of it may be lost.
#[derive(Debug, Default)]
struct Runs(Mutex<Book>);

impl Runs {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Book {
    /// When the last look began that succeeded, in milliseconds since 1970.
    looked: Option<i64>,
    flows: HashMap<String, Known>,
    /// Ids that were asked for in vain: Adobe forgets old runs.
    absent: HashSet<String>,
}

impl Book {
    fn since(&self, now: i64) -> i64 {
        let looked = self.looked.unwrap_or(now);
        looked.clamp(now - REACH, now) - OVERLAP
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
        last: impl Fn(&str) -> Option<Named>,
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
struct Known {
    /// The latest one that has ended.
    ended: Option<Run>,
    /// A later one that has not.
    current: Option<Run>,
    /// When one last ended with success, in milliseconds since 1970.
    succeeded: Option<i64>,
}

impl Known {
    fn learn(&mut self, run: &Run) {
        let course = Course::of(run);
        if course == Course::Running {
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
        if course.is_success() {
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
    fn open(&self, status: &DataflowStatus, last: Option<Named>) -> HashSet<String> {
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

/// How a run goes, whatever Adobe's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Running,
    Succeeded,
    Partial,
    Failed,
    /// It has ended, in a way that we do not know.
    Other,
}

impl Course {
    fn of(run: &Run) -> Self {
        let status = run.status.as_deref().unwrap_or_default();
        Self::named(status).unwrap_or(match run.completed_at {
            Some(_) => Self::Other,
            None => Self::Running,
        })
    }

    fn named(status: &str) -> Option<Self> {
        let letters = status.chars().filter(char::is_ascii_alphanumeric);
        let word = letters.collect::<String>().to_ascii_lowercase();
        Some(match word.as_str() {
            "success" | "succeeded" | "completed" => Self::Succeeded,
            "partialsuccess" | "partialfailure" => Self::Partial,
            "failed" | "failure" => Self::Failed,
            "inprogress" | "processing" | "waiting" | "queued" | "scheduled" => Self::Running,
            _ => return None,
        })
    }

    fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial)
    }
}

/// A run that has ended, within the bounds of the status.
fn ended(run: &Run) -> LastRun {
    let state = match Course::of(run) {
        Course::Succeeded => "success",
        Course::Partial => "partialSuccess",
        Course::Failed => "failed",
        Course::Running | Course::Other => run.status.as_deref().unwrap_or_default(),
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
        tell(&mut status.common, LAST_RUN_SUCCEEDED, unknown, none);
        return;
    };
    let error = run.error.as_deref();
    let (is_true, reason, message) = match outcome(run) {
        Course::Succeeded => (
            ConditionStatus::True,
            reasons::SUCCEEDED,
            format!("the last run succeeded{}", refused(run)),
        ),
        Course::Partial => (
            ConditionStatus::True,
            reasons::PARTIALLY_SUCCEEDED,
            format!("the last run succeeded in part{}", refused(run)),
        ),
        Course::Failed => (
            ConditionStatus::False,
            reasons::FAILED,
            format!(
                "the last run failed: {}",
                error.unwrap_or("Adobe does not say why")
            ),
        ),
        Course::Running | Course::Other => (
            ConditionStatus::Unknown,
            reasons::OUTCOME_UNKNOWN,
            format!("the last run has ended, and Adobe calls it `{}`", run.state),
        ),
    };
    let told = (reason, message.as_str());
    tell(&mut status.common, LAST_RUN_SUCCEEDED, is_true, told);
}

fn outcome(run: &LastRun) -> Course {
    Course::named(&run.state).unwrap_or(Course::Other)
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
fn announce(pass: &Pass<'_, Dataflow>, status: &DataflowStatus) {
    let Some(run) = &status.last_run else { return };
    let before = pass.status().last_run.as_ref();
    let was = before.map(outcome);
    let is_news = before.is_none_or(|it| it.id != run.id) || was != Some(outcome(run));
    let condition = status.common.condition(LAST_RUN_SUCCEEDED);
    let Some(condition) = condition.filter(|_| is_news) else {
        return;
    };
    let note = format!("{} (run {})", condition.message, run.id);
    match outcome(run) {
        Course::Failed => pass.warn("DataflowRunFailed", note),
        it if it.is_success() && was == Some(Course::Failed) => {
            pass.note("DataflowRunRecovered", note);
        }
        _ => {}
    }
}

/// What is told to Prometheus. When runs are due is told only while there are to be some, or else the alert on missing
/// runs would call for what nobody wants.
fn figures(dataflow: &Dataflow, status: &DataflowStatus, scheduled: bool) -> RunFigures {
    let seconds = |time: &Time| time.0.as_second();
    let run = status.last_run.as_ref();
    let schedule = dataflow.spec.schedule.as_ref().filter(|_| scheduled);
    let interval = schedule.and_then(|it| {
        let unit = match it.frequency {
            Frequency::Once => return None,
            Frequency::Minute => 60,
            Frequency::Hour => 3_600,
            Frequency::Day => 86_400,
            Frequency::Week => 604_800,
        };
        Some(unit * i64::from(it.interval?))
    });
    let first = status.start_time.as_ref();
    let first = first.or(schedule.map(|it| &it.start_time)).map(seconds);
    RunFigures {
        success: run.and_then(|run| match outcome(run) {
            Course::Failed => Some(0),
            it => it.is_success().then_some(1),
        }),
        ended: run.and_then(|it| it.completion_time.as_ref()).map(seconds),
        succeeded: status.last_success_time.as_ref().map(seconds),
        duration: run.and_then(|it| it.duration_seconds),
        read: run.and_then(|it| it.records_read),
        written: run.and_then(|it| it.records_written),
        failed: run.and_then(|it| it.records_failed),
        interval,
        start: first.filter(|_| interval.is_some()),
    }
}
