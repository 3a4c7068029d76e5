mod properties;

use serde_json::json;

use super::history::{FlowRuns, time};
use super::*;
use crate::adobe::Run;

const SECOND: i64 = 1_000;

fn run(id: &str, start: i64, status: &str) -> Run {
    let ended = Outcome::named(status) != Some(Outcome::Running);
    Run {
        id: id.into(),
        flow_id: "flow".into(),
        status: Some(status.into()),
        started_at: Some(start * SECOND),
        completed_at: ended.then_some((start + 5) * SECOND),
        ..Run::default()
    }
}

fn known(runs: &[Run]) -> FlowRuns {
    let mut known = FlowRuns::default();
    for run in runs {
        known.learn(run);
    }
    known
}

fn reported(runs: &[Run]) -> DataflowStatus {
    let mut status = DataflowStatus::default();
    status.common.observed_generation = Some(1);
    known(runs).bring_up(&mut status);
    conclude(&mut status);
    status
}

fn ids(status: &DataflowStatus) -> (Option<&str>, Option<&str>) {
    let last = status.last_run.as_ref().map(|it| it.id.as_str());
    let current = status.current_run.as_ref().map(|it| it.id.as_str());
    (last, current)
}

fn verdict(status: &DataflowStatus) -> (ConditionStatus, &str, &str) {
    let condition = status.common.condition(LAST_RUN_SUCCEEDED);
    let it = condition.expect("it is always set");
    (it.status, &it.reason, &it.message)
}

fn dataflow(status: &DataflowStatus) -> Arc<Dataflow> {
    let mut flow: Dataflow = serde_json::from_value(json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "Dataflow", "metadata": {"name": "n"},
        "spec": {"name": "N", "flowSpec": {"id": "s"}, "sourceConnectionId": "a", "targetConnectionId": "b",
            "schedule": {"startTime": "2027-01-01T00:00:00Z", "frequency": "Hour", "interval": 2}}}))
    .expect("a dataflow");
    let mut status = status.clone();
    status.common.id = Some("flow".into());
    flow.status = Some(status);
    Arc::new(flow)
}

#[test]
fn the_condition_says_how_the_last_run_went() {
    let none = reported(&[]);
    assert_eq!(
        verdict(&none),
        (ConditionStatus::Unknown, "NoRunYet", "no run has ended yet")
    );
    let mut partial = run("r", 1, "partialSuccess");
    partial.records_failed = Some(3);
    partial.error = Some("MAPPER-1: odd".into());
    let (failed, odd) = (run("r", 1, "failed"), run("r", 1, "cancelled"));
    let cases = [
        (
            run("r", 1, "success"),
            ConditionStatus::True,
            "RunSucceeded",
            "the last run succeeded",
        ),
        (
            partial,
            ConditionStatus::True,
            "RunPartiallySucceeded",
            "the last run succeeded in part, with 3 records refused: MAPPER-1: odd",
        ),
        (
            failed,
            ConditionStatus::False,
            "RunFailed",
            "the last run failed: Adobe does not say why",
        ),
        (
            odd,
            ConditionStatus::Unknown,
            "RunOutcomeUnknown",
            "the last run has ended, and Adobe calls it `cancelled`",
        ),
    ];
    for (run, status, reason, message) in cases {
        assert_eq!(verdict(&reported(&[run])), (status, reason, message));
    }
}

#[test]
fn a_run_under_way_does_not_hide_the_last_one_and_takes_its_place_at_its_end() {
    let (first, second) = (run("1", 10, "failed"), run("2", 20, "inProgress"));
    let status = reported(&[first.clone(), second.clone()]);
    assert_eq!(ids(&status), (Some("1"), Some("2")));
    let status = reported(&[first, second, run("2", 20, "success")]);
    assert_eq!(ids(&status), (Some("2"), None));
    assert_eq!(status.last_success_time, time(25 * SECOND));
}

#[test]
fn a_success_between_two_polls_counts_although_a_failure_follows() {
    let status = reported(&[run("1", 10, "success"), run("2", 20, "failed")]);
    assert_eq!(verdict(&status).1, "RunFailed");
    assert_eq!(status.last_success_time, time(15 * SECOND));
}

#[test]
fn after_a_restart_an_older_run_does_not_replace_what_the_status_holds() {
    let mut status = reported(&[run("2", 20, "failed"), run("3", 30, "inProgress")]);
    let before = status.clone();
    known(&[run("1", 10, "success")]).bring_up(&mut status);
    assert_eq!(ids(&status), ids(&before));
    known(&[]).bring_up(&mut status);
    assert_eq!(ids(&status), ids(&before));
}

#[test]
fn only_runs_of_which_more_must_be_known_are_asked_for() {
    let status = reported(&[run("2", 20, "failed")]);
    let last = |id: &str, start: i64| Some((id.to_owned(), Some(start * SECOND)));
    let open = |known: &FlowRuns, last| {
        let mut ids: Vec<_> = known.open(&status, last).into_iter().collect();
        ids.sort();
        ids
    };
    let nothing = known(&[]);
    assert_eq!(open(&nothing, None), [""; 0]);
    assert_eq!(open(&nothing, last("2", 20)), [""; 0], "reported already");
    assert_eq!(open(&nothing, last("1", 10)), [""; 0], "older");
    assert_eq!(open(&nothing, last("3", 30)), ["3"]);
    assert_eq!(open(&nothing, last("3,4", 30)), [""; 0], "no id");
    let under_way = known(&[run("4", 40, "inProgress")]);
    assert_eq!(open(&under_way, last("4", 40)), ["4"]);
}

#[test]
fn what_was_asked_for_in_vain_or_read_just_now_is_not_asked_for_again() {
    let flows = [dataflow(&DataflowStatus::default())];
    let last = |_: &str| Some(("1".to_owned(), Some(SECOND)));
    let mut history = History::default();
    history.keep(&flows);
    assert_eq!(history.missing(&flows, &HashSet::new(), last), ["1"]);
    assert_eq!(
        history.missing(&flows, &HashSet::from(["1"]), last),
        [""; 0]
    );
    history.absent.insert("1".into());
    assert_eq!(history.missing(&flows, &HashSet::new(), last), [""; 0]);
    assert_eq!(history.missing(&flows, &HashSet::new(), |_| None), [""; 0]);
    assert!(history.absent.is_empty(), "nobody names it any more");
}

#[test]
fn runs_of_other_flows_and_of_flows_that_are_gone_are_not_kept() {
    let flows = [dataflow(&DataflowStatus::default())];
    let mut history = History::default();
    history.keep(&flows);
    let mut foreign = run("x", 1, "failed");
    foreign.flow_id = "foreign".into();
    history.learn(&[run("1", 1, "failed"), foreign]);
    assert_eq!(history.flows.len(), 1);
    assert!(history.has_news(&flows[0]));
    history.keep(&[]);
    assert!(history.flows.is_empty());
}

#[test]
fn a_poll_reaches_back_a_little_further_than_the_last_one_and_never_far() {
    let (minute, now) = (60 * SECOND, 1_800_000_000 * SECOND);
    let since = |polled| {
        let history = History {
            polled,
            ..History::default()
        };
        (now - history.since(now)) / minute
    };
    assert_eq!(since(None), 5);
    assert_eq!(since(Some(now - 2 * minute)), 7);
    assert_eq!(since(Some(now - 600 * minute)), 65);
    assert_eq!(since(Some(now + 600 * minute)), 5, "the clock was put back");
}
