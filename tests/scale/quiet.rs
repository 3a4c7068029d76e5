//! Where nothing changes, sweeps are all there is.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::time::Duration;

use aep_control_plane::Options as Cluster;
use aep_simulator::{Call, Options};
use serde_json::Value;

use crate::fleet::{all_ready, apply, cluster, manifests};
use crate::harness::World;

/// Sweeps within an hour, with the usual period of ten minutes.
const SWEEPS: usize = 6;

/// How long an hour's sixth part takes here.
const PERIOD: Duration = Duration::from_secs(1);

/// Objects on one page of a list, where pages are smallest.
const PAGE: usize = 100;

/// The lists that are read again and again: by sweeps, and by looks for runs. Those come every two minutes, but not more
/// often than sweeps, so here as often: an hour has 30 of them, of one page each where nothing runs.
const LISTS: [&str; 11] = [
    "/connections",
    "/sourceConnections",
    "/targetConnections",
    "/flows",
    "/runs",
    "/dataSets",
    "/mappingSets",
    "/tenant/schemas",
    "/tenant/classes",
    "/tenant/fieldgroups",
    "/tenant/descriptors",
];

/// 200 pipelines, since 1,000 take minutes to create: `make scale` has the patience.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_over_settled_pipelines_is_six_sweeps_and_not_one_write() {
    let full = std::env::var("SCALE").is_ok_and(|it| it == "full");
    let pipelines = if full { 1000 } else { 200 };
    let audited = Cluster {
        audit_log: true,
        ..Cluster::default()
    };
    let cluster = cluster(audited).await;
    let log = cluster.audit_log().unwrap();
    let mut world = World::on(cluster.client(), Options::default()).await;
    let objects = manifests(pipelines);
    apply(&world, &objects).await;
    world.start_operator();
    all_ready(&world, &objects).await;
    world.kill_operator().await;
    world.settings.resync = PERIOD;
    world.simulator.clear_calls();
    world.start_operator();
    // The first sweep is that of the restart; what follows from it ends before the second one does.
    swept(&world, 2).await;

    let written = writes(&log, &world.namespace);
    world.simulator.clear_calls();
    swept(&world, SWEEPS).await;
    let calls = world.simulator.calls();
    let other: Vec<_> = calls.iter().filter(|call| !is_page(call)).collect();
    assert!(other.is_empty(), "{other:?}");
    for (list, sweeps) in sweeps(&calls) {
        let pages = pipelines / PAGE + 1;
        assert!(
            sweeps.iter().all(|read| *read <= pages),
            "{list}: {sweeps:?} pages, not {pages}"
        );
    }
    assert_eq!(writes(&log, &world.namespace), written);
}

/// Waits until everything was swept that often from one end to the other.
async fn swept(world: &World, times: usize) {
    let done = || async {
        let calls = world.simulator.calls();
        let all = sweeps(&calls);
        let counts: Vec<_> = LISTS
            .iter()
            .map(|list| all.get(*list).map_or(0, Vec::len))
            .collect();
        let done = counts.iter().all(|count| *count >= times);
        done.then_some(()).ok_or(format!("{counts:?}"))
    };
    world.eventually("sweeps of everything", done).await;
}

fn is_page(call: &Call) -> bool {
    call.method == "GET" && LISTS.contains(&call.route.as_str())
}

/// How many pages each whole sweep has read, by list.
fn sweeps(calls: &[Call]) -> BTreeMap<&str, Vec<usize>> {
    let mut sweeps = BTreeMap::<_, Vec<usize>>::new();
    for call in calls.iter().filter(|call| is_page(call)) {
        let counts = sweeps.entry(call.route.as_str()).or_default();
        match counts.last_mut() {
            Some(pages) if !is_first_page(call) => *pages += 1,
            // Of a sweep that had begun before, only the rest was seen.
            None if !is_first_page(call) => {}
            _ => counts.push(1),
        }
    }
    for counts in sweeps.values_mut() {
        // The last one may still be under way.
        counts.pop();
    }
    sweeps
}

fn is_first_page(call: &Call) -> bool {
    let query: HashMap<_, _> = call.query.iter().cloned().collect();
    let start = query.get("start").is_none_or(|start| start == "0");
    start && !query.contains_key("continuationToken")
}

/// How many requests have changed something in the namespace.
fn writes(log: &Path, namespace: &str) -> usize {
    let log = fs::read_to_string(log).unwrap();
    let entries = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let write = |entry: &Value| {
        let verb = entry["verb"].as_str().unwrap_or_default();
        entry["objectRef"]["namespace"] == namespace && !["get", "list", "watch"].contains(&verb)
    };
    entries.filter(write).count()
}
