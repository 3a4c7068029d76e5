//! Every point at which the operator can die in a phase, or a part of them.

use std::fmt;
use std::time::Duration;

use crate::phase::Phase;
use crate::proxy::{Crash, Moment};
use crate::scene::Scene;
use crate::tries::{Outcome, all_well, caught, is_full, side_by_side};
use crate::{adobe, cluster};

/// A phase, with listings that lag behind for a while.
#[derive(Clone, Copy)]
pub struct Matrix {
    pub phase: Phase,
    pub list_lag: Duration,
}

/// Tries all points of a phase, or each `step`-th of them, and fails if one of them fails. With an odd step, before and
/// after take turns.
pub async fn survive_every_crash(matrix: Matrix, step: usize) {
    let requests = requests_of(matrix).await;
    let points = (1..=requests).flat_map(|request| {
        [Moment::Before, Moment::After].map(|moment| Crash { moment, request })
    });
    let step = if is_full() { 1 } else { step };
    let tries = points
        .step_by(step)
        .map(|crash| (format!("{matrix}, {crash}"), attempt(matrix, crash)));
    let outcomes = side_by_side(tries).await;
    all_well(&format!("{matrix}, {requests} requests"), outcomes);
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lag = self.list_lag.as_secs();
        write!(f, "{}, listings lag {lag} s", self.phase)
    }
}

/// How many requests the phase takes if nothing happens.
async fn requests_of(Matrix { phase, list_lag }: Matrix) -> usize {
    let scene = Scene::new(list_lag).await;
    phase.prepare(&scene).await;
    scene.proxy.count_from_here(None);
    phase.begin(&scene).await;
    phase.done(&scene).await;
    let requests = scene.proxy.requests();
    end(phase, &scene).await;
    scene.folder.remove();
    requests
}

async fn attempt(Matrix { phase, list_lag }: Matrix, crash: Crash) -> Outcome {
    let scene = Scene::new(list_lag).await;
    phase.prepare(&scene).await;
    scene.proxy.count_from_here(Some(crash));
    phase.begin(&scene).await;
    tokio::select! {
        () = scene.proxy.killed() => {}
        () = phase.done(&scene) => {}
    }
    let killed = !scene.proxy.spare();
    if killed {
        scene.start_operator();
    }
    if let Err(words) = caught(end(phase, &scene)).await {
        let (last, log) = (scene.proxy.last_request(), scene.folder.log());
        return Outcome::Failed(format!("{last}: {words} (log: {})", log.display()));
    }
    scene.folder.remove();
    if killed {
        Outcome::Passed
    } else {
        Outcome::NotReached
    }
}

/// The phase ends as it should, and so does all that it made.
async fn end(phase: Phase, scene: &Scene) {
    phase.done(scene).await;
    if phase != Phase::Delete {
        adobe::holds_each_once(&scene.world, &scene.objects).await;
        cluster::delete(&scene.world, &scene.objects).await;
        scene.gone().await;
    }
    adobe::holds_nothing(&scene.world);
}
