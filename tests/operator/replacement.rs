//! What Adobe cannot change in place is refused, or replaced in the safe order where the user asks for it.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Options, Reply, Times};
use aep_test_kit::{World, collections, condition, sample};
use serde_json::{Value, json};

async fn settled(policy: &str) -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&objects).await;
    for (kind, name) in [
        ("SourceConnection", "paypal-products"),
        ("TargetConnection", "payments"),
        ("Dataflow", "payments"),
        ("BaseConnection", "paypal"),
        ("Dataset", "payments"),
    ] {
        let patch = json!({ "spec": { "replacePolicy": policy } });
        world.patch(kind, name, patch).await;
        world.reason(kind, name, "Succeeded").await;
    }
    world.simulator.clear_calls();
    world
}

async fn id(world: &World, kind: &str, name: &str) -> Value {
    world.get(kind, name).await["status"]["id"].clone()
}

/// Waits until the object stands for another one at Adobe, Ready, and nothing else is left there.
async fn replaced(world: &World, kind: &str, name: &str, old: &Value) {
    world
        .eventually(&format!("{kind}/{name} to be replaced"), || async {
            let object = world.get(kind, name).await;
            let ready = condition(&object, "Ready")["status"] == "True";
            let other = object["status"]["id"] != *old;
            (ready && other)
                .then_some(())
                .ok_or(object["status"].to_string())
        })
        .await;
    world
        .eventually("what was replaced to be deleted", || async {
            let count = |collection| world.simulator.objects("prod", collection).len();
            let counts: Vec<_> = collections::all().map(|it| (it, count(it))).collect();
            let once = counts.iter().all(|(_, count)| *count == 1);
            once.then_some(()).ok_or(format!("{counts:?}"))
        })
        .await;
}

/// The calls of one method on one kind of object, in order, as method and collection.
fn changes(world: &World) -> Vec<String> {
    let calls = world.simulator.calls();
    let calls = calls.iter().filter(|call| {
        call.method != "GET" && call.service == "flow" && (200..300).contains(&call.status)
    });
    calls
        .map(|call| format!("{} {}", call.method, call.route))
        .collect()
}

fn other_table() -> Value {
    json!({ "spec": { "params": { "tableName": "PayPal.Other" } } })
}

#[tokio::test]
async fn a_change_that_needs_another_object_is_refused_by_default() {
    let world = settled("Never").await;
    let cases = [
        (
            "SourceConnection",
            "paypal-products",
            other_table(),
            "`spec.params`",
        ),
        (
            "Dataflow",
            "payments",
            json!({ "spec": { "deltaColumn": { "name": "createdAt" } } }),
            "`spec.deltaColumn`",
        ),
        (
            "BaseConnection",
            "paypal",
            json!({ "spec": { "auth": { "specName": "Other" } } }),
            "`spec.auth.specName`",
        ),
    ];
    for (kind, name, patch, field) in cases {
        world.patch(kind, name, patch).await;
        let object = world.reason(kind, name, "ReplaceRequired").await;
        let message = condition(&object, "Stalled")["message"].to_string();
        assert!(message.contains(field), "{message}");
        assert!(message.contains("replacePolicy"), "{message}");
    }
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn another_table_replaces_connection_and_flow_in_the_safe_order() {
    let world = settled("Recreate").await;
    let connection = id(&world, "SourceConnection", "paypal-products").await;
    let flow = id(&world, "Dataflow", "payments").await;
    world
        .patch("SourceConnection", "paypal-products", other_table())
        .await;
    replaced(&world, "SourceConnection", "paypal-products", &connection).await;
    replaced(&world, "Dataflow", "payments", &flow).await;
    let expected = [
        "POST /sourceConnections",
        "POST /flows",
        "POST /flows/{id}/action",
        "DELETE /flows/{id}",
        "DELETE /sourceConnections/{id}",
    ];
    assert_eq!(changes(&world), expected);
}

#[tokio::test]
async fn another_delta_column_replaces_the_flow_alone() {
    let world = settled("Recreate").await;
    let flow = id(&world, "Dataflow", "payments").await;
    let patch = json!({ "spec": { "deltaColumn": { "name": "createdAt" } } });
    world.patch("Dataflow", "payments", patch).await;
    replaced(&world, "Dataflow", "payments", &flow).await;
    let held = world.simulator.objects("prod", "flows").remove(0);
    let column = &held["transformations"][0]["params"]["deltaColumn"]["name"];
    assert_eq!(column, "createdAt");
    assert_eq!(held["state"], "enabled");
}

#[tokio::test]
async fn a_lost_answer_during_replacement_makes_no_third_object() {
    let world = settled("Recreate").await;
    for route in ["/sourceConnections", "/flows"] {
        let fault = Fault::new(Effect::DropAfter).method("POST").path(route);
        world.simulator.inject(fault.times(Times::Next(1)));
    }
    let flow = id(&world, "Dataflow", "payments").await;
    world
        .patch("SourceConnection", "paypal-products", other_table())
        .await;
    replaced(&world, "Dataflow", "payments", &flow).await;
    let posts = world.simulator.count("POST", "/flows");
    assert_eq!(posts, 1);
    assert_eq!(world.simulator.count("POST", "/sourceConnections"), 1);
}

#[tokio::test]
async fn a_replacement_goes_on_after_a_restart() {
    let mut world = settled("Recreate").await;
    let flow = id(&world, "Dataflow", "payments").await;
    world.simulator.set_latency(Duration::from_millis(100));
    world
        .patch("SourceConnection", "paypal-products", other_table())
        .await;
    world
        .eventually("the second source connection", || async {
            let count = world.simulator.objects("prod", "sourceConnections").len();
            (count == 2).then_some(()).ok_or(count.to_string())
        })
        .await;
    world.kill_operator().await;
    world.start_operator();
    replaced(&world, "Dataflow", "payments", &flow).await;
    assert_eq!(world.simulator.count("POST", "/sourceConnections"), 1);
}

#[tokio::test]
async fn a_replacement_without_an_answer_is_given_up_where_the_spec_goes_back() {
    let world = settled("Recreate").await;
    let before = world.get("SourceConnection", "paypal-products").await;
    let (connection, flow) = (
        before["status"]["id"].clone(),
        id(&world, "Dataflow", "payments").await,
    );
    world.simulator.set_list_lag(Duration::from_millis(800));
    let fault = Fault::new(Effect::Late(1000)).method("POST");
    let fault = fault.path("/sourceConnections").times(Times::Next(1));
    world.simulator.inject(fault);
    let kind = "SourceConnection";
    world.patch(kind, "paypal-products", other_table()).await;
    let reason = "AdobeUnavailable";
    world.reason(kind, "paypal-products", reason).await;
    let back = json!({ "spec": { "params": before["spec"]["params"] } });
    world.patch(kind, "paypal-products", back).await;
    world.reason(kind, "paypal-products", "Succeeded").await;
    world
        .eventually("the other connection to come and go", || async {
            let gone = world.simulator.count("DELETE", "/sourceConnections/{id}");
            let left = world.simulator.objects("prod", "sourceConnections").len();
            (gone == 1 && left == 1)
                .then_some(())
                .ok_or(format!("{gone} deleted, {left} left"))
        })
        .await;
    world.reason(kind, "paypal-products", "Succeeded").await;
    assert_eq!(id(&world, kind, "paypal-products").await, connection);
    assert_eq!(id(&world, "Dataflow", "payments").await, flow);
    assert_eq!(world.simulator.count("POST", "/sourceConnections"), 1);
    assert_eq!(world.simulator.count("POST", "/flows"), 0);
}

#[tokio::test]
async fn a_breaking_change_of_a_schema_is_refused_with_the_field() {
    let world = settled("Never").await;
    let add = json!({ "spec": { "fields": { "colour": { "type": "string" } } } });
    world.patch("PlatformSchema", "payments", add).await;
    world
        .reason("PlatformSchema", "payments", "Succeeded")
        .await;
    assert_eq!(world.writes(), 1);
    for (patch, field) in [
        (
            json!({ "spec": { "fields": { "colour": { "type": "integer" } } } }),
            "spec.fields.colour",
        ),
        (
            json!({ "spec": { "fields": { "colour": null } } }),
            "spec.fields.colour",
        ),
    ] {
        world.patch("PlatformSchema", "payments", patch).await;
        let schema = world
            .reason("PlatformSchema", "payments", "InvalidSpec")
            .await;
        let message = condition(&schema, "Stalled")["message"].to_string();
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(world.writes(), 1);
}

#[tokio::test]
async fn a_replaced_dataset_keeps_its_records_until_nothing_writes_to_it() {
    let world = settled("Recreate").await;
    let (dataset, flow) = (
        id(&world, "Dataset", "payments").await,
        id(&world, "Dataflow", "payments").await,
    );
    let mut schema = world.get("PlatformSchema", "payments").await;
    schema["metadata"] = json!({ "name": "other" });
    schema["spec"]["title"] = json!("Other payments");
    schema.as_object_mut().unwrap().remove("status");
    world.apply(&schema).await.unwrap();
    world.reason("PlatformSchema", "other", "Succeeded").await;
    world.simulator.clear_calls();
    let patch = json!({ "spec": { "schemaRef": { "name": "other" } } });
    world.patch("Dataset", "payments", patch.clone()).await;
    world.patch("MappingSet", "payments", patch).await;
    world
        .eventually("the flow to write to another dataset", || async {
            let now = world.get("Dataflow", "payments").await;
            let left = world.simulator.objects("prod", "dataSets").len();
            (now["status"]["id"] != flow && left == 1)
                .then_some(())
                .ok_or(format!("{left} {}", now["status"]))
        })
        .await;
    assert_ne!(id(&world, "Dataset", "payments").await, dataset);
    assert_eq!(world.simulator.count("POST", "/targetConnections"), 1);
    let calls = world.simulator.calls();
    let deleted = |route: &str| {
        let mut calls = calls.iter();
        calls.position(|call| call.method == "DELETE" && call.route == route)
    };
    let last = deleted("/dataSets/{id}").unwrap();
    assert!(deleted("/flows/{id}").unwrap() < last);
    assert!(deleted("/targetConnections/{id}").unwrap() < last);
}

#[tokio::test]
async fn a_replaced_dataset_with_records_stays_until_its_resource_lets_it_go() {
    let world = settled("Recreate").await;
    let dataset = id(&world, "Dataset", "payments").await;
    let old = dataset.as_str().unwrap();
    world.simulator.ingest("prod", old, 5).unwrap();
    let mut schema = world.get("PlatformSchema", "payments").await;
    schema["metadata"] = json!({ "name": "other" });
    schema["spec"]["title"] = json!("Other payments");
    schema.as_object_mut().unwrap().remove("status");
    world.apply(&schema).await.unwrap();
    world.reason("PlatformSchema", "other", "Succeeded").await;
    let patch = json!({ "spec": { "schemaRef": { "name": "other" } } });
    world.patch("Dataset", "payments", patch.clone()).await;
    world.patch("MappingSet", "payments", patch).await;
    let event = world.event("Dataset", "payments", "DeletionBlocked").await;
    let note = event.note.unwrap();
    assert!(note.contains(old) && note.contains("has records"), "{note}");
    let replaced = world.reason("Dataset", "payments", "Succeeded").await;
    assert_ne!(replaced["status"]["id"], dataset);
    assert!(world.simulator.object("prod", "dataSets", old).is_some());
    let allowed = json!({ "spec": { "deletionProtection": "None" } });
    world.patch("Dataset", "payments", allowed).await;
    world
        .eventually("the old dataset to go", || async {
            let left = world.simulator.objects("prod", "dataSets").len();
            (left == 1).then_some(()).ok_or(left.to_string())
        })
        .await;
}

#[tokio::test]
async fn a_refused_change_of_the_connection_spec_leaves_those_who_refer_to_it_alone() {
    let world = settled("Never").await;
    let connection = world.get("SourceConnection", "paypal-products").await;
    let flow = world.get("Dataflow", "payments").await;
    for spec in [
        json!({ "id": null, "name": "square" }),
        json!({ "id": "221c7626-58f6-4eec-8ee2-042b0226f03b", "name": null, "version": "2.0" }),
    ] {
        let patch = json!({ "spec": { "connectionSpec": spec } });
        world.patch("BaseConnection", "paypal", patch).await;
        world
            .reason("BaseConnection", "paypal", "ReplaceRequired")
            .await;
        listed(&world).await;
        let now = world.get("SourceConnection", "paypal-products").await;
        assert_eq!(now["status"], connection["status"], "{spec}");
        let now = world.get("Dataflow", "payments").await;
        assert_eq!(now["status"], flow["status"], "{spec}");
    }
    // The same where a source connection chooses for itself.
    let patch = json!({ "spec": { "connectionSpec": { "name": "square" } } });
    world
        .patch("SourceConnection", "paypal-products", patch)
        .await;
    let refused = world
        .reason("SourceConnection", "paypal-products", "ReplaceRequired")
        .await;
    let shown = |object: &Value| object["status"]["connectionSpecId"].clone();
    assert!(shown(&refused).is_string());
    assert_eq!(shown(&refused), shown(&connection));
    listed(&world).await;
    let now = world.get("Dataflow", "payments").await;
    assert_eq!(now["status"], flow["status"]);
    assert_eq!(world.writes(), 0);
}

/// Waits until all flows were listed twice more.
async fn listed(world: &World) {
    let before = world.simulator.count("GET", "/flows");
    world
        .eventually("three more lists", || async {
            let more = world.simulator.count("GET", "/flows") - before;
            (more >= 3).then_some(()).ok_or(more.to_string())
        })
        .await;
}

/// A flow is to be replaced; resyncs are rare.
async fn to_be_replaced() -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.request_timeout = Duration::from_secs(2);
    })
    .await;
    let mut objects = sample("payments");
    for object in &mut objects {
        if object["kind"] == "Dataflow" {
            object["spec"]["replacePolicy"] = json!("Recreate");
        }
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    world
}

fn other_column() -> Value {
    json!({ "spec": { "deltaColumn": { "name": "createdAt" } } })
}

#[tokio::test]
async fn what_was_replaced_is_left_alone_once_it_bears_our_mark_no_longer() {
    let world = to_be_replaced().await;
    let old = id(&world, "Dataflow", "payments").await;
    let id = old.as_str().unwrap();
    // Adobe does not let go of it at first.
    let away = Fault::answer(Reply::empty(503)).method("POST");
    let away = away.path("/flows/{id}/action").times(Times::Every);
    world.simulator.inject(away);
    world.patch("Dataflow", "payments", other_column()).await;
    world
        .eventually("the first try to be rid of it", || async {
            let tries = world.simulator.count("POST", "/flows/{id}/action");
            (tries > 0).then_some(()).ok_or(tries.to_string())
        })
        .await;
    let edit = json!({ "description": "belongs to somebody else now" });
    world.simulator.edit("prod", "flows", id, &edit).unwrap();
    world.simulator.clear_faults();
    let event = world.event("Dataflow", "payments", "Released").await;
    assert!(event.note.unwrap().contains(id));
    let flow = world.reason("Dataflow", "payments", "Succeeded").await;
    assert_ne!(flow["status"]["id"], old);
    let left = world.simulator.object("prod", "flows", id).unwrap();
    assert_eq!(left["state"], "enabled");
    assert_eq!(left["description"], edit["description"]);
    assert_eq!(world.simulator.count("DELETE", "/flows/{id}"), 0);
}

#[tokio::test]
async fn deletion_waits_for_a_replacement_whose_create_brought_no_answer() {
    let world = to_be_replaced().await;
    world.simulator.set_list_lag(Duration::from_secs(1));
    let fault = Fault::new(Effect::DropAfter).method("POST").path("/flows");
    world.simulator.inject(fault.times(Times::Next(1)));
    world.patch("Dataflow", "payments", other_column()).await;
    world
        .eventually("the replacement at Adobe", || async {
            let count = world.simulator.objects("prod", "flows").len();
            (count == 2).then_some(()).ok_or(count.to_string())
        })
        .await;
    world.delete("Dataflow", "payments").await;
    world.gone("Dataflow", "payments").await;
    assert!(world.simulator.objects("prod", "flows").is_empty());
}
