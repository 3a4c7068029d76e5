//! What is new does not queue behind the many that are idle.

use std::slice;
use std::time::Duration;

use aep_simulator::{Call, Effect, Fault, Options, Times};
use aep_test_kit::World;
use aep_test_kit::fleet::{all_ready, apply, manifests};
use serde_json::Value;

use crate::isolation::{self, Group};

const IDLE: usize = 30;

/// The list of base connections.
const CONNECTIONS: &str = "/connections";

/// The lists of all other kinds.
const OTHER_LISTS: [&str; 6] = [
    "/sourceConnections",
    "/targetConnections",
    "/flows",
    "/dataSets",
    "/mappingSets",
    "/tenant/schemas",
];

/// As slow as Adobe on a good day.
const LATENCY: Duration = Duration::from_millis(50);

/// Calls that make a pipeline, with what must be known of its sandbox and specs, and a lookup of whether it exists.
const FEW: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pipeline_among_hundreds_of_idle_objects_asks_for_itself_alone() {
    let _running = isolation::run(Group::Scale).await;
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
async fn after_a_restart_a_new_resource_waits_for_the_list_of_its_own_kind_and_for_no_other() {
    let _running = isolation::run(Group::Scale).await;
    let (mut world, new) = idle().await;
    apply(&world, &new).await;
    for list in OTHER_LISTS {
        let silent = Fault::new(Effect::HangBefore).method("GET").path(list);
        world.simulator.inject(silent.times(Times::Every));
    }
    world.start_operator();
    let connection = new.iter().find(|it| it["kind"] == "BaseConnection");
    all_ready(&world, slice::from_ref(connection.unwrap())).await;

    let calls = world.simulator.calls();
    let listed = calls
        .iter()
        .position(|call| is_list_of_connections(call))
        .unwrap();
    let created = calls
        .iter()
        .position(|call| call.method == "POST" && call.route == CONNECTIONS);
    assert!(listed < created.unwrap(), "{calls:?}");
    assert_eq!(world.creates(), 1, "other kinds were not listed yet");

    world.simulator.clear_faults();
    all_ready(&world, &new).await;
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

/// Whether a call lists all base connections, and not only those of one name.
fn is_list_of_connections(call: &Call) -> bool {
    let narrow = |(key, _): &(String, String)| key == "property";
    call.method == "GET" && call.route == CONNECTIONS && !call.query.iter().any(narrow)
}
