use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{conclude, ids, known, reported, run, verdict};
use crate::adobe::Run;
use crate::api::{DataflowStatus, FIGURE_MAX, RUN_ERROR_MAX, RUN_ID_MAX, RUN_STATE_MAX};
use crate::kinds::dataflow::outcome::Outcome;

/// Any run of a flow, however odd.
fn odd() -> impl Strategy<Value = Run> {
    let words = [
        "success",
        "FAILED",
        "partialSuccess",
        "inProgress",
        "odd",
        "",
    ];
    let number = || option::of(any::<i64>());
    let facts = (
        ".{0,200}",
        option::of(prop::sample::select(words.to_vec())),
        option::of(".{0,2000}"),
    );
    (facts, number(), number(), (number(), number(), number())).prop_map(
        |((id, status, error), started_at, completed_at, counts)| Run {
            id: format!("r{id}"),
            flow_id: "flow".into(),
            status: status.map(Into::into),
            started_at,
            completed_at,
            records_read: counts.0,
            records_written: counts.1,
            records_failed: counts.2,
            error,
        },
    )
}

/// Runs of a flow, one after the other, each in the state in which it was read last.
fn history() -> impl Strategy<Value = Vec<Run>> {
    let words = ["success", "failed", "partialSuccess", "inProgress"];
    vec(prop::sample::select(words.to_vec()), 0..8).prop_map(|words| {
        let runs = words.into_iter().zip(1..);
        runs.map(|(word, at)| run(&at.to_string(), at * 10, word))
            .collect()
    })
}

proptest! {
    #[test]
    fn the_order_in_which_runs_are_listed_does_not_matter(
        (sorted, shuffled) in history().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let (one, other) = (reported(&sorted), reported(&shuffled));
        prop_assert_eq!(ids(&one), ids(&other));
        prop_assert_eq!(&one.last_success_time, &other.last_success_time);
        let latest = sorted.iter().rev().find(|run| Outcome::of(run) != Outcome::Running);
        prop_assert_eq!(ids(&one).0, latest.map(|run| run.id.as_str()));
    }

    #[test]
    fn reporting_the_same_twice_changes_nothing_even_after_a_round_trip(all in vec(odd(), 0..5)) {
        let known = known(&all);
        let once = reported(&all);
        let stored = serde_json::to_value(&once).expect("written");
        let mut again: DataflowStatus = serde_json::from_value(stored).expect("read");
        known.bring_up(&mut again);
        conclude(&mut again);
        prop_assert_eq!(again, once);
    }

    #[test]
    fn whatever_adobe_says_fits_into_the_status(all in vec(odd(), 1..5)) {
        let status = reported(&all);
        let message = verdict(&status).2;
        prop_assert!(message.chars().count() < 2 * RUN_ERROR_MAX, "{}", message);
        let Some(last) = status.last_run else { return Ok(()) };
        prop_assert!((1..=RUN_ID_MAX).contains(&last.id.chars().count()));
        prop_assert!((1..=RUN_STATE_MAX).contains(&last.state.chars().count()));
        prop_assert!(last.error.is_none_or(|it| it.chars().count() <= RUN_ERROR_MAX));
        let counts = [last.duration_seconds, last.records_read, last.records_written, last.records_failed];
        prop_assert!(counts.iter().flatten().all(|it| (0..=FIGURE_MAX).contains(it)));
    }
}
