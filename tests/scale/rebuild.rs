//! What Kubernetes forgot is found again at Adobe.

use aep_control_plane::Options as Cluster;
use aep_simulator::Options;

use crate::fleet::{all_ready, apply, cluster, manifests, name, side_by_side};
use crate::harness::{World, new_namespace, ours};

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_lost_with_its_etcd_is_rebuilt_from_manifests_without_one_create() {
    let objects = manifests(100);
    let lost = cluster(Cluster::default()).await;
    let mut world = World::on(lost.client(), Options::default()).await;
    apply(&world, &objects).await;
    world.start_operator();
    let before = all_ready(&world, &objects).await;
    world.kill_operator().await;
    lost.stop().await;
    world.simulator.clear_calls();

    let fresh = cluster(Cluster::default()).await;
    world.client = fresh.client();
    new_namespace(&world.client, Some(&world.namespace)).await;
    apply(&world, &objects).await;
    world.start_operator();
    assert_eq!(all_ready(&world, &objects).await, before);
    assert_eq!(posts(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_statuses_wiped_by_hand_are_written_again_without_one_create() {
    let objects = manifests(500 / 7 + 1);
    let mut world = World::unattended(Options::default()).await;
    apply(&world, &objects).await;
    world.start_operator();
    let before = all_ready(&world, &objects).await;
    world.simulator.clear_calls();

    side_by_side(ours(&objects).map(|object| async {
        let (kind, name) = name(object);
        world.wipe_status(&kind, &name).await;
    }))
    .await;
    assert_eq!(all_ready(&world, &objects).await, before);
    assert_eq!(posts(&world), 0);
}

/// How many objects were asked for. What is only known to have been sent, such as credentials, may be sent once more.
fn posts(world: &World) -> usize {
    let calls = world.simulator.calls();
    let posts = calls.iter().filter(|call| {
        call.method == "POST" && call.service != "ims" && !call.path.ends_with("/validate")
    });
    posts.count()
}
