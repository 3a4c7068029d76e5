//! Whatever is lost on the way, each custom resource has exactly one object at Adobe.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Options, Times};
use aep_test_kit::{World, collections, condition, name, ours, sample};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// A pipeline that is ready, and listed several times a second.
pub async fn settled() -> (World, Vec<Value>) {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&objects).await;
    world.simulator.clear_calls();
    (world, objects)
}

/// Adobe holds what the payments sample asks for, and nothing twice.
pub fn exactly_one_of_each(world: &World) {
    for collection in collections::all() {
        let count = world.simulator.objects("prod", collection).len();
        assert_eq!(count, 1, "{collection}");
    }
}

/// The id in the status of each of these objects.
pub async fn ids(world: &World, objects: &[Value]) -> Vec<Value> {
    let mut ids = Vec::new();
    for object in ours(objects) {
        let (kind, name) = name(object);
        let held = world.get(kind, name).await;
        ids.push(held["status"]["id"].clone());
    }
    ids
}

#[tokio::test]
async fn a_cluster_rebuilt_from_the_same_manifests_finds_everything_again() {
    let (mut world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    world.kill_operator().await;
    for object in ours(&objects) {
        let (kind, name) = name(object);
        let no_finalizers = json!({ "metadata": { "finalizers": null } });
        world.patch(kind, name, no_finalizers).await;
        world.delete(kind, name).await;
    }
    world.apply_sample_with_default_resync("payments").await;
    world.start_operator();
    world.all_ready(&objects).await;
    assert_eq!(ids(&world, &objects).await, before);
    assert_eq!(world.creates(), 0);
}

#[tokio::test]
async fn a_status_that_was_wiped_is_written_again() {
    let (world, objects) = settled().await;
    let before = ids(&world, &objects).await;
    for object in ours(&objects) {
        let (kind, name) = name(object);
        world.wipe_status(kind, name).await;
    }
    world.all_ready(&objects).await;
    assert_eq!(ids(&world, &objects).await, before);
    assert_eq!(world.creates(), 0);
}

/// Writes conditions into a status as somebody else, as `kubectl patch --subresource=status` does.
async fn add_conditions(world: &World, kind: &str, name: &str, types: &[&str]) {
    let mut conditions = world.get(kind, name).await["status"]["conditions"].take();
    let foreign = types.iter().map(|type_| {
        json!({
            "type": type_, "status": "True", "reason": "Restored", "message": "from a backup",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    });
    conditions.as_array_mut().unwrap().extend(foreign);
    let patch = json!({ "status": { "conditions": conditions, "lastHandledRequest": "theirs" } });
    let params = PatchParams {
        field_manager: Some("kubectl-patch".into()),
        ..PatchParams::default()
    };
    let api = world.api(kind);
    api.patch_status(name, &params, &Patch::Merge(patch))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_others_write_into_a_status_does_not_stay_and_then_nothing_is_written() {
    let (world, objects) = settled().await;
    let all = [("Dataset", "payments"), ("Sandbox", "default")];
    for (kind, name) in all {
        let types = ["Stalled", "Reconciling", "TheirOwn"];
        add_conditions(&world, kind, name, &types).await;
        let what = format!("the status of {kind}/{name} to come clean");
        world
            .eventually(&what, || async {
                let status = world.get(kind, name).await["status"].take();
                let types = status["conditions"].as_array().unwrap().iter();
                let types: Vec<_> = types.map(|it| it["type"].as_str().unwrap()).collect();
                let is_clean = types == ["Ready"] && status["lastHandledRequest"].is_null();
                is_clean.then_some(()).ok_or(status.to_string())
            })
            .await;
        let ready = condition(&world.get(kind, name).await, "Ready");
        assert_eq!(ready["status"], "True", "{ready}");
    }
    world.all_ready(&objects).await;
    assert_eq!(world.writes(), 0, "nothing is sent to Adobe");
    // Neither a resync nor a reconcile that somebody asks for writes more than one status from now on.
    for (round, (kind, name)) in (0..).zip(all.repeat(2)) {
        let round: String = i32::to_string(&round);
        let before = world.versions().await;
        let request = json!({ "aep-operator.io/requested-at": round });
        let request = json!({ "metadata": { "annotations": request } });
        let since = world.api(kind).get(name).await.unwrap();
        world.patch(kind, name, request).await;
        world
            .eventually("the request to be handled", || async {
                let status = world.get(kind, name).await["status"].take();
                let is_handled = status["lastHandledRequest"].as_str() == Some(round.as_str());
                is_handled.then_some(()).ok_or(status.to_string())
            })
            .await;
        let states = world.history(kind, &since).await;
        assert_eq!(states.len(), 3, "the request, and one status: {states:#?}");
        let changed = world.versions().await.into_iter().zip(before);
        assert_eq!(changed.filter(|(now, then)| now != then).count(), 1);
    }
}

/// The next create at this route is carried out, but its answer is lost.
fn lose_the_answer(world: &World, route: &str) {
    // The validation of mappings comes before their creation, below the same path: a moment's delay does it no harm.
    if route == "/mappingSets" {
        let harmless = Fault::new(Effect::Delay(1)).path("/mappingSets/validate");
        world.simulator.inject(harmless.times(Times::Next(1)));
    }
    let fault = Fault::new(Effect::DropAfter).method("POST").path(route);
    world.simulator.inject(fault.times(Times::Next(1)));
}

#[tokio::test]
async fn every_create_may_lose_its_answer() {
    let world = World::new().await;
    for route in [
        "/tenant/fieldgroups",
        "/tenant/schemas",
        "/dataSets",
        "/mappingSets",
        "/connections",
        "/sourceConnections",
        "/targetConnections",
        "/flows",
    ] {
        lose_the_answer(&world, route);
    }
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    assert_eq!(world.simulator.faults().len(), 0, "every fault struck");
    exactly_one_of_each(&world);
}

#[tokio::test]
async fn an_answer_lost_while_listings_lag_makes_no_second_object() {
    let lag = Duration::from_secs(2);
    let options = Options {
        list_lag: lag,
        ..Options::default()
    };
    let world = World::tuned(options, |settings| {
        settings.list_lag = Duration::from_secs(4);
    })
    .await;
    for route in ["/dataSets", "/mappingSets", "/connections", "/flows"] {
        lose_the_answer(&world, route);
    }
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    exactly_one_of_each(&world);
}

#[tokio::test]
async fn an_object_deleted_at_adobe_is_created_again_once() {
    let (world, objects) = settled().await;
    let flow = world.get("Dataflow", "payments").await["status"]["id"].clone();
    let id = flow.as_str().unwrap();
    assert!(world.simulator.delete("prod", "flows", id).unwrap());
    world
        .eventually("another flow to stand in status", || async {
            let dataflow = world.get("Dataflow", "payments").await;
            let status = &dataflow["status"];
            let ready = condition(&dataflow, "Ready")["status"] == "True";
            (ready && status["id"] != flow)
                .then_some(())
                .ok_or(status.to_string())
        })
        .await;
    world.all_ready(&objects).await;
    exactly_one_of_each(&world);
    assert_eq!(world.creates(), 1);
}

#[tokio::test]
async fn a_flow_behind_an_access_label_is_not_created_again() {
    let (world, _) = settled().await;
    let flow = world.simulator.objects("prod", "flows")[0]["id"].clone();
    let id = flow.as_str().unwrap();
    world.simulator.hide_flow("prod", id, true).unwrap();
    let dataflow = world
        .reason("Dataflow", "payments", "PermissionDenied")
        .await;
    assert_eq!(dataflow["status"]["id"], flow);
    // It cannot be deleted either, and that is reported instead of forgotten.
    world.delete("Dataflow", "payments").await;
    world
        .says("Dataflow", "payments", "cannot be deleted yet")
        .await;
    assert_eq!(world.creates(), 0);
    world.simulator.hide_flow("prod", id, false).unwrap();
    let request = json!({ "aep-operator.io/requested-at": "now" });
    let request = json!({ "metadata": { "annotations": request } });
    world.patch("Dataflow", "payments", request).await;
    world.gone("Dataflow", "payments").await;
    assert!(world.simulator.objects("prod", "flows").is_empty());
}

#[tokio::test]
async fn of_two_objects_with_one_mark_the_older_is_kept_and_the_other_reported() {
    let (mut world, objects) = settled().await;
    world.kill_operator().await;
    let held = world
        .simulator
        .objects("prod", "sourceConnections")
        .remove(0);
    let twin = world.post_copy("sourceConnections", &held).await;
    world
        .wipe_status("SourceConnection", "paypal-products")
        .await;
    world.start_operator();
    world.all_ready(&objects).await;
    let connection = world.get("SourceConnection", "paypal-products").await;
    assert_eq!(connection["status"]["id"], held["id"]);
    let sandbox = world
        .eventually("the twin to be reported", || async {
            let sandbox = world.get("Sandbox", "default").await;
            (sandbox["status"]["orphans"] == 1)
                .then_some(sandbox.clone())
                .ok_or(sandbox["status"].to_string())
        })
        .await;
    let metrics = world.metrics();
    let place = format!("namespace=\"{}\",name=\"default\"", world.namespace);
    let orphans = format!("aep_sandbox_orphans{{{place}}} 1");
    assert!(metrics.contains(&orphans), "{metrics}");
    let named = sandbox["status"]["orphanedObjects"][0].as_str().unwrap();
    assert_eq!(named, format!("SourceConnection {twin}"));
    assert_eq!(condition(&sandbox, "OrphansFound")["status"], "True");
    assert_eq!(condition(&sandbox, "Ready")["status"], "True");
    let event = world.event("Sandbox", "default", "OrphansFound").await;
    assert!(event.note.unwrap().contains(&twin));
    // It stays when its custom resource goes: nothing but the mark says that it is ours.
    world.delete_all(&objects).await;
    assert_eq!(world.simulator.object_count("prod"), 1);
    let left = world.simulator.objects("prod", "sourceConnections");
    assert_eq!(left[0]["id"], twin);
}

#[tokio::test]
async fn a_finalizer_that_was_taken_away_is_written_again() {
    let (world, _) = settled().await;
    let (kind, name) = ("SourceConnection", "paypal-products");
    for suspend in [false, true] {
        let spec = json!({ "spec": { "suspend": suspend } });
        world.patch(kind, name, spec).await;
        let none = json!({ "metadata": { "finalizers": null } });
        world.patch(kind, name, none).await;
        world
            .eventually("the finalizer to be back", || async {
                let finalizers = world.get(kind, name).await["metadata"]["finalizers"].clone();
                let ours = json!(["aep-operator.io/external-cleanup"]);
                (finalizers == ours)
                    .then_some(())
                    .ok_or(finalizers.to_string())
            })
            .await;
    }
}

#[tokio::test]
async fn an_object_without_custom_resource_is_reported_and_left_alone() {
    let (world, _) = settled().await;
    world
        .patch(
            "Dataflow",
            "payments",
            json!({ "metadata": { "annotations": { "aep-operator.io/force-delete": "true" } },
                    "spec": { "deletionPolicy": "Orphan" } }),
        )
        .await;
    world.delete("Dataflow", "payments").await;
    world.gone("Dataflow", "payments").await;
    world
        .eventually("the orphan to be reported", || async {
            let sandbox = world.get("Sandbox", "default").await;
            (sandbox["status"]["orphans"] == 1)
                .then_some(())
                .ok_or(sandbox["status"].to_string())
        })
        .await;
    assert_eq!(world.simulator.objects("prod", "flows").len(), 1);
}

/// A connection in the data lake, in the sandbox that this Sandbox resource stands for.
fn lake(name: &str, sandbox: &str) -> Value {
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "BaseConnection",
        "metadata": { "name": name },
        "spec": {
            "name": name, "sandboxRef": { "name": sandbox }, "deletionPolicy": "Orphan",
            "connectionSpec": { "id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c" },
        },
    })
}

#[tokio::test]
async fn of_two_sandboxes_in_one_namespace_each_reports_its_own_orphans() {
    let (world, objects) = settled().await;
    let mut other = objects
        .iter()
        .find(|o| o["kind"] == "Sandbox")
        .unwrap()
        .clone();
    other["metadata"]["name"] = json!("other");
    world.apply(&other).await.unwrap();
    for (name, sandbox) in [("moves", "other"), ("stays", "other"), ("lake", "default")] {
        world.apply(&lake(name, sandbox)).await.unwrap();
        world.reason("BaseConnection", name, "Succeeded").await;
    }
    listed(&world).await;
    for sandbox in ["default", "other"] {
        let sandbox = world.get("Sandbox", sandbox).await;
        assert!(sandbox["status"]["orphans"].is_null(), "{sandbox}");
    }
    // What moves to another Sandbox leaves its object behind in the first one.
    let left = world.get("BaseConnection", "moves").await["status"]["id"].clone();
    world.delete("BaseConnection", "moves").await;
    world.gone("BaseConnection", "moves").await;
    world.apply(&lake("moves", "default")).await.unwrap();
    let moved = world.reason("BaseConnection", "moves", "Succeeded").await;
    assert_ne!(moved["status"]["id"], left);
    let other = world
        .eventually("the orphan to be reported", || async {
            let other = world.get("Sandbox", "other").await;
            (other["status"]["orphans"] == 1)
                .then_some(other.clone())
                .ok_or(other["status"].to_string())
        })
        .await;
    let named = other["status"]["orphanedObjects"][0].as_str().unwrap();
    assert_eq!(named, format!("BaseConnection {}", left.as_str().unwrap()));
    listed(&world).await;
    let other = world.get("Sandbox", "other").await;
    assert_eq!(other["status"]["orphans"], 1);
    let default = world.get("Sandbox", "default").await;
    assert!(default["status"]["orphans"].is_null(), "{default}");
}

#[tokio::test]
async fn two_sandboxes_with_one_owner_id_know_of_each_others_resources() {
    let (world, objects) = settled().await;
    let mut other = objects
        .iter()
        .find(|o| o["kind"] == "Sandbox")
        .unwrap()
        .clone();
    other["metadata"]["name"] = json!("other");
    other["spec"]["ownerId"] = json!(format!("{}/default", world.namespace));
    world.apply(&other).await.unwrap();
    world.apply(&lake("lake", "other")).await.unwrap();
    let lake = world.reason("BaseConnection", "lake", "Succeeded").await;
    listed(&world).await;
    for name in ["default", "other"] {
        let sandbox = world.reason("Sandbox", name, "Succeeded").await;
        assert!(sandbox["status"]["orphans"].is_null(), "{sandbox}");
    }
    // What has no resource in either is an orphan.
    world.delete("BaseConnection", "lake").await;
    world.gone("BaseConnection", "lake").await;
    for name in ["default", "other"] {
        let named = json!([format!(
            "BaseConnection {}",
            lake["status"]["id"].as_str().unwrap()
        )]);
        world
            .eventually("the orphan to be reported", || async {
                let sandbox = world.get("Sandbox", name).await;
                (sandbox["status"]["orphanedObjects"] == named)
                    .then_some(())
                    .ok_or(sandbox["status"].to_string())
            })
            .await;
    }
}

/// Waits until each Sandbox has listed all connections at least twice more.
async fn listed(world: &World) {
    let before = world.simulator.count("GET", "/connections");
    world
        .eventually("six more lists", || async {
            let more = world.simulator.count("GET", "/connections") - before;
            (more >= 6).then_some(()).ok_or(more.to_string())
        })
        .await;
}

#[tokio::test]
async fn a_sandbox_let_go_by_hand_leaves_no_metrics_behind() {
    let (world, _) = settled().await;
    let metrics = || {
        let place = format!("namespace=\"{}\",name=\"default\"", world.namespace);
        let metrics = world.metrics();
        let its = metrics.lines().filter(|line| line.contains(&place));
        its.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert!(
        metrics().iter().any(|it| it.starts_with("aep_sweep_")),
        "{:?}",
        metrics()
    );
    let finalizers = json!({ "metadata": { "finalizers": null } });
    world.delete("Sandbox", "default").await;
    world.patch("Sandbox", "default", finalizers).await;
    world.gone("Sandbox", "default").await;
    world
        .eventually("its metrics to go", || async {
            let left = metrics();
            left.is_empty().then_some(()).ok_or(format!("{left:?}"))
        })
        .await;
}

#[tokio::test]
async fn a_sandbox_applied_again_with_another_owner_marks_what_it_makes_as_that_owner() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let of_kind = |kind| objects.iter().find(move |it| it["kind"] == kind).unwrap();
    for round in ["second", "third", "fourth"] {
        let mut sandbox = of_kind("Sandbox").clone();
        let owner = format!("{}/{round}", world.namespace);
        sandbox["spec"]["ownerId"] = json!(owner);
        world.delete("Sandbox", "default").await;
        let finalizers = json!({ "metadata": { "finalizers": null } });
        world.patch("Sandbox", "default", finalizers).await;
        world.apply(&sandbox).await.unwrap();
        let mut base = of_kind("BaseConnection").clone();
        base["metadata"]["name"] = json!(round);
        base["spec"]["name"] = json!(round);
        world.apply(&base).await.unwrap();
        world.reason("BaseConnection", round, "Succeeded").await;
        let made = world.simulator.objects("prod", "connections");
        let marked = made.iter().filter(|it| it.to_string().contains(&owner));
        assert_eq!(marked.count(), 1, "{made:?}");
    }
}

#[tokio::test]
async fn a_create_that_takes_effect_after_its_connection_broke_makes_no_second_object() {
    let world = World::new().await;
    let routes = ["/dataSets", "/sourceConnections", "/flows"];
    for route in routes {
        let late = Fault::new(Effect::Late(3000)).method("POST").path(route);
        world.simulator.inject(late.times(Times::Next(1)));
    }
    let objects = world.apply_sample("payments").await;
    world
        .eventually("what came late", || async {
            let calls = world.simulator.calls();
            let late = calls.iter().filter(|call| call.faulted).count();
            (late == routes.len()).then_some(()).ok_or(late.to_string())
        })
        .await;
    world.all_ready(&objects).await;
    exactly_one_of_each(&world);
}

#[tokio::test]
async fn an_object_that_is_made_again_is_made_once_whatever_ends_the_process() {
    let (mut world, objects) = settled().await;
    let held = || world.simulator.objects("prod", "sourceConnections");
    let lost = held().remove(0)["id"].as_str().unwrap().to_owned();
    let late = Fault::new(Effect::Late(4000)).method("POST");
    world.simulator.inject(late.path("/sourceConnections"));
    world
        .simulator
        .delete("prod", "sourceConnections", &lost)
        .unwrap();
    let kind = "SourceConnection";
    world
        .reason(kind, "paypal-products", "AdobeUnavailable")
        .await;
    world.kill_operator().await;
    world.start_operator();
    for kind in [kind, "Dataflow"] {
        let name = if kind == "Dataflow" {
            "payments"
        } else {
            "paypal-products"
        };
        let patch = json!({ "spec": { "replacePolicy": "Recreate" } });
        world.patch(kind, name, patch).await;
    }
    world.all_ready(&objects).await;
    world
        .eventually("the flow to use it", || async {
            let flows = world.simulator.objects("prod", "flows");
            let left = world.simulator.objects("prod", "sourceConnections");
            let uses = flows.len() == 1
                && left.len() == 1
                && flows[0]["sourceConnectionIds"][0] == left[0]["id"];
            uses.then_some(()).ok_or(format!("{flows:?} {left:?}"))
        })
        .await;
    assert_eq!(world.simulator.count("POST", "/sourceConnections"), 1);
}

#[tokio::test]
async fn an_identity_declared_without_an_answer_is_not_declared_twice() {
    let lag = Duration::from_secs(2);
    let options = Options {
        list_lag: lag,
        ..Options::default()
    };
    let world = World::tuned(options, |settings| {
        settings.list_lag = lag + Duration::from_secs(1);
        settings.request_timeout = Duration::from_secs(3);
    })
    .await;
    let lost = Fault::new(Effect::DropAfter).method("POST");
    let lost = lost.path("/tenant/descriptors").times(Times::Next(1));
    world.simulator.inject(lost);
    let mut objects = sample("payments");
    objects.retain(|it| {
        ["Secret", "Sandbox", "PlatformSchema"]
            .map(Into::into)
            .contains(&it["kind"])
    });
    for object in objects
        .iter_mut()
        .filter(|it| it["kind"] == "PlatformSchema")
    {
        object["spec"]["fields"]["customerId"] = json!({ "type": "string" });
        let identity =
            json!({ "path": "/_tenant/customerId", "namespace": "ECID", "primary": true });
        object["spec"]["identities"] = json!([identity]);
    }
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.all_ready(&objects).await;
    let descriptors = world.simulator.objects("prod", "descriptors");
    assert_eq!(descriptors.len(), 1, "{descriptors:?}");
    assert_eq!(world.simulator.count("POST", "/tenant/descriptors"), 1);
}

#[tokio::test]
async fn a_list_that_is_not_allowed_is_told_by_the_sandbox() {
    let (world, _) = settled().await;
    let refusal = aep_simulator::Reply::json(
        403,
        json!({ "error_code": "403027", "message": "no access" }),
    );
    let fault = Fault::answer(refusal).method("GET").path("/dataSets");
    world.simulator.inject(fault.times(Times::Every));
    let told = |words: &'static str| {
        let world = &world;
        world.eventually("the Sandbox to report it", move || async move {
            let sandbox = world.get("Sandbox", "default").await;
            let failed = condition(&sandbox, "SweepFailed").to_string();
            assert_eq!(condition(&sandbox, "Ready")["status"], "True");
            failed.contains(words).then_some(()).ok_or(failed)
        })
    };
    told("Dataset: ").await;
    world.event("Sandbox", "default", "SweepFailed").await;
    world.simulator.clear_faults();
    told("null").await;
}

/// A world in which flows are refused, and listings lag behind for so long as far as the operator knows.
async fn refusing(list_lag: Duration) -> World {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(300);
        settings.list_lag = list_lag;
    })
    .await;
    let refusal = aep_simulator::Reply::json(400, json!({ "message": "no" }));
    let fault = Fault::answer(refusal).method("POST").path("/flows");
    world.simulator.inject(fault.times(Times::Every));
    world
}

#[tokio::test]
async fn a_refusal_right_after_what_it_refers_to_was_made_is_not_believed_yet() {
    let world = refusing(Duration::from_secs(4)).await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    let words = "made a moment ago, so Adobe is asked again. It said: Flow Service: no";
    let flow = world.says("Dataflow", "payments", words).await;
    assert_eq!(condition(&flow, "Ready")["reason"], "DependencyNotReady");
    assert_eq!(condition(&flow, "Reconciling")["status"], "True");
    assert!(condition(&flow, "Stalled").is_null());
    world.simulator.clear_faults();
    world.all_ready(&objects).await;
    assert_eq!(world.simulator.count("POST", "/flows"), 2);
}

#[tokio::test]
async fn a_permanent_refusal_is_asked_for_once_and_again_when_the_spec_changes() {
    let world = refusing(Duration::ZERO).await;
    world.apply_sample_with_default_resync("payments").await;
    world.reason("Dataflow", "payments", "Rejected").await;
    let lists = world.simulator.count("GET", "/flows");
    world
        .eventually("six more lists", || async {
            let more = world.simulator.count("GET", "/flows") - lists;
            (more >= 6).then_some(()).ok_or(more.to_string())
        })
        .await;
    assert_eq!(world.simulator.count("POST", "/flows"), 1);
    world.simulator.clear_faults();
    let patch = json!({ "spec": { "description": "another try" } });
    world.patch("Dataflow", "payments", patch).await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    assert_eq!(world.simulator.count("POST", "/flows"), 2);
}

#[tokio::test]
async fn an_object_whose_answer_was_lost_is_found_under_the_name_it_had() {
    let world = World::new().await;
    lose_the_answer(&world, "/sourceConnections");
    let away = Fault::answer(aep_simulator::Reply::empty(503)).method("GET");
    let away = away.path("/sourceConnections").times(Times::Every);
    let objects = world.apply_sample("payments").await;
    world
        .eventually("the connection at Adobe", || async {
            let count = world.simulator.objects("prod", "sourceConnections").len();
            (count == 1).then_some(()).ok_or(count.to_string())
        })
        .await;
    world.simulator.inject(away);
    let patch = json!({ "spec": { "name": "renamed meanwhile" } });
    world
        .patch("SourceConnection", "paypal-products", patch)
        .await;
    world
        .reason("SourceConnection", "paypal-products", "AdobeUnavailable")
        .await;
    world.simulator.clear_faults();
    world.all_ready(&objects).await;
    exactly_one_of_each(&world);
    let held = world
        .simulator
        .objects("prod", "sourceConnections")
        .remove(0);
    assert_eq!(held["name"], "renamed meanwhile");
}
