//! What is deleted here goes at Adobe, in an order that Adobe accepts, or says why not.

use std::time::Duration;

use aep_control_plane::Options as Cluster;
use aep_simulator::{Effect, Fault, Options, Reply, RunOutcome, Times};
use aep_test_kit::{PATIENCE, World, cluster, condition, name, ours, sample};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};
use tokio::time::timeout;

async fn settled() -> World {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    world.simulator.clear_calls();
    world
}

#[tokio::test]
async fn an_object_in_use_stays_and_names_its_users() {
    let world = settled().await;
    world.delete("PlatformSchema", "payments").await;
    let schema = world
        .reason("PlatformSchema", "payments", "DeletionBlocked")
        .await;
    let message = condition(&schema, "Ready")["message"].to_string();
    for user in ["Dataset/payments", "MappingSet/payments"] {
        assert!(message.contains(user), "{message}");
    }
    assert_eq!(world.writes(), 0);
    for (kind, name) in [
        ("Dataflow", "payments"),
        ("TargetConnection", "payments"),
        ("Dataset", "payments"),
        ("MappingSet", "payments"),
    ] {
        world.delete(kind, name).await;
    }
    world.gone("PlatformSchema", "payments").await;
    assert!(world.simulator.objects("prod", "schemas").is_empty());
}

#[tokio::test]
async fn what_is_gone_already_is_fine() {
    let world = settled().await;
    for kind in ["flows", "sourceConnections", "dataSets", "mappingSets"] {
        let object = world.simulator.objects("prod", kind).remove(0);
        let id = object["id"].as_str().unwrap();
        assert!(world.simulator.delete("prod", kind, id).unwrap());
    }
    world.delete_all(&sample("payments")).await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn an_object_whose_mark_was_taken_away_since_the_last_look_stays_at_adobe() {
    let world = settled().await;
    let flow = world.simulator.objects("prod", "flows").remove(0);
    let id = flow["id"].as_str().unwrap();
    let edit = json!({ "description": "belongs to somebody else now" });
    world.simulator.edit("prod", "flows", id, &edit).unwrap();
    world.delete("Dataflow", "payments").await;
    world.event("Dataflow", "payments", "Released").await;
    world.gone("Dataflow", "payments").await;
    assert_eq!(world.simulator.objects("prod", "flows").len(), 1);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn an_orphaned_object_stays_at_adobe() {
    let world = settled().await;
    let patch = json!({ "spec": { "deletionPolicy": "Orphan" } });
    world.patch("Dataflow", "payments", patch).await;
    world.delete("Dataflow", "payments").await;
    world.gone("Dataflow", "payments").await;
    assert_eq!(world.simulator.objects("prod", "flows").len(), 1);
    assert_eq!(world.simulator.count("DELETE", "/flows/{id}"), 0);
}

#[tokio::test]
async fn a_refusal_for_use_at_adobe_is_tried_again() {
    let world = settled().await;
    let answer = Reply::json(
        400,
        json!({
            "type": "https://ns.adobe.com/aep/errors/FLOW-1447-400", "title": "In use", "status": 400,
            "report": { "detailed-message": "Found active flows" },
        }),
    );
    let fault = Fault::answer(answer).method("DELETE");
    let fault = fault.path("/sourceConnections/{id}");
    world.simulator.inject(fault.times(Times::Next(2)));
    world.delete_all(&sample("payments")).await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn adobe_away_at_deletion_keeps_the_finalizer_and_says_so() {
    let world = settled().await;
    let away = Fault::answer(Reply::empty(503)).method("DELETE");
    world.simulator.inject(away.times(Times::Every));
    world.delete("Dataflow", "payments").await;
    let flow = world
        .reason("Dataflow", "payments", "AdobeUnavailable")
        .await;
    let message = condition(&flow, "Ready")["message"].to_string();
    assert!(message.contains("cannot be deleted yet"), "{message}");
    assert!(condition(&flow, "Stalled").is_null());
    world.simulator.clear_faults();
    world.gone("Dataflow", "payments").await;
    assert!(world.simulator.objects("prod", "flows").is_empty());
}

#[tokio::test]
async fn credentials_that_are_gone_are_told_with_the_way_out() {
    let mut world = settled().await;
    world.kill_operator().await;
    world.delete("Secret", "adobe-io").await;
    world.start_operator();
    world.delete("Dataflow", "payments").await;
    world
        .says("Dataflow", "payments", "deletionPolicy: Orphan")
        .await;
    let patch = json!({ "spec": { "deletionPolicy": "Orphan" } });
    world.patch("Dataflow", "payments", patch).await;
    world.gone("Dataflow", "payments").await;
    assert_eq!(world.simulator.objects("prod", "flows").len(), 1);
}

#[tokio::test]
async fn a_create_without_an_answer_is_looked_for_before_its_resource_goes() {
    let world = World::new().await;
    let hang = Fault::new(Effect::DropAfter).method("POST");
    world
        .simulator
        .inject(hang.path("/flows").times(Times::Next(1)));
    let lost = Fault::answer(Reply::empty(503)).method("GET");
    world.apply_sample("payments").await;
    world
        .eventually("the flow at Adobe", || async {
            let count = world.simulator.objects("prod", "flows").len();
            (count == 1).then_some(()).ok_or(count.to_string())
        })
        .await;
    // The operator cannot see it, and its resource is deleted meanwhile.
    world
        .simulator
        .inject(lost.path("/flows").times(Times::Next(1)));
    world.delete("Dataflow", "payments").await;
    world.gone("Dataflow", "payments").await;
    assert!(world.simulator.objects("prod", "flows").is_empty());
}

#[tokio::test]
async fn a_schema_made_without_an_answer_goes_with_the_field_group_that_is_known() {
    let world = World::new().await;
    let fault = Fault::new(Effect::DropAfter).method("POST");
    let fault = fault.path("/tenant/schemas").times(Times::Every);
    world.simulator.inject(fault);
    // What was made is not to be found by its title, as if the listing lagged behind.
    let hidden = Reply::json(200, json!({ "results": [], "_page": {} }));
    for list in ["/tenant/schemas", "/tenant/fieldgroups"] {
        let fault = Fault::answer(hidden.clone()).method("GET").path(list);
        world.simulator.inject(fault.times(Times::Every));
    }
    let objects = sample("payments");
    let wanted = |object: &&Value| {
        let kind = object["kind"].as_str();
        let raw = object["spec"].get("adHoc").is_some();
        !raw && kind.is_some_and(|it| ["Secret", "Sandbox", "PlatformSchema"].contains(&it))
    };
    for object in objects.iter().filter(wanted) {
        world.apply(object).await.unwrap();
    }
    world
        .eventually("the schema at Adobe", || async {
            let count = world.simulator.objects("prod", "schemas").len();
            (count == 1).then_some(()).ok_or(count.to_string())
        })
        .await;
    world.delete("PlatformSchema", "payments").await;
    world
        .reason("PlatformSchema", "payments", "CreateUnsure")
        .await;
    world.simulator.clear_faults();
    world.gone("PlatformSchema", "payments").await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

/// A world with the sandbox open and the schema of the payments sample, which need not be ready.
async fn with_schema(world: &World) {
    let wanted = |object: &&Value| {
        let kind = object["kind"].as_str();
        kind.is_some_and(|it| ["Secret", "Sandbox", "PlatformSchema"].contains(&it))
    };
    for object in sample("payments").iter().filter(wanted) {
        world.apply(object).await.unwrap();
    }
}

/// By which what was made is older than what is deleted.
const HOUR: Duration = Duration::from_secs(3600);

/// The schema goes, and its field group cannot: the registry does not know of that yet.
async fn cut_off(world: &World) {
    with_schema(world).await;
    world
        .reason("PlatformSchema", "payments", "Succeeded")
        .await;
    world.simulator.advance(HOUR);
    let used = json!({ "title": "In use", "detail": "a schema uses it", "status": 400 });
    let used = Fault::answer(Reply::json(400, used)).method("DELETE");
    let used = used.path("/tenant/fieldgroups/{id}").times(Times::Every);
    world.simulator.inject(used);
    world.delete("PlatformSchema", "payments").await;
    world
        .says("PlatformSchema", "payments", "a schema uses it")
        .await;
    assert!(world.simulator.objects("prod", "schemas").is_empty());
    assert_eq!(world.simulator.objects("prod", "fieldgroups").len(), 1);
}

#[tokio::test]
async fn a_field_group_that_outlived_its_schema_is_deleted_at_the_next_try() {
    let world = World::new().await;
    cut_off(&world).await;
    world.simulator.clear_faults();
    world.gone("PlatformSchema", "payments").await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn a_field_group_that_outlived_its_schema_is_deleted_where_lists_still_show_both() {
    let mut world = World::new().await;
    cut_off(&world).await;
    world.kill_operator().await;
    world.simulator.clear_faults();
    // Lists show both as they were a while ago.
    world.simulator.set_list_lag(HOUR / 2);
    world.start_operator();
    world.gone("PlatformSchema", "payments").await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn corrected_credentials_let_everything_go_that_waits_for_its_deletion() {
    let world = settled().await;
    let objects = sample("payments");
    let secrets = vec!["rotated".to_owned()];
    world
        .simulator
        .set_secrets("aep-operator-demo", secrets)
        .unwrap();
    world.simulator.revoke_tokens();
    for object in ours(&objects) {
        let (kind, name) = (object["kind"].as_str(), object["metadata"]["name"].as_str());
        world.delete(kind.unwrap(), name.unwrap()).await;
    }
    world
        .reason("Dataflow", "payments", "InvalidCredentials")
        .await;
    world.reason("Sandbox", "default", "DeletionBlocked").await;
    let secret = json!({ "stringData": { "clientSecret": "rotated" } });
    world.patch("Secret", "adobe-io", secret).await;
    for object in ours(&objects) {
        let (kind, name) = (object["kind"].as_str(), object["metadata"]["name"].as_str());
        world.gone(kind.unwrap(), name.unwrap()).await;
    }
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn what_is_used_at_adobe_in_spite_of_the_spec_is_kept_until_it_is_not() {
    let mut world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let mut other = world.get("Dataset", "payments").await;
    other["metadata"] = json!({ "name": "other" });
    other["spec"]["name"] = json!("Other payments");
    other.as_object_mut().unwrap().remove("status");
    world.apply(&other).await.unwrap();
    world.reason("Dataset", "other", "Succeeded").await;
    let elsewhere = json!({ "spec": { "datasetRef": { "name": "other" } } });
    world.patch("TargetConnection", "payments", elsewhere).await;
    world
        .reason("TargetConnection", "payments", "ReplaceRequired")
        .await;
    world.delete("Dataset", "payments").await;
    let words = "still used at Adobe by TargetConnection/payments";
    let dataset = world.says("Dataset", "payments", words).await;
    assert_eq!(condition(&dataset, "Ready")["reason"], "DeletionBlocked");
    // A new process does not know who uses it before it has seen them.
    world.kill_operator().await;
    let away = Fault::answer(Reply::empty(503)).method("GET");
    let away = away.path("/targetConnections").times(Times::Every);
    world.simulator.inject(away);
    world.start_operator();
    let unseen = "all objects of the kind TargetConnection must be listed first";
    world.says("Dataset", "payments", unseen).await;
    world.simulator.clear_faults();
    world.says("Dataset", "payments", words).await;
    assert_eq!(world.simulator.objects("prod", "dataSets").len(), 2);
    for kind in ["Dataflow", "TargetConnection"] {
        let patch = json!({ "spec": { "replacePolicy": "Recreate" } });
        world.patch(kind, "payments", patch).await;
    }
    world.gone("Dataset", "payments").await;
    assert_eq!(world.simulator.objects("prod", "dataSets").len(), 1);
    world.reason("Dataflow", "payments", "Succeeded").await;
}

#[tokio::test]
async fn a_schema_in_the_profile_explains_that_it_cannot_go() {
    let world = World::new().await;
    let mut objects = sample("payments");
    let schema = objects.iter_mut().find(|o| o["kind"] == "PlatformSchema");
    let schema = schema.unwrap();
    schema["spec"]["fields"]["customerId"] = json!({ "type": "string" });
    schema["spec"]["identities"] =
        json!([{ "path": "/_tenant/customerId", "namespace": "ECID", "primary": true }]);
    schema["spec"]["profileEnabled"] = json!(true);
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    for object in ours(&objects) {
        let (kind, name) = (object["kind"].as_str(), object["metadata"]["name"].as_str());
        world.delete(kind.unwrap(), name.unwrap()).await;
    }
    world
        .says("PlatformSchema", "payments", "deletionPolicy: Orphan")
        .await;
    let patch = json!({ "spec": { "deletionPolicy": "Orphan" } });
    world.patch("PlatformSchema", "payments", patch).await;
    world.gone("PlatformSchema", "payments").await;
    world.gone("Sandbox", "default").await;
    assert_eq!(world.simulator.objects("prod", "schemas").len(), 1);
}

#[tokio::test]
async fn a_namespace_with_everything_in_it_goes_at_once() {
    let cluster = cluster::start(Cluster {
        controllers: true,
        ..Cluster::default()
    })
    .await;
    let client = cluster.client();
    cluster::install_crds(&client).await.unwrap();
    let mut world = World::on(client.clone(), Options::default()).await;
    world.start_operator();
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let namespaces: Api<Namespace> = Api::all(client);
    let params = DeleteParams::default();
    namespaces.delete(&world.namespace, &params).await.unwrap();
    let gone = async {
        world
            .eventually("the namespace to go", || async {
                let left = namespaces.get_opt(&world.namespace).await.unwrap();
                left.map_or(Ok(()), |it| Err(format!("{:?}", it.status)))
            })
            .await;
    };
    timeout(PATIENCE, gone).await.unwrap();
    assert_eq!(world.simulator.object_count("prod"), 0);
}

/// The dataset of the sample, with records in it, and its id.
fn ingest(world: &World) -> String {
    let dataset = world.simulator.objects("prod", "dataSets").remove(0);
    let id = dataset["id"].as_str().unwrap().to_owned();
    world.simulator.ingest("prod", &id, 5).unwrap();
    id
}

#[tokio::test]
async fn a_dataset_with_records_stays_until_its_resource_lets_it_go() {
    let world = settled().await;
    let id = ingest(&world);
    let objects = sample("payments");
    for object in ours(&objects) {
        let (kind, name) = name(object);
        world.delete(kind, name).await;
    }
    world.says("Dataset", "payments", "has records").await;
    let dataset = world.reason("Dataset", "payments", "DeletionBlocked").await;
    let message = condition(&dataset, "Ready")["message"].to_string();
    for words in [
        id.as_str(),
        "deletionProtection: None",
        "deletionPolicy: Orphan",
        "aep-operator.io/external-id",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert!(condition(&dataset, "Stalled").is_null());
    let event = world.event("Dataset", "payments", "DeletionBlocked").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert!(world.simulator.object("prod", "dataSets", &id).is_some());
    let allowed = json!({ "spec": { "deletionProtection": "None" } });
    world.patch("Dataset", "payments", allowed).await;
    for object in ours(&objects) {
        let (kind, name) = name(object);
        world.gone(kind, name).await;
    }
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn a_dataset_with_records_is_left_to_another_resource_where_its_own_says_orphan() {
    let world = settled().await;
    let id = ingest(&world);
    for (kind, name) in [
        ("Dataflow", "payments"),
        ("TargetConnection", "payments"),
        ("Dataset", "payments"),
    ] {
        world.delete(kind, name).await;
    }
    world.says("Dataset", "payments", "has records").await;
    let orphan = json!({ "spec": { "deletionPolicy": "Orphan" } });
    world.patch("Dataset", "payments", orphan).await;
    world.gone("Dataset", "payments").await;
    assert!(world.simulator.object("prod", "dataSets", &id).is_some());
    assert_eq!(world.simulator.count("DELETE", "/dataSets/{id}"), 0);
}

#[tokio::test]
async fn a_dataset_has_the_records_of_a_successful_run_and_of_none_that_failed() {
    for (outcome, kept) in [
        (RunOutcome::success(7), true),
        (RunOutcome::success(0), false),
        (RunOutcome::failed("CONNECTOR-2001-500", "no"), false),
    ] {
        let world = settled().await;
        let flow = world.simulator.objects("prod", "flows").remove(0);
        let flow = flow["id"].as_str().unwrap();
        world
            .simulator
            .simulate_run("prod", flow, &outcome)
            .unwrap();
        for (kind, name) in [
            ("Dataflow", "payments"),
            ("TargetConnection", "payments"),
            ("Dataset", "payments"),
        ] {
            world.delete(kind, name).await;
        }
        if kept {
            world.says("Dataset", "payments", "has records").await;
        } else {
            world.gone("Dataset", "payments").await;
        }
        let left = world.simulator.objects("prod", "dataSets").len();
        assert_eq!(left, usize::from(kept), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_dataset_of_which_adobe_does_not_tell_whether_it_has_records_stays() {
    let world = settled().await;
    let away = Fault::answer(Reply::empty(503))
        .method("GET")
        .path("/batches");
    world.simulator.inject(away.times(Times::Every));
    for (kind, name) in [
        ("Dataflow", "payments"),
        ("TargetConnection", "payments"),
        ("Dataset", "payments"),
    ] {
        world.delete(kind, name).await;
    }
    world
        .reason("Dataset", "payments", "AdobeUnavailable")
        .await;
    assert_eq!(world.simulator.count("DELETE", "/dataSets/{id}"), 0);
    world.simulator.clear_faults();
    world.gone("Dataset", "payments").await;
}

#[tokio::test]
async fn where_batches_cannot_be_asked_for_the_dataset_tells_of_its_last_one() {
    let world = settled().await;
    let unknown = Fault::answer(Reply::empty(404))
        .method("GET")
        .path("/batches");
    world.simulator.inject(unknown.times(Times::Every));
    let id = ingest(&world);
    for (kind, name) in [
        ("Dataflow", "payments"),
        ("TargetConnection", "payments"),
        ("Dataset", "payments"),
    ] {
        world.delete(kind, name).await;
    }
    world.says("Dataset", "payments", "has records").await;
    assert!(world.simulator.object("prod", "dataSets", &id).is_some());
}
