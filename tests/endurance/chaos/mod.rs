//! Users change their minds, Adobe fails at every fifth call, and replicas are killed: in the end Adobe holds exactly what the
//! specs say.
//!
//! `cargo test` runs a small version, `make chaos` the whole. `CHAOS_SEED` repeats the choices of an earlier run.

mod equal;
mod faults;
mod replicas;
mod users;
mod variants;
mod verdict;

use std::time::{Duration, Instant, SystemTime};

use aep_simulator::Options;
use aep_test_kit::World;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::isolation::{self, Group};
use replicas::Replicas;
use users::Users;

/// How much there is of everything.
struct Scale {
    pipelines: usize,
    /// How many pipelines are created, changed or deleted after all were created.
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

/// How long it may take to converge once there are no more faults.
const PATIENCE: Duration = Duration::from_secs(240);

/// How many differences are printed.
const MOST: usize = 30;

/// How long Adobe's listings lag behind: less than the operator takes into account.
const LIST_LAG: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_adobe_holds_in_the_end_exactly_what_the_specs_say() {
    let _running = isolation::run(Group::Chaos).await;
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
        disturb(&world, &mut users, &replicas, &scale, seed).await;
        world.simulator.clear_faults();
        converged(&world, &users).await
    };
    let differences = tokio::select! {
        () = replicas.restart_ended() => unreachable!("that goes on for ever"),
        differences = all => differences,
    };
    println!("{} replicas ended by themselves", replicas.ended());
    assert!(
        differences.is_empty(),
        "CHAOS_SEED={seed}: {} differences, logs in {}:\n{}",
        differences.len(),
        replicas.folder().display(),
        differences[..differences.len().min(MOST)].join("\n")
    );
    replicas.end();
}

/// Faults, kills and changes, all at once.
async fn disturb(world: &World, users: &mut Users, replicas: &Replicas, scale: &Scale, seed: u64) {
    faults::inject(&world.simulator);
    let mut rng = StdRng::seed_from_u64(seed);
    tokio::select! {
        () = replicas.kill_at_random(&mut rng) => {}
        () = users.work(world, scale.changes, scale.time) => {}
    }
    let faulted = faults::count(&world.simulator);
    println!(
        "{} replicas were killed, {faulted} calls met a fault",
        replicas.killed()
    );
}

/// Waits until all is as the users want it; gives what still differs when patience is at its end.
async fn converged(world: &World, users: &Users) -> Vec<String> {
    let calm = Instant::now();
    loop {
        let differences = verdict::differences(world, users.wanted()).await;
        if differences.is_empty() {
            println!("converged {:.0?} after the last fault", calm.elapsed());
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
