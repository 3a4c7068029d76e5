//! Where nothing changes, the lists of a resync are all that Adobe is asked for.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aep_control_plane::Options as Cluster;
use aep_simulator::{Call, Options};
use aep_test_kit::World;
use aep_test_kit::cluster::{self, install_crds};
use aep_test_kit::fleet::{all_ready, apply, manifests};
use serde_json::Value;

use crate::isolation::{self, Group};

/// Resyncs within an hour, with the usual period of ten minutes.
const RESYNCS: usize = 6;

/// How long an hour's sixth part takes here.
const PERIOD: Duration = Duration::from_secs(1);

/// Objects on one page of a list, where pages are smallest.
const PAGE: usize = 100;

/// The lists that are read again and again: by resyncs, and by polls for runs. Those come every two minutes, but not more
/// often than resyncs, so here as often: an hour has 30 of them, of one page each where nothing runs.
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
async fn an_hour_over_settled_pipelines_is_six_resyncs_and_not_one_write() {
    let _running = isolation::run(Group::Scale).await;
    let full = std::env::var("SCALE").is_ok_and(|it| it == "full");
    let pipelines = if full { 1000 } else { 200 };
    let audited = Cluster {
        audit_log: true,
        ..Cluster::default()
    };
    let cluster = cluster::start(audited).await;
    install_crds(&cluster.client()).await.unwrap();
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
    // The first resync is that of the restart; what follows from it ends before the second one does.
    resynced(&world, 2).await;

    let written = writes(&log, &world.namespace);
    world.simulator.clear_calls();
    resynced(&world, RESYNCS).await;
    let calls = world.simulator.calls();
    let other: Vec<_> = calls.iter().filter(|call| !is_page(call)).collect();
    assert!(other.is_empty(), "{other:?}");
    for (list, resyncs) in resyncs(&calls) {
        let pages = pipelines / PAGE + 1;
        assert!(
            resyncs.iter().all(|read| *read <= pages),
            "{list}: {resyncs:?} pages, not {pages}"
        );
    }
    assert_eq!(writes(&log, &world.namespace), written);
}

/// Waits until everything was listed that often from the first page to the last.
async fn resynced(world: &World, times: usize) {
    let done = || async {
        let calls = world.simulator.calls();
        let all = resyncs(&calls);
        let counts: Vec<_> = LISTS
            .iter()
            .map(|list| all.get(*list).map_or(0, Vec::len))
            .collect();
        let done = counts.iter().all(|count| *count >= times);
        done.then_some(()).ok_or(format!("{counts:?}"))
    };
    world.eventually("resyncs of everything", done).await;
}

fn is_page(call: &Call) -> bool {
    call.method == "GET" && LISTS.contains(&call.route.as_str())
}

/// How many pages each whole resync has read, by list.
fn resyncs(calls: &[Arc<Call>]) -> BTreeMap<&str, Vec<usize>> {
    let mut resyncs = BTreeMap::<_, Vec<usize>>::new();
    for call in calls.iter().filter(|call| is_page(call)) {
        let counts = resyncs.entry(call.route.as_str()).or_default();
        match counts.last_mut() {
            Some(pages) if !is_first_page(call) => *pages += 1,
            // Of a resync that had begun before, only the rest was seen.
            None if !is_first_page(call) => {}
            _ => counts.push(1),
        }
    }
    for counts in resyncs.values_mut() {
        // The last one may still be under way.
        counts.pop();
    }
    resyncs
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
