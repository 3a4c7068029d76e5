//! Users change their minds, Adobe fails at every fifth call, and replicas are killed: in the end Adobe holds exactly what the
//! specs say.
//!
//! `cargo test` runs a small version, `make chaos` the whole. `CHAOS_SEED` repeats the choices of an earlier run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../collections.rs"]
mod collections;
#[allow(dead_code, reason = "shared with the benchmarks, which use the rest")]
#[path = "../copies.rs"]
mod copies;
mod equal;
#[allow(
    dead_code,
    reason = "shared with the target `scale`, which uses the rest"
)]
#[path = "../scale/fleet.rs"]
mod fleet;
#[allow(
    dead_code,
    reason = "shared with the target `operator`, which uses the rest"
)]
#[path = "../operator/harness.rs"]
mod harness;
mod pipeline;
mod replicas;
mod trouble;
mod users;
mod verdict;

use std::time::{Duration, Instant, SystemTime};

use aep_simulator::Options;
use rand::SeedableRng;
use rand::rngs::StdRng;

use harness::World;
use replicas::Replicas;
use users::Users;

/// How much there is of everything.
struct Scale {
    pipelines: usize,
    /// How often somebody creates, changes or deletes a pipeline, after all were created.
    changes: usize,
    /// How long they take for it.
    time: Duration,
}

const SMALL: Scale = Scale {
    pipelines: 5,
    changes: 10,
    time: Duration::from_secs(10),
};

const FULL: Scale = Scale {
    pipelines: 200,
    changes: 400,
    time: Duration::from_secs(150),
};

/// How long it may take to put everything in order once the trouble is over.
const PATIENCE: Duration = Duration::from_secs(240);

/// How many differences are told.
const MOST: usize = 30;

/// How long Adobe's listings lag behind: less than the operator takes into account.
const LIST_LAG: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_adobe_holds_in_the_end_exactly_what_the_specs_say() {
    let full = std::env::var("CHAOS").is_ok();
    let scale = if full { FULL } else { SMALL };
    let seed = seed(full);
    println!("CHAOS_SEED={seed}");
    let options = Options {
        list_lag: LIST_LAG,
        seed,
        ..Options::default()
    };
    let world = World::unattended(options).await;
    let mut users = Users::new(StdRng::seed_from_u64(seed), scale.pipelines);
    let replicas = Replicas::start(&world).await;
    let all = async {
        endure(&world, &mut users, &replicas, &scale, seed).await;
        world.simulator.clear_faults();
        in_order(&world, &users).await
    };
    let differences = tokio::select! {
        () = replicas.tend() => unreachable!("they are tended for ever"),
        differences = all => differences,
    };
    println!("{} replicas ended by themselves", replicas.resigned());
    assert!(
        differences.is_empty(),
        "CHAOS_SEED={seed}: {} differences, logs in {}:\n{}",
        differences.len(),
        replicas.folder().display(),
        differences[..differences.len().min(MOST)].join("\n")
    );
    replicas.end();
}

/// Everything at once.
async fn endure(world: &World, users: &mut Users, replicas: &Replicas, scale: &Scale, seed: u64) {
    trouble::begin(&world.simulator);
    let mut dice = StdRng::seed_from_u64(seed);
    tokio::select! {
        () = replicas.suffer(&mut dice) => {}
        () = users.work(world, scale.changes, scale.time) => {}
    }
    let struck = trouble::struck(&world.simulator);
    println!(
        "{} replicas were killed, {struck} calls struck",
        replicas.killed()
    );
}

/// Waits until all is as the users want it; gives what still differs when patience is at its end.
async fn in_order(world: &World, users: &Users) -> Vec<String> {
    let calm = Instant::now();
    loop {
        let differences = verdict::differences(world, users.wanted()).await;
        if differences.is_empty() {
            println!("in order {:.0?} after the trouble", calm.elapsed());
        }
        if differences.is_empty() || calm.elapsed() > PATIENCE {
            return differences;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The seed of an earlier run if one is given, else another one for each full run.
fn seed(full: bool) -> u64 {
    if let Ok(seed) = std::env::var("CHAOS_SEED") {
        return seed.parse().unwrap();
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    if full { now.unwrap().as_secs() } else { 0 }
}
