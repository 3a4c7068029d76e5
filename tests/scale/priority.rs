//! What is new does not queue behind the many that are idle.

use std::time::Duration;

use aep_simulator::{Call, Effect, Fault, Options};
use serde_json::Value;

use crate::fleet::{all_ready, apply, manifests};
use crate::harness::World;

const IDLE: usize = 30;

/// How long a list takes that a restart asks for: longer than all else.
const SLOW: Duration = Duration::from_secs(25);

/// One list of each kind.
const LISTS: [&str; 7] = [
    "/connections",
    "/sourceConnections",
    "/targetConnections",
    "/flows",
    "/dataSets",
    "/mappingSets",
    "/tenant/schemas",
];

/// As slow as Adobe on a good day.
const LATENCY: Duration = Duration::from_millis(50);

/// Calls that make a pipeline, with what must be known of its sandbox and specs, and with a look whether it is there.
const FEW: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pipeline_among_hundreds_of_idle_objects_asks_for_itself_alone() {
    let (mut world, new) = idle().await;
    world.start_operator();
    all_ready(&world, &manifests(IDLE)).await;
    world.simulator.clear_calls();
    apply(&world, &new).await;
    all_ready(&world, &new).await;
    let calls = world.simulator.calls();
    assert!(calls.len() <= FEW, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pipeline_is_ready_before_the_sweeps_of_a_restart_are_over() {
    let (mut world, new) = idle().await;
    world.age("Sandbox", "default").await;
    apply(&world, &new).await;
    let millis = u64::try_from(SLOW.as_millis()).unwrap();
    for list in LISTS {
        let slow = Fault::new(Effect::Delay(millis)).method("GET").path(list);
        world.simulator.inject(slow);
    }
    world.start_operator();
    all_ready(&world, &new).await;
    let calls = world.simulator.calls();
    assert!(calls.len() <= FEW, "{calls:?}");
    assert!(!calls.iter().any(is_sweep), "{calls:?}");
}

/// A fleet whose operator was killed, and one more pipeline.
async fn idle() -> (World, Vec<Value>) {
    let (idle, all) = (manifests(IDLE), manifests(IDLE + 1));
    let mut world = World::unattended(Options::default()).await;
    apply(&world, &idle).await;
    world.start_operator();
    all_ready(&world, &idle).await;
    world.kill_operator().await;
    world.simulator.set_latency(LATENCY);
    world.simulator.clear_calls();
    let new = all.into_iter().filter(|object| !idle.contains(object));
    (world, new.collect())
}

/// Whether a call lists everything, and not only what bears a name or a tag.
fn is_sweep(call: &Call) -> bool {
    let narrow = |(key, _): &(String, String)| ["property", "name", "tags"].contains(&key.as_str());
    call.method == "GET" && LISTS.contains(&call.route.as_str()) && !call.query.iter().any(narrow)
}
