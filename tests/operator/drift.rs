//! What somebody changes at Adobe is found by the next resync and put right with one call; what Adobe changes by itself is
//! none of our business.

use std::collections::BTreeMap;
use std::time::Duration;

use aep_simulator::Options;
use aep_test_kit::{World, sample, use_default_resync_period};
use serde_json::{Value, json};

async fn settled() -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let mut objects = sample("payments");
    use_default_resync_period(&mut objects);
    for object in &mut objects {
        describe(object);
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    let enabled = json!({ "spec": { "state": "Enabled" } });
    world.patch("Dataflow", "payments", enabled).await;
    quiet(&world).await;
    world
}

/// Gives an object a description where it has none: what the spec leaves out is no drift.
fn describe(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap();
    let describable = !["Secret", "Sandbox", "MappingSet"].contains(&kind);
    if describable && object["spec"]["description"].is_null() {
        object["spec"]["description"] = json!("Sample");
    }
}

/// Waits until lists that began after now have ended, and all that follows from them.
async fn quiet(world: &World) {
    for _ in 0..2 {
        world.simulator.clear_calls();
        let lists = [
            "/flows",
            "/connections",
            "/dataSets",
            "/mappingSets",
            "/tenant/descriptors",
        ];
        world
            .eventually("two more lists", || async {
                let counts = lists.map(|route| world.simulator.count("GET", route));
                counts
                    .iter()
                    .all(|count| *count >= 2)
                    .then_some(())
                    .ok_or(format!("{counts:?}"))
            })
            .await;
    }
}

fn held(world: &World, kind: &str) -> Value {
    world.simulator.objects("prod", kind).remove(0)
}

fn id(object: &Value) -> String {
    let id = ["meta:altId", "id", "@id"];
    let id = id.iter().find_map(|key| object[*key].as_str());
    id.unwrap().to_owned()
}

/// Each mutable field: where it is, what somebody writes there, and where to see that it was put right.
fn edits() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("connections", json!({ "name": "x" }), "/name"),
        ("connections", json!({ "description": "x" }), "/description"),
        (
            "connections",
            json!({ "auth": { "params": { "host": "x" } } }),
            "/auth/params/host",
        ),
        ("sourceConnections", json!({ "name": "x" }), "/name"),
        (
            "sourceConnections",
            json!({ "description": "x" }),
            "/description",
        ),
        ("targetConnections", json!({ "name": "x" }), "/name"),
        (
            "targetConnections",
            json!({ "description": "x" }),
            "/description",
        ),
        ("flows", json!({ "name": "x" }), "/name"),
        ("flows", json!({ "description": "x" }), "/description"),
        (
            "flows",
            json!({ "scheduleParams": { "interval": 99 } }),
            "/scheduleParams/interval",
        ),
        (
            "flows",
            json!({ "scheduleParams": { "frequency": "day" } }),
            "/scheduleParams/frequency",
        ),
        (
            "flows",
            json!({ "scheduleParams": { "startTime": 4_000_000_000_u64 } }),
            "/scheduleParams/startTime",
        ),
        ("flows", json!({ "state": "disabled" }), "/state"),
        ("schemas", json!({ "title": "x" }), "/title"),
        ("schemas", json!({ "description": "x" }), "/description"),
        ("fieldgroups", json!({ "title": "x" }), "/title"),
        ("fieldgroups", json!({ "description": "x" }), "/description"),
        ("dataSets", json!({ "name": "x" }), "/name"),
        ("dataSets", json!({ "description": "x" }), "/description"),
        (
            "dataSets",
            json!({ "tags": { "aep_operator_owner": null } }),
            "/tags/aep_operator_owner",
        ),
    ]
}

#[tokio::test]
async fn every_mutable_field_is_put_right_with_one_call() {
    let mut by_kind: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (kind, edit, pointer) in edits() {
        by_kind.entry(kind).or_default().push((edit, pointer));
    }
    // A world for each kind, side by side.
    let kinds = by_kind.into_iter().map(|(kind, edits)| async move {
        let world = settled().await;
        for (edit, pointer) in edits {
            is_put_right(&world, kind, &edit, pointer).await;
        }
    });
    futures::future::join_all(kinds).await;
}

async fn is_put_right(world: &World, kind: &str, edit: &Value, pointer: &str) {
    let before = held(world, kind);
    let wanted = before.pointer(pointer).cloned();
    world.simulator.clear_calls();
    let id = id(&before);
    world.simulator.edit("prod", kind, &id, edit).unwrap();
    world
        .eventually(&format!("{kind}{pointer} to be put right"), || async {
            let now = held(world, kind);
            // An empty text and none are the same.
            let now = now.pointer(pointer).filter(|it| **it != "").cloned();
            (now == wanted)
                .then_some(())
                .ok_or(format!("{now:?} instead of {wanted:?}"))
        })
        .await;
    assert_eq!(world.writes(), 1, "{kind}{pointer}");
    quiet(world).await;
    assert_eq!(world.writes(), 0, "{kind}{pointer} afterwards");
}

#[tokio::test]
async fn a_mapping_changed_by_hand_is_put_right_and_the_flow_follows() {
    let world = settled().await;
    let set = held(&world, "mappingSets");
    let mut rows = set["mappings"].clone();
    rows[0]["source"] = json!("Other");
    rows[0]["sourceAttribute"] = json!("Other");
    let schema = json!({ "schemaRef": set["outputSchema"]["schemaRef"] });
    let body = json!({ "name": set["name"], "outputSchema": schema, "mappings": rows });
    let path = format!("/conversion/mappingSets/{}", id(&set));
    world.at_adobe("PUT", &path, &body).await;
    world
        .eventually("the flow to use version 2", || async {
            let flow = held(&world, "flows");
            let version = flow["transformations"][1]["params"]["mappingVersion"].clone();
            (version == 2).then_some(()).ok_or(version.to_string())
        })
        .await;
    let rows = held(&world, "mappingSets")["mappings"].to_string();
    assert!(!rows.contains("Other"), "{rows}");
}

#[tokio::test]
async fn what_adobe_changes_by_itself_is_no_drift() {
    let world = settled().await;
    world.simulator.housekeeping("prod").unwrap();
    let edits = [
        // Parameters that the server adds, and other spellings of the same.
        (
            "connections",
            json!({ "auth": { "params": { "authorizedDate": 1 } } }),
        ),
        (
            "sourceConnections",
            json!({ "params": { "cdcEnabled": false } }),
        ),
        ("flows", json!({ "scheduleParams": { "interval": "30" } })),
        ("flows", json!({ "labels": ["core/C1"] })),
        (
            "targetConnections",
            json!({ "data": { "schema": { "version": "application/vnd.adobe.xed-full+json; version=1.0" } } }),
        ),
        (
            "dataSets",
            json!({ "tags": { "unifiedProfile": ["enabled: false"] } }),
        ),
    ];
    for (kind, edit) in edits {
        let object = held(&world, kind);
        world
            .simulator
            .edit("prod", kind, &id(&object), &edit)
            .unwrap();
    }
    world.simulator.clear_calls();
    let versions = world.versions().await;
    quiet(&world).await;
    assert_eq!(world.writes(), 0);
    assert_eq!(world.versions().await, versions);
}

#[tokio::test]
async fn a_request_for_a_fresh_look_reads_that_one_object_now() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let flow = held(&world, "flows");
    let edit = json!({ "description": "changed by hand" });
    world
        .simulator
        .edit("prod", "flows", &id(&flow), &edit)
        .unwrap();
    world.simulator.clear_calls();
    let request = json!({ "aep-operator.io/requested-at": "2026-12-01T00:00:00Z" });
    let patch = json!({ "metadata": { "annotations": request } });
    world.patch("Dataflow", "payments", patch).await;
    world
        .eventually("the description to be put right", || async {
            let now = held(&world, "flows");
            (now["description"] == flow["description"])
                .then_some(())
                .ok_or(now["description"].to_string())
        })
        .await;
    world
        .eventually("the request to be noted", || async {
            let status = &world.get("Dataflow", "payments").await["status"];
            (status["lastHandledRequest"] == "2026-12-01T00:00:00Z")
                .then_some(())
                .ok_or(status.to_string())
        })
        .await;
    assert_eq!(world.writes(), 1);
    assert_eq!(world.simulator.count("GET", "/flows"), 0);
}
