//! The runs of dataflows: polled together, per sandbox, reported in the status, in events and in metrics.

mod history;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use prometheus_client::encoding::DescriptorEncoder;

use self::history::History;
pub(super) use self::history::LastRunRef;
use super::metrics;
use super::outcome::{Outcome, outcome};
use crate::api::condition_types::LAST_RUN_SUCCEEDED;
use crate::api::{ConditionStatus, Dataflow, DataflowStatus, LastRun};
use crate::engine::{Events, Observing, Result, Session, set_condition};

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
            let read: HashSet<_> = recent.iter().map(|run| run.id.as_str()).collect();
            let last = |flow: &str| flows.index(|it| it.get(flow))?.last_run.clone();
            history.missing(dataflows, &read, last)
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
    dataflow.is_on() || status.is_some_and(|it| it.current_run.is_some())
}

/// What is remembered of the runs in a sandbox. All of it may be lost.
#[derive(Debug, Default)]
pub struct Runs(Mutex<History>);

impl Runs {
    fn history(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The condition, from the last run alone: the same run gives the same condition, whenever it is computed.
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
    let because = (reason, message.as_str());
    set_condition(&mut status.common, LAST_RUN_SUCCEEDED, is_true, because);
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
