//! What Kubernetes forgot is found again at Adobe.

use aep_control_plane::Options as Cluster;
use aep_simulator::Options;
use aep_test_kit::cluster::{self, create_namespace, install_crds};
use aep_test_kit::fleet::{all_ready, apply, concurrently, manifests};
use aep_test_kit::{World, name, ours};

use crate::isolation::{self, Group};

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_lost_with_its_etcd_is_rebuilt_from_manifests_without_one_create() {
    let _running = isolation::run(Group::Scale).await;
    let objects = manifests(100);
    let lost = cluster::start(Cluster::default()).await;
    install_crds(&lost.client()).await.unwrap();
    let mut world = World::on(lost.client(), Options::default()).await;
    apply(&world, &objects).await;
    world.start_operator();
    let before = all_ready(&world, &objects).await;
    world.kill_operator().await;
    lost.stop().await;
    world.simulator.clear_calls();

    let fresh = cluster::start(Cluster::default()).await;
    world.client = fresh.client();
    install_crds(&world.client).await.unwrap();
    let created = create_namespace(&world.client, &world.namespace).await;
    assert_eq!(created.unwrap(), world.namespace);
    apply(&world, &objects).await;
    world.start_operator();
    assert_eq!(all_ready(&world, &objects).await, before);
    assert_eq!(world.creates(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_statuses_wiped_by_hand_are_written_again_without_one_create() {
    let _running = isolation::run(Group::Scale).await;
    let objects = manifests(500 / 7 + 1);
    let mut world = World::unattended(Options::default()).await;
    apply(&world, &objects).await;
    world.start_operator();
    let before = all_ready(&world, &objects).await;
    world.simulator.clear_calls();

    concurrently(ours(&objects).map(|object| async {
        let (kind, name) = name(object);
        world.wipe_status(kind, name).await;
    }))
    .await;
    assert_eq!(all_ready(&world, &objects).await, before);
    assert_eq!(world.creates(), 0);
}
