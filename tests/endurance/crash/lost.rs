//! Responses that never arrive: the work was done at Adobe, and the operator cannot know it.

use std::fmt;
use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply, Times};
use aep_test_kit::{World, sample};

use super::scenario::lagging;
use super::trials::{Outcome, assert_passed, concurrently, is_full};
use super::{adobe, cluster};
use crate::isolation::{self, Group};

/// Of all losses, one in so many is tried unless all of them are wanted.
const STEP: usize = 7;

/// A request that is carried out once without a response.
struct Loss {
    /// The service and the route of the POST.
    post: (String, String),
    effect: Effect,
    /// How far listings lag behind, in seconds.
    lag: u64,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, route) = &self.post;
        let how = match &self.effect {
            Effect::AnswerAfter(reply) => format!("answered {}", reply.status),
            other => format!("{other:?}"),
        };
        let lag = self.lag;
        write!(f, "POST {service} {route}, {how}, listings lag {lag} s")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_survives_the_loss_of_any_answer() {
    let _running = isolation::run(Group::Crash).await;
    let step = if is_full() { 1 } else { STEP };
    let trials = losses(posts().await).step_by(step);
    let trials = trials.map(|loss| (loss.to_string(), attempt(loss)));
    assert_passed("lost answers", concurrently(trials).await);
}

/// Every POST of an undisturbed creation.
async fn posts() -> Vec<(String, String)> {
    let mut world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    world.kill_operator().await;
    let calls = world.simulator.calls().into_iter();
    let posts = calls.filter(|call| call.method == "POST");
    let mut posts: Vec<_> = posts
        .map(|call| (call.service.clone(), call.route.clone()))
        .collect();
    posts.sort();
    posts.dedup();
    posts
}

/// Every POST, lost in every way.
fn losses(posts: Vec<(String, String)>) -> impl Iterator<Item = Loss> {
    let lost = |post: (String, String)| {
        ways().into_iter().map(move |(effect, lag)| Loss {
            post: post.clone(),
            effect,
            lag,
        })
    };
    posts.into_iter().flat_map(lost)
}

/// How an answer is lost, and how far listings lag behind then; the slow ways only where all are wanted.
fn ways() -> Vec<(Effect, u64)> {
    let lags: &[u64] = if is_full() { &[0, 2, 10] } else { &[0, 2] };
    let mut ways = Vec::new();
    for lag in lags {
        ways.push((Effect::DropAfter, *lag));
        ways.push((Effect::Late(1500), *lag));
        ways.push((Effect::AnswerAfter(Reply::empty(500)), *lag));
    }
    if is_full() {
        // The operator waits for half a minute before it gives up, so this is not tried with every lag.
        ways.push((Effect::HangAfter, 2));
    }
    ways
}

async fn attempt(loss: Loss) -> Outcome {
    let mut world = lagging(Duration::from_secs(loss.lag)).await;
    let fault = inject(&world, &loss);
    let objects = sample("payments");
    world.start_operator();
    cluster::apply(&world, &objects).await;
    world.all_ready(&objects).await;
    let struck = !world.simulator.faults().contains(&fault);
    adobe::holds_each_once(&world, &objects).await;
    cluster::delete(&world, &objects).await;
    cluster::gone(&world, &objects).await;
    adobe::holds_nothing(&world);
    world.kill_operator().await;
    if struck {
        Outcome::Passed
    } else {
        Outcome::NotReached
    }
}

/// Has the simulator lose the response.
fn inject(world: &World, loss: &Loss) -> Fault {
    let (service, route) = &loss.post;
    let at = |effect, route| {
        Fault::new(effect)
            .method("POST")
            .service(service)
            .path(route)
    };
    if route == "/mappingSets" {
        // Its path is a part of another one's, which an older fault without effect takes away.
        let harmless = at(Effect::Delay(0), "/mappingSets/validate");
        world.simulator.inject(harmless.times(Times::Every));
    }
    let fault = at(loss.effect.clone(), route);
    world.simulator.inject(fault.clone());
    fault
}
