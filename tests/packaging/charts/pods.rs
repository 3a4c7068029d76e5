//! Pods and waiters: what the cluster makes of a release.

use std::time::{Duration, Instant};

use aep_test_kit::{World, condition, ours, sample};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::release::{Release, cluster, run, succeeded, world};

#[tokio::test]
async fn the_restricted_pod_security_standard_lets_the_pods_in() {
    let world = world().await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let restricted =
        json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } });
    let patch = Patch::Merge(restricted);
    namespaces
        .patch(&world.namespace, &PatchParams::default(), &patch)
        .await
        .unwrap();
    let mut release = Release::new(&world);
    release.set("replicaCount", json!(2));
    succeeded(&release.helm("install", &[]).await);
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), &world.namespace);
    world
        .eventually("both Pods", || async {
            let made = pods.list(&ListParams::default()).await.unwrap().items;
            if made.len() == 2 {
                Ok(())
            } else {
                Err(format!("{} Pods", made.len()))
            }
        })
        .await;
    let hooks = succeeded(&release.helm_with(&["get", "hooks", "aep"]).await);
    let arguments = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
    succeeded(&run(cluster().await.kubectl().unwrap(), &arguments, &hooks).await);
}

/// No Pod runs here, so the release has none: the test runs its process as soon as its account is there.
#[tokio::test]
async fn an_install_waits_for_resources_to_be_ready_and_fails_fast_where_one_is_stalled() {
    let world = world().await;
    let mut release = release_with_resources(&world);
    let wait = ["--wait", "--timeout", "10m"];
    let install = release.helm("install", &wait);
    let (installed, _operator) = tokio::join!(install, release.start(&world));
    succeeded(&installed);
    for object in ours(&sample("payments")) {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        let object = world
            .get(kind.as_str().unwrap(), name.as_str().unwrap())
            .await;
        assert_eq!(condition(&object, "Ready")["status"], "True", "{object}");
    }

    let before = (generations(&world, &release).await, world.versions().await);
    succeeded(&release.helm("upgrade", &wait).await);
    let after = (generations(&world, &release).await, world.versions().await);
    assert_eq!(after, before);

    let mut objects = resources();
    let mut broken = objects
        .iter()
        .find(|it| it["kind"] == "BaseConnection")
        .unwrap()
        .clone();
    broken["metadata"]["name"] = json!("broken");
    broken["spec"]["connectionSpec"] = json!({ "name": "no-such-source" });
    objects.push(broken);
    release.set("extraObjects", Value::Array(objects));
    let begin = Instant::now();
    let broken = release.helm("upgrade", &wait).await;
    let errors = String::from_utf8_lossy(&broken.stderr);
    assert!(
        !broken.status.success(),
        "a stalled resource counts as ready"
    );
    assert!(
        errors.contains("broken") && errors.contains("Failed"),
        "{errors}"
    );
    let broken = world.get("BaseConnection", "broken").await;
    assert_eq!(condition(&broken, "Stalled")["status"], "True", "{errors}");
    assert!(begin.elapsed() < Duration::from_secs(60), "{errors}");
}

/// A release that brings its Sandbox and a whole pipeline.
fn release_with_resources(world: &World) -> Release {
    let mut release = Release::new(world);
    release.set("replicaCount", json!(0));
    let credentials =
        json!({ "create": true, "clientId": "aep-operator-demo", "clientSecret": "demo-secret" });
    let organisation = "0123456789ABCDEF@AdobeOrg";
    release.set(
        "sandbox",
        json!({ "create": true, "sandboxName": "prod", "imsOrgId": organisation, "credentials": credentials }),
    );
    release.set("extraObjects", Value::Array(resources()));
    release
}

/// The sample but for what the chart makes of values.
fn resources() -> Vec<Value> {
    let sandbox =
        |object: &Value| object["kind"] == "Sandbox" || object["metadata"]["name"] == "adobe-io";
    sample("payments")
        .into_iter()
        .filter(|object| !sandbox(object))
        .collect()
}

async fn generations(world: &World, release: &Release) -> Vec<(String, Option<i64>)> {
    let deployment = release.deployment(world).await;
    let mut generations = vec![(deployment.name_any(), deployment.metadata.generation)];
    for object in ours(&sample("payments")) {
        let (kind, name) = (
            object["kind"].as_str().unwrap(),
            object["metadata"]["name"].as_str().unwrap(),
        );
        let object = world.get(kind, name).await;
        generations.push((
            format!("{kind}/{name}"),
            object["metadata"]["generation"].as_i64(),
        ));
    }
    generations
}
