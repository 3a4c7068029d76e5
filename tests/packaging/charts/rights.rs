//! The rights of a release: enough for all that the operator does, and none too much.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use aep_simulator::Options;
use aep_test_kit::{World, ours, sample};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::release::{Release, cluster, succeeded};

/// Group, resource with subresource, verb.
type Right = (String, String, String);

#[tokio::test]
async fn a_whole_life_uses_every_right_and_asks_for_no_other() {
    let options = Options {
        // So that time passes between a read of a resource and a write to it.
        latency: Duration::from_millis(100),
        ..Options::default()
    };
    let world = World::on(cluster().await.client(), options).await;
    let release = Release::new(&world);
    succeeded(&release.helm("install", &[]).await);
    let mut operator = release.start(&world).await;
    tokio::select! {
        () = live(&world) => {}
        () = keep_writing(&world) => {}
    }
    operator.kill().await.unwrap();
    check(&release).await;

    let granted = granted(&world).await;
    let log = cluster().await.audit_log().unwrap();
    // The log is written behind the requests.
    let used = world
        .eventually("every right to be used", || async {
            let used = requested(&requests(&log, &world.namespace));
            let idle: Vec<_> = granted.difference(&used).collect();
            if idle.is_empty() {
                Ok(used)
            } else {
                Err(format!("never used: {idle:?}"))
            }
        })
        .await;
    let others: Vec<_> = used.difference(&granted).collect();
    assert!(others.is_empty(), "asked for besides: {others:?}");
    assert_eq!(
        denied(&requests(&log, &world.namespace)),
        Vec::<Value>::new()
    );
}

/// Writes to every resource again and again, as busy users do. Whoever has read one a while ago meets conflicts, and must be
/// allowed to read it once more.
async fn keep_writing(world: &World) {
    let samples = sample("payments");
    for count in 0.. {
        // Others need the API server, too.
        sleep(Duration::from_millis(20)).await;
        let annotations = json!({ "example.com/count": count.to_string() });
        let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
        for object in ours(&samples) {
            let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
            let api = world.api(kind.as_str().unwrap());
            let params = PatchParams::default();
            // It may not be there.
            let _ = api.patch(name.as_str().unwrap(), &params, &patch).await;
        }
    }
}

/// Made, changed, in trouble, drifted, given other credentials, deleted.
async fn live(world: &World) {
    let samples = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&samples).await;
    world
        .patch(
            "Dataflow",
            "payments",
            json!({ "spec": { "description": "Changed" } }),
        )
        .await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    drift(world).await;
    // Twice, as an Event that recurs is patched.
    for _ in 0..2 {
        let wrong = json!({ "stringData": { "clientSecret": "wrong" } });
        world.patch("Secret", "adobe-io", wrong).await;
        world
            .reason("Sandbox", "default", "InvalidCredentials")
            .await;
        let right = json!({ "stringData": { "clientSecret": "demo-secret" } });
        world.patch("Secret", "adobe-io", right).await;
        world.all_ready(&samples).await;
    }
    for object in ours(&samples).filter(|object| object["kind"] != "Sandbox") {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        world
            .delete(kind.as_str().unwrap(), name.as_str().unwrap())
            .await;
    }
    for object in ours(&samples).filter(|object| object["kind"] != "Sandbox") {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        world
            .gone(kind.as_str().unwrap(), name.as_str().unwrap())
            .await;
    }
    world.delete("Sandbox", "default").await;
    world.gone("Sandbox", "default").await;
}

/// Changes a dataset at Adobe and waits until it is as declared again.
async fn drift(world: &World) {
    let dataset = world.get("Dataset", "payments").await;
    let id = dataset["status"]["id"].as_str().unwrap();
    let path = format!("/catalog/dataSets/{id}");
    let name = || async { world.at_adobe("GET", &path, &Value::Null).await[id]["name"].clone() };
    let declared = name().await;
    let other = json!({ "name": "Somebody else's" });
    world.at_adobe("PATCH", &path, &other).await;
    let repaired = || async {
        let seen = name().await;
        (seen == declared).then_some(()).ok_or(seen.to_string())
    };
    world.eventually("the drift to be repaired", repaired).await;
}

/// `helm test`, without a node that would run its Pod.
async fn check(release: &Release) {
    let hooks = succeeded(&release.helm_with(&["get", "hooks", "aep"]).await);
    let pod: Value = serde_saphyr::from_multiple(&hooks).unwrap().pop().unwrap();
    let output = release.command(&pod["spec"]).await.output().await.unwrap();
    let told = succeeded(&output);
    assert!(
        told.contains("update leases") && !told.contains("FAIL"),
        "{told}"
    );
}

/// What the roles in the namespace grant.
async fn granted(world: &World) -> BTreeSet<Right> {
    let api: Api<Role> = Api::namespaced(world.client.clone(), &world.namespace);
    let roles = api.list(&ListParams::default()).await.unwrap();
    let mut granted = BTreeSet::new();
    for rule in roles.items.into_iter().flat_map(|role| role.rules.unwrap()) {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                let right = |verb: &String| (group.clone(), resource.clone(), verb.clone());
                granted.extend(rule.verbs.iter().map(right));
            }
        }
    }
    granted
}

/// What the accounts of the namespace asked for, leaving out what everybody may.
fn requested(requests: &[Value]) -> BTreeSet<Right> {
    let about = |request: &Value| {
        let text = |field: &str| {
            request["objectRef"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let resource = match text("subresource").as_str() {
            "" => text("resource"),
            subresource => format!("{}/{subresource}", text("resource")),
        };
        (
            text("apiGroup"),
            resource,
            request["verb"].as_str().unwrap().to_owned(),
        )
    };
    let rights = requests.iter().map(about).collect::<BTreeSet<_>>();
    let of_everybody =
        |(group, resource, _): &Right| resource.is_empty() || group == "authorization.k8s.io";
    rights
        .into_iter()
        .filter(|right| !of_everybody(right))
        .collect()
}

fn denied(requests: &[Value]) -> Vec<Value> {
    let refused = |it: &Value| {
        it["responseStatus"]["code"] == 403
            || it["annotations"]["authorization.k8s.io/decision"] != "allow"
    };
    requests.iter().filter(|it| refused(it)).cloned().collect()
}

/// The audit log's lines about the accounts of a namespace.
fn requests(log: &Path, namespace: &str) -> Vec<Value> {
    let log = fs::read_to_string(log).unwrap();
    let user = format!("system:serviceaccount:{namespace}:aep-");
    let lines = log.lines().filter(|line| line.contains(&user));
    // The last line may not be whole yet.
    let parsed = lines.filter_map(|line| serde_json::from_str(line).ok());
    parsed.collect()
}
