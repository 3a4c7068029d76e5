//! Every sample: it becomes Ready, in waves and without, and applying it once more changes nothing, whoever applies it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use aep_operator::api;
use aep_simulator::Options;
use aep_simulator::profile::Profile;
use aep_test_kit::kubectl::{done, kubectl, manifest, texts};
use aep_test_kit::{World, name, ours, sample, use_default_resync_period};
use futures::future::join_all;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::argo::{health, three_way};
use super::kstatus::{Progress, progress};

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The folders of samples.
fn folders() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/samples");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<_> = folders
        .map(|it| it.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    names
}

/// A world for a sample, and its objects, which reach the simulator where they name Adobe's addresses.
async fn place(folder: &str) -> (World, Vec<Value>) {
    // To the letter of what Adobe documents today. The tutorial's contract is an older one.
    let profile = match folder {
        "tutorial-2020" => Profile::Lenient,
        _ => Profile::Strict,
    };
    let options = Options {
        profile,
        ..Options::default()
    };
    let world = World::tuned(options, |settings| {
        settings.allowed_endpoints = vec![settings.endpoints.platform.clone()];
    });
    let world = world.await;
    let mut objects = sample(folder);
    for endpoint in objects
        .iter_mut()
        .filter_map(|it| it.pointer_mut("/spec/endpoints"))
    {
        let url = world.simulator.url();
        *endpoint = json!({ "ims": url, "platform": url });
    }
    (world, objects)
}

/// One trial for each folder, all at the same time.
async fn with_each<F: Future<Output = ()>>(trial: impl Fn(String) -> F) {
    join_all(folders().into_iter().map(trial)).await;
}

async fn live(world: &World, object: &Value) -> Value {
    let (kind, name) = name(object);
    world.get(kind, name).await
}

/// Every version in the namespace, Secrets included.
async fn versions(world: &World, objects: &[Value]) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for object in objects {
        let metadata = live(world, object).await["metadata"].clone();
        let generation = metadata["generation"].as_i64().unwrap_or(1);
        assert_eq!(generation, 1, "{:?}: the spec was changed", name(object));
        versions.insert(
            format!("{:?}", name(object)),
            metadata["resourceVersion"].to_string(),
        );
    }
    versions
}

/// Applies until that changed nothing, which must be soon: the operator may still have something to write after an
/// object became Ready. What leaves every version as it was cannot have woken the operator.
async fn applying_again_changes_nothing(world: &World, objects: &[Value], arguments: &[&str]) {
    let text = manifest(objects);
    let text = &text;
    world
        .eventually("an apply that changes nothing", || async move {
            let before = versions(world, objects).await;
            let printed = done(world, arguments, text).await;
            let after = versions(world, objects).await;
            (before == after)
                .then_some(())
                .ok_or(format!("{printed}{before:?}{after:?}"))
        })
        .await;
}

async fn no_difference(world: &World, objects: &[Value], arguments: &[&str]) {
    let ours: Vec<_> = ours(objects).cloned().collect();
    let output = kubectl(world, arguments, &manifest(&ours)).await;
    let (printed, errors) = texts(&output);
    assert!(output.status.success(), "{printed}{errors}");
}

#[tokio::test]
async fn every_sample_is_as_it_was_after_a_second_apply_by_the_client() {
    with_each(|folder| async move {
        let (world, objects) = place(&folder).await;
        let apply = ["apply", "-f", "-"];
        done(&world, &apply, &manifest(&objects)).await;
        world.all_ready(&objects).await;
        applying_again_changes_nothing(&world, &objects, &apply).await;
        no_difference(&world, &objects, &["diff", "-f", "-"]).await;
        let printed = done(&world, &apply, &manifest(&objects)).await;
        for line in printed.lines().filter(|line| !line.starts_with("secret/")) {
            assert!(line.ends_with(" unchanged"), "{folder}: {line}");
        }
        for object in ours(&objects) {
            argo_cd_is_in_sync(object, &live(&world, object).await);
        }
    })
    .await;
}

/// Argo CD's way to find differences by itself.
fn argo_cd_is_in_sync(manifest: &Value, live: &Value) {
    let applied = live["metadata"]["annotations"][LAST_APPLIED]
        .as_str()
        .unwrap();
    let mut applied: Value = serde_json::from_str(applied).unwrap();
    // kubectl notes the namespace, and annotations even where there are none: Argo CD overlooks both.
    let metadata = applied["metadata"].as_object_mut().unwrap();
    metadata.remove("namespace");
    if metadata["annotations"] == json!({}) {
        metadata.remove("annotations");
    }
    let change = three_way(&applied, manifest, live);
    assert_eq!(change, json!({}), "{:?}", name(manifest));
    assert_eq!(progress(live), Progress::Current);
    assert_eq!(health(live).status, "Healthy");
}

#[tokio::test]
async fn every_sample_is_as_it_was_after_a_second_apply_by_the_server() {
    with_each(|folder| async move {
        let (world, objects) = place(&folder).await;
        let apply = ["apply", "--server-side", "-f", "-"];
        done(&world, &apply, &manifest(&objects)).await;
        world.all_ready(&objects).await;
        applying_again_changes_nothing(&world, &objects, &apply).await;
        no_difference(&world, &objects, &["diff", "--server-side", "-f", "-"]).await;
        for object in ours(&objects) {
            argo_cds_server_side_diff_is_empty(&world, object).await;
        }
    })
    .await;
}

/// Argo CD's way to find differences with the server's help: what an apply would give, compared with what is there.
async fn argo_cds_server_side_diff_is_empty(world: &World, object: &Value) {
    let (kind, name) = name(object);
    let mut params = PatchParams::apply("argocd-controller").force();
    params.dry_run = true;
    let (api, patch) = (world.api(kind), Patch::Apply(object));
    let predicted = api.patch(name, &params, &patch).await.unwrap();
    let mut predicted = serde_json::to_value(predicted).unwrap();
    let mut live = live(world, object).await;
    for object in [&mut predicted, &mut live] {
        // Of these only the managers differ: Argo CD would be one.
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
        object.as_object_mut().unwrap().remove("status");
    }
    assert_eq!(predicted, live, "{kind}/{name}");
}

#[tokio::test]
async fn no_create_is_followed_by_an_update_of_the_same_values() {
    with_each(|folder| async move {
        let (mut world, mut objects) = place(&folder).await;
        world.kill_operator().await;
        world.settings.resync = Duration::from_millis(300);
        world.start_operator();
        use_default_resync_period(&mut objects);
        for object in &objects {
            world.apply(object).await.unwrap();
        }
        world.all_ready(&objects).await;
        let lists = world.simulator.count("GET", "/flows");
        world
            .eventually("two more lists", || async {
                let more = world.simulator.count("GET", "/flows") - lists;
                (more >= 2).then_some(()).ok_or(more.to_string())
            })
            .await;
        let calls = world.simulator.calls();
        let updates = calls
            .iter()
            .filter(|call| call.method == "PATCH" || call.method == "PUT");
        let updates: Vec<_> = updates
            .map(|call| format!("{} {} {:?}", call.method, call.path, call.body))
            .collect();
        assert!(updates.is_empty(), "{folder}: {updates:?}");
    })
    .await;
}

/// The wave that an object is in.
fn wave(object: &Value) -> i32 {
    let wave = &object["metadata"]["annotations"][WAVE];
    wave.as_str().map_or(0, |wave| wave.parse().unwrap())
}

/// Waits until Argo CD would go on to the next wave.
async fn healthy(world: &World, objects: &[&Value]) {
    let wanted = format!(
        "{:?} to be healthy",
        objects.iter().map(|it| name(it)).collect::<Vec<_>>()
    );
    world
        .eventually(&wanted, || async {
            for object in objects.iter().filter(|it| it["kind"] != "Secret") {
                let health = health(&live(world, object).await);
                // This would end the sync.
                assert_ne!(health.status, "Degraded", "{}", health.message);
                if health.status != "Healthy" {
                    return Err(format!("{:?} is {health:?}", name(object)));
                }
            }
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn every_sample_comes_wave_by_wave_and_goes_the_other_way_round() {
    with_each(|folder| async move {
        let (world, objects) = place(&folder).await;
        let mut waves = BTreeMap::<i32, Vec<&Value>>::new();
        for object in &objects {
            waves.entry(wave(object)).or_default().push(object);
        }
        assert_eq!(
            waves.len(),
            if folder == "minimal" { 1 } else { 6 },
            "{folder}"
        );
        for objects in waves.values() {
            for object in objects {
                world.apply(object).await.unwrap();
            }
            healthy(&world, objects).await;
        }
        for objects in waves.values().rev() {
            for (kind, name) in objects.iter().map(|it| name(it)) {
                world.delete(kind, name).await;
            }
            for (kind, name) in objects.iter().map(|it| name(it)) {
                world.gone(kind, name).await;
            }
        }
        // To the letter, there is no way to delete a mapping set.
        let mapping_sets = world.simulator.objects("prod", "mappingSets").len();
        assert_eq!(
            world.simulator.object_count("prod"),
            mapping_sets,
            "{folder}"
        );
    })
    .await;
}

/// The paths of all fields that a schema describes, without those below fields that are open.
fn fields(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if !path.is_empty() {
        found.insert(path.to_owned());
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        fields(property, &path, found);
    }
    if schema["items"].is_object() {
        fields(&schema["items"], path, found);
    }
}

/// The paths of all fields that an object has.
fn used(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| used(item, path, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                used(value, &path, found);
                found.insert(path);
            }
        }
        _ => {}
    }
}

/// Whether a field names something that exists at Adobe only, so that no manifest for everybody can have it.
fn is_for_what_is_not_managed_here(field: &str) -> bool {
    let own = ["imsOrgId", "ownerId"];
    !own.contains(&field)
        && (field.ends_with("Id")
            || field.rsplit('.').next() == Some("id")
            || field == "mappingSetVersion")
}

#[test]
fn the_samples_show_every_field() {
    let samples: Vec<_> = folders().iter().flat_map(|folder| sample(folder)).collect();
    for crd in api::crds() {
        let kind = &crd.spec.names.kind;
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        let mut described = BTreeSet::new();
        fields(
            &schema["openAPIV3Schema"]["properties"]["spec"],
            "",
            &mut described,
        );
        let mut shown = BTreeSet::new();
        for object in samples.iter().filter(|it| it["kind"] == kind.as_str()) {
            used(&object["spec"], "", &mut shown);
        }
        let missing = described.difference(&shown);
        let missing: Vec<_> = missing
            .filter(|it| !is_for_what_is_not_managed_here(it))
            .collect();
        // Rarely needed, and only Adobe says for what.
        let rare: &[&str] = if kind == "TargetConnection" {
            &["params"]
        } else {
            &[]
        };
        assert_eq!(missing, rare, "{kind}");
    }
}
