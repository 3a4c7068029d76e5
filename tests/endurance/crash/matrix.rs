//! Every point at which the operator can die in a phase, or a part of them.

use std::fmt;
use std::time::Duration;

use super::phase::Phase;
use super::proxy::{Crash, Moment};
use super::scenario::Scenario;
use super::trials::{Outcome, assert_passed, caught, concurrently, is_full};
use super::{adobe, cluster};
use crate::isolation::{self, Group};

/// A phase, with listings that lag behind for a while.
#[derive(Clone, Copy)]
pub struct Matrix {
    pub phase: Phase,
    pub list_lag: Duration,
}

/// Tries all points of a phase, or each `step`-th of them, and fails if one of them fails. With an odd step, before and
/// after alternate.
pub async fn survive_every_crash(matrix: Matrix, step: usize) {
    let _running = isolation::run(Group::Crash).await;
    let requests = requests_of(matrix).await;
    let points = (1..=requests).flat_map(|request| {
        [Moment::Before, Moment::After].map(|moment| Crash { moment, request })
    });
    let step = if is_full() { 1 } else { step };
    let trials = points
        .step_by(step)
        .map(|crash| (format!("{matrix}, {crash}"), attempt(matrix, crash)));
    let outcomes = concurrently(trials).await;
    assert_passed(&format!("{matrix}, {requests} requests"), outcomes);
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lag = self.list_lag.as_secs();
        write!(f, "{}, listings lag {lag} s", self.phase)
    }
}

/// How many requests the phase takes if nothing happens.
async fn requests_of(Matrix { phase, list_lag }: Matrix) -> usize {
    let scenario = Scenario::new(list_lag).await;
    phase.prepare(&scenario).await;
    scenario.proxy.count_from_here(None);
    phase.begin(&scenario).await;
    phase.done(&scenario).await;
    let requests = scenario.proxy.requests();
    end(phase, &scenario).await;
    scenario.folder.remove();
    requests
}

async fn attempt(Matrix { phase, list_lag }: Matrix, crash: Crash) -> Outcome {
    let scenario = Scenario::new(list_lag).await;
    phase.prepare(&scenario).await;
    scenario.proxy.count_from_here(Some(crash));
    phase.begin(&scenario).await;
    tokio::select! {
        () = scenario.proxy.killed() => {}
        () = phase.done(&scenario) => {}
    }
    let killed = !scenario.proxy.disarm();
    if killed {
        scenario.start_operator();
    }
    if let Err(words) = caught(end(phase, &scenario)).await {
        let (last, log) = (scenario.proxy.last_request(), scenario.folder.log());
        return Outcome::Failed(format!("{last}: {words} (log: {})", log.display()));
    }
    scenario.folder.remove();
    if killed {
        Outcome::Passed
    } else {
        Outcome::NotReached
    }
}

/// The phase ends as it should, and so does all that it made.
async fn end(phase: Phase, scenario: &Scenario) {
    phase.done(scenario).await;
    if phase != Phase::Delete {
        adobe::holds_each_once(&scenario.world, &scenario.objects).await;
        cluster::delete(&scenario.world, &scenario.objects).await;
        scenario.gone().await;
    }
    adobe::holds_nothing(&scenario.world);
}
