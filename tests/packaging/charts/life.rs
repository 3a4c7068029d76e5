//! Releases from install to uninstall.

use aep_control_plane::{ControlPlane, Options};
use aep_test_kit::{World, ours, sample};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ListParams};
use serde_json::json;

use super::release::{Release, install_definitions, parts, run, succeeded, world};

#[tokio::test]
async fn releases_of_one_name_work_side_by_side_and_leave_each_other_alone() {
    let (one, two) = (world().await, world().await);
    let (mut first, mut second) = (Release::new(&one), Release::with_adobe_of(&one, &two));
    succeeded(&first.helm("install", &[]).await);
    second.tool = ControlPlane::helm3;
    succeeded(&second.helm("install", &[]).await);
    let (mut of_first, _of_second) = (first.start(&one).await, second.start(&two).await);
    let samples = one.apply_sample("payments").await;
    let mut others = sample("payments");
    for object in &mut others {
        if object["kind"] == "Sandbox" {
            object["spec"]["sandboxName"] = json!("dev");
        }
        two.apply(object).await.unwrap();
    }
    one.all_ready(&samples).await;
    two.all_ready(&others).await;
    let (before, resources) = (
        parts(&two.client, &two.namespace).await,
        two.versions().await,
    );

    first.set("log", json!({ "level": "debug" }));
    succeeded(&first.helm("upgrade", &[]).await);
    of_first.kill().await.unwrap();
    of_first = first.start(&one).await;
    one.patch(
        "Dataflow",
        "payments",
        json!({ "spec": { "description": "After the upgrade" } }),
    )
    .await;
    one.reason("Dataflow", "payments", "Succeeded").await;

    succeeded(&first.helm_with(&["rollback", "aep"]).await);
    of_first.kill().await.unwrap();
    of_first = first.start(&one).await;
    one.patch(
        "Dataflow",
        "payments",
        json!({ "spec": { "description": "After the rollback" } }),
    )
    .await;
    one.reason("Dataflow", "payments", "Succeeded").await;

    succeeded(&first.helm_with(&["uninstall", "aep"]).await);
    of_first.kill().await.unwrap();
    assert_eq!(
        parts(&one.client, &one.namespace).await,
        Vec::<String>::new()
    );
    for object in ours(&samples) {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        let left = one
            .get(kind.as_str().unwrap(), name.as_str().unwrap())
            .await;
        assert!(left["metadata"]["deletionTimestamp"].is_null(), "{left}");
    }

    assert_eq!(parts(&two.client, &two.namespace).await, before);
    assert_eq!(two.versions().await, resources);
    two.patch(
        "Dataflow",
        "payments",
        json!({ "spec": { "description": "Still there" } }),
    )
    .await;
    two.reason("Dataflow", "payments", "Succeeded").await;
    let held = |sandbox| one.simulator.object_count(sandbox);
    assert_eq!(held("prod"), held("dev"));
}

#[tokio::test]
async fn definitions_and_resources_survive_an_uninstall_of_the_definitions() {
    // A cluster of its own: the other tests need the roles meanwhile.
    let cluster = aep_test_kit::cluster::start(Options::default()).await;
    install_definitions(&cluster).await;
    let world = World::on(cluster.client(), aep_simulator::Options::default()).await;
    let samples = world.apply_sample("payments").await;
    let before = world.versions().await;
    let helm = cluster.helm().unwrap();
    succeeded(
        &run(
            helm,
            &["uninstall", "aep-operator-crds", "--namespace", "default"],
            "",
        )
        .await,
    );
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let left = definitions.list(&ListParams::default()).await.unwrap();
    let left = left
        .items
        .iter()
        .filter(|it| it.metadata.deletion_timestamp.is_none());
    assert_eq!(left.count(), ours(&samples).count());
    assert_eq!(world.versions().await, before);
    install_definitions(&cluster).await;
    assert_eq!(world.versions().await, before);
}
