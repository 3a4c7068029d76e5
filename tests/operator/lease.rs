//! Several replicas, of which one acts.

use std::time::{Duration, Instant};

use aep_operator::lease::{Candidate, LeaseTimings};
use aep_simulator::Options;
use aep_test_kit::{World, sample};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::replica::{LEASE, Replica};

/// Seconds of a lease that a test waits for; long enough for a leader on a machine that is busy with other things.
const SHORT: u16 = 9;
/// Seconds of a lease that does not expire while a test waits for something else.
const LONG: u16 = 30;

#[tokio::test]
async fn the_standby_asks_nothing_and_takes_over_from_a_killed_leader() {
    let world = World::unattended(Options::default()).await;
    // Both at the same moment: one of them makes the lease.
    let (one, other) = tokio::join!(
        Replica::start(&world, "one", SHORT),
        Replica::start(&world, "other", SHORT)
    );
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let (leader, mut standby, standby_pod) = match holder(&world).await.unwrap() {
        it if it.starts_with("one_") => (one, other, "other"),
        _ => (other, one, "one"),
    };
    assert!(leader.sent() > 0 && standby.runs());
    assert_eq!(standby.sent(), 0);

    leader.signal("KILL").await;
    let killed = Instant::now();
    led_by(&world, standby_pod).await;
    eprintln!("taken over {:.1?} after the kill", killed.elapsed());
    set_interval(&world, 60).await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    let flows = world.simulator.objects("prod", "flows");
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0]["scheduleParams"]["interval"], 60);
    assert!(standby.sent() > 0);
}

#[tokio::test]
async fn a_terminated_leader_hands_over_at_once() {
    let world = World::unattended(Options::default()).await;
    let leader = Replica::start(&world, "leader", LONG).await;
    led_by(&world, "leader").await;
    let standby = Replica::start(&world, "standby", LONG).await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;

    leader.signal("TERM").await;
    let terminated = Instant::now();
    let (output, _) = leader.ended().await;
    assert!(output.status.success(), "{output:?}");
    let now = holder(&world).await.unwrap_or_default();
    assert!(!now.starts_with("leader_"), "not released: {now}");
    led_by(&world, "standby").await;
    let taken = terminated.elapsed();
    eprintln!("taken over {taken:.1?} after the word to stop");
    assert!(taken < LeaseTimings::new(LONG).renew_deadline());

    standby.signal("TERM").await;
    assert!(standby.ended().await.0.status.success());
}

#[tokio::test]
async fn a_leader_whose_lease_is_stolen_ends_by_itself() {
    let world = World::unattended(slow()).await;
    let leader = Replica::start(&world, "leader", SHORT).await;
    led_by(&world, "leader").await;
    begin_pipeline(&world).await;

    let stolen = Instant::now();
    let thief = json!({ "spec": { "holderIdentity": "thief" } });
    leases(&world)
        .patch(LEASE, &PatchParams::default(), &Patch::Merge(thief))
        .await
        .unwrap();
    let (output, _) = leader.ended().await;
    eprintln!("ended {:.1?} after the theft", stolen.elapsed());
    assert_lost(&output, "held by thief");
    assert_eq!(holder(&world).await.as_deref(), Some("thief"));
    let flows = world.simulator.objects("prod", "flows");
    assert!(flows.is_empty(), "it went on with its work");
}

#[tokio::test]
async fn a_leader_that_was_paused_writes_nothing_after_another_took_over() {
    let world = World::unattended(slow()).await;
    let leader = Replica::start(&world, "leader", SHORT).await;
    led_by(&world, "leader").await;
    begin_pipeline(&world).await;

    leader.signal("STOP").await;
    let paused = Instant::now();
    let client = world.client.clone();
    let timings = LeaseTimings::new(SHORT);
    let successor = Candidate::new(client, &world.namespace, LEASE, "successor", timings);
    let reign = async {
        eprintln!("taken over {:.1?} after the pause began", paused.elapsed());
        assert!(paused.elapsed() > timings.renew_deadline());
        let before = (leader.sent(), world.versions().await);
        leader.signal("CONT").await;
        let (output, sent) = leader.ended().await;
        assert_lost(&output, "lease");
        assert_eq!((sent, world.versions().await), before);
    };
    let stop = CancellationToken::new();
    Box::pin(successor.lead(reign, &stop)).await.unwrap();

    let _next = Replica::start(&world, "next", SHORT).await;
    world.all_ready(&sample("payments")).await;
    for kind in [
        "connections",
        "sourceConnections",
        "targetConnections",
        "flows",
    ] {
        let all = world.simulator.objects("prod", kind);
        assert_eq!(all.len(), 1, "{kind}: {all:?}");
    }
}

/// Slow enough to be interrupted in the middle of building a pipeline.
fn slow() -> Options {
    Options {
        latency: Duration::from_secs(1),
        ..Options::default()
    }
}

/// Applies a pipeline, and comes back when the first piece was made at Adobe.
async fn begin_pipeline(world: &World) {
    world.apply_sample("payments").await;
    let begun = || async { (world.writes() > 0).then_some(()).ok_or("no call".into()) };
    world.eventually("a write to Adobe", begun).await;
}

async fn set_interval(world: &World, minutes: u32) {
    let patch = json!({ "spec": { "schedule": { "interval": minutes } } });
    world.patch("Dataflow", "payments", patch).await;
}

fn assert_lost(output: &std::process::Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(why), "{said}");
}

fn leases(world: &World) -> Api<Lease> {
    Api::namespaced(world.client.clone(), &world.namespace)
}

async fn holder(world: &World) -> Option<String> {
    let lease = leases(world).get_opt(LEASE).await.unwrap()?;
    lease.spec?.holder_identity
}

async fn led_by(world: &World, pod: &str) {
    let what = format!("{pod} to lead");
    let check = || async {
        match holder(world).await {
            Some(it) if it.starts_with(&format!("{pod}_")) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    world.eventually(&what, check).await;
}
