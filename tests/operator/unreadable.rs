//! Resources that the API server accepts and the operator cannot read: each is its own trouble, told by name, and nobody else's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aep_control_plane::Options as Cluster;
use aep_operator::api::{self, Kind};
use aep_simulator::Options;
use aep_test_kit::{World, cluster, ours, sample};
use axum::http::Request;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, ResourceExt};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::replica::Replica;

/// What a busy machine may add to a reconcile.
const SLACK: Duration = Duration::from_secs(8);

/// Seconds of a lease, which a leader that ends gives back at once.
const LEASE: u16 = 30;

/// A field that no version has yet.
const NEW_FIELD: &str = "guard";

/// Where a kind takes whatever Adobe defines.
const OPEN: [(&str, &str); 4] = [
    ("BaseConnection", "/spec/auth/params"),
    ("PlatformSchema", "/spec/fields"),
    ("SourceConnection", "/spec/params"),
    ("TargetConnection", "/spec/params"),
];

/// Where a kind names one of a few values.
const CHOICES: [(&str, &str); 8] = [
    ("Sandbox", "recreatePolicy"),
    ("BaseConnection", "deletionPolicy"),
    ("PlatformSchema", "adoptionPolicy"),
    ("Dataset", "deletionProtection"),
    ("SourceConnection", "replacePolicy"),
    ("TargetConnection", "contract"),
    ("MappingSet", "validation"),
    ("Dataflow", "state"),
];

#[tokio::test]
async fn a_resource_that_cannot_be_read_is_nobody_elses_trouble() {
    let cluster = cluster::start(Cluster::default()).await;
    let client = cluster.client();
    install_later_definitions(&client).await;
    let mut world = World::on(client.clone(), Options::default()).await;
    let other = World::on(client.clone(), Options::default()).await;
    world.settings.namespaces.push(other.namespace.clone());
    let objects = world.apply_sample("payments").await;
    world.start_operator();
    world.all_ready(&objects).await;
    let healthy = stage();
    for object in &healthy {
        other.apply(object).await.unwrap();
    }
    other.all_ready(&healthy).await;
    let without = edited_after_a_start(&mut world, 35).await;

    // Before a start: every way, for every kind.
    world.kill_operator().await;
    for secret in healthy.iter().filter(|it| it["kind"] == "Secret") {
        plant_a_time_of_year_10000(&other, secret).await;
    }
    let unreadable = unreadable(&healthy);
    for (object, _) in &unreadable {
        put(&other, object).await;
    }
    let with = edited_after_a_start(&mut world, 45).await;
    eprintln!("without {without:.1?}, with {with:.1?}");
    assert!(with < without + SLACK, "{with:?} instead of {without:?}");
    for (object, field) in &unreadable {
        let message = reported(&other, object, "InvalidSpec").await;
        assert!(message.contains(&format!("`spec.{field}")), "{message}");
    }
    for object in ours(&healthy) {
        reported(&other, object, "Succeeded").await;
    }
    let metrics = world.metrics();
    let count = metrics.matches("\naep_resource_unreadable{").count();
    assert_eq!(count, unreadable.len(), "{metrics}");

    // While it runs.
    let begun = Instant::now();
    for (object, _) in &unreadable {
        put(&other, &renamed(object, "late")).await;
    }
    world.patch("Dataflow", "payments", interval(60)).await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    let with = begun.elapsed();
    assert!(with < without + SLACK * 2, "{with:?}");
    for (object, _) in &unreadable {
        reported(&other, &renamed(object, "late"), "InvalidSpec").await;
    }
}

#[tokio::test]
async fn what_cannot_be_read_holds_up_no_standby_that_takes_over() {
    let cluster = cluster::start(Cluster::default()).await;
    let client = cluster.client();
    install_later_definitions(&client).await;
    let world = World::on(client.clone(), Options::default()).await;
    let other = World::on(client, Options::default()).await;
    let namespaces = format!("{},{}", world.namespace, other.namespace);
    let kubeconfig = cluster.kubeconfig();
    let start = async |pod| Replica::watching(kubeconfig, &namespaces, &world, pod, LEASE).await;
    let first = start("first").await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let healthy = stage();
    for object in &healthy {
        other.apply(object).await.unwrap();
    }
    other.all_ready(&healthy).await;
    let second = start("second").await;
    let without = edited_after_a_takeover(&world, first, 35).await;

    let unreadable = unreadable(&healthy);
    for (object, _) in &unreadable {
        put(&other, object).await;
    }
    for (object, _) in &unreadable {
        reported(&other, object, "InvalidSpec").await;
    }
    let _third = start("third").await;
    let with = edited_after_a_takeover(&world, second, 45).await;
    eprintln!("without {without:.1?}, with {with:.1?}");
    assert!(with < without + SLACK, "{with:?} instead of {without:?}");
}

#[tokio::test]
async fn deleting_a_resource_of_a_later_version_waits_and_says_why() {
    let cluster = cluster::start(Cluster::default()).await;
    let client = cluster.client();
    install_later_definitions(&client).await;
    let mut world = World::on(client, Options::default()).await;
    world.start_operator();
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let guard = json!({ "spec": { NEW_FIELD: "Always" } });
    world.patch("Dataflow", "payments", guard).await;
    let flow = world.reason("Dataflow", "payments", "InvalidSpec").await;
    let id = flow["status"]["id"].clone();
    assert!(id.is_string(), "{flow}");
    // It still counts as one that uses the mapping set.
    world.delete("MappingSet", "payments").await;
    world
        .says("MappingSet", "payments", "Dataflow/payments")
        .await;
    world.delete("Dataflow", "payments").await;
    let words = "cannot be deleted yet: not all of this resource can be read";
    world.says("Dataflow", "payments", words).await;
    let flows = world.simulator.objects("prod", "flows");
    assert_eq!(flows.len(), 1);
    let mended = json!({ "spec": { NEW_FIELD: null } });
    world.patch("Dataflow", "payments", mended).await;
    world.gone("Dataflow", "payments").await;
    world.gone("MappingSet", "payments").await;
    assert!(world.simulator.objects("prod", "flows").is_empty());
}

#[tokio::test]
async fn an_object_at_adobe_that_cannot_be_read_blocks_its_own_resource_alone() {
    let mut world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_millis(500);
    })
    .await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&objects).await;
    world.kill_operator().await;
    let own = world.simulator.objects("prod", "connections").remove(0);
    let foreign = world.post_copy("connections", &own).await;
    let id = own["id"].as_str().unwrap();
    describe(&world, id, &json!({ "text": own["description"] }));
    describe(&world, &foreign, &json!({ "text": "made by hand" }));
    let base = objects.iter().find(|it| it["kind"] == "BaseConnection");
    let second = renamed(base.unwrap(), "second");
    world.apply(&second).await.unwrap();
    world.start_operator();

    world
        .reason("BaseConnection", "paypal-second", "Succeeded")
        .await;
    let words = format!("the object {id} is there");
    world.says("BaseConnection", "paypal", &words).await;
    world.delete("BaseConnection", "paypal-second").await;
    world.gone("BaseConnection", "paypal-second").await;
    assert_eq!(world.simulator.objects("prod", "connections").len(), 2);
    let count = "\naep_objects_unreadable{kind=\"BaseConnection\"";
    let metrics = world.metrics();
    let line = metrics.split(count).nth(1).unwrap().lines().next().unwrap();
    assert!(line.ends_with(" 2"), "{line}");

    describe(&world, id, &own["description"]);
    world.reason("BaseConnection", "paypal", "Succeeded").await;
}

fn describe(world: &World, id: &str, description: &Value) {
    let patch = json!({ "description": description });
    let edited = world.simulator.edit("prod", "connections", id, &patch);
    edited.unwrap();
}

#[tokio::test]
async fn a_time_that_no_library_reads_is_refused_by_the_api_server() {
    let world = World::unattended(Options::default()).await;
    let objects = sample("payments");
    let flow = objects.iter().find(|it| it["kind"] == "Dataflow").unwrap();
    for time in [
        "2027-01-01T00:00:00+99:99",
        "9999-12-31T23:59:59-23:59",
        "2027-01-01T00:00:00-24:00",
    ] {
        let mut flow = flow.clone();
        flow["spec"]["schedule"]["startTime"] = json!(time);
        let error = world.apply(&flow).await.unwrap_err().to_string();
        assert!(error.contains("startTime"), "{error}");
    }
    for time in ["2027-01-01T00:00:00Z", "2027-01-01T00:00:00.5+05:30"] {
        let mut flow = flow.clone();
        flow["spec"]["schedule"]["startTime"] = json!(time);
        world.apply(&flow).await.unwrap();
    }
}

/// The definitions of a later version: with a field, values and times that this one does not know.
async fn install_later_definitions(client: &Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        let mut later = serde_json::to_value(&crd).unwrap();
        let kind = crd.spec.names.kind.as_str();
        let fields = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        let fields = later.pointer_mut(fields).unwrap();
        fields[NEW_FIELD] = json!({ "type": "string" });
        let (_, choice) = CHOICES.iter().find(|it| it.0 == kind).unwrap();
        fields[choice].as_object_mut().unwrap().remove("enum");
        if kind == "Dataflow" {
            let time = &mut fields["schedule"]["properties"]["startTime"];
            time.as_object_mut().unwrap().remove("pattern");
        }
        let name = crd.name_any();
        let params = PatchParams::apply("test").force();
        let patch = Patch::Apply(&later);
        definitions.patch(&name, &params, &patch).await.unwrap();
        let established = conditions::is_crd_established();
        let established = await_condition(definitions.clone(), &name, established);
        established.await.unwrap();
    }
}

/// Starts the operator, with an edit to be carried out; gives how long that takes.
async fn edited_after_a_start(world: &mut World, minutes: u32) -> Duration {
    world.kill_operator().await;
    world.patch("Dataflow", "payments", interval(minutes)).await;
    let begun = Instant::now();
    world.start_operator();
    world.reason("Dataflow", "payments", "Succeeded").await;
    begun.elapsed()
}

/// Ends the leader, with an edit to be carried out by the next; gives how long that takes.
async fn edited_after_a_takeover(world: &World, leader: Replica, minutes: u32) -> Duration {
    let begun = Instant::now();
    leader.signal("TERM").await;
    leader.ended().await;
    world.patch("Dataflow", "payments", interval(minutes)).await;
    world.reason("Dataflow", "payments", "Succeeded").await;
    begun.elapsed()
}

fn interval(minutes: u32) -> Value {
    json!({ "spec": { "schedule": { "interval": minutes } } })
}

/// The sample in another sandbox.
fn stage() -> Vec<Value> {
    let mut objects = sample("payments");
    for object in &mut objects {
        if object["kind"] == "Sandbox" {
            object["spec"]["sandboxName"] = json!("stage");
        }
    }
    objects
}

/// A resource of each kind for each way in which it cannot be read, and the field.
fn unreadable(healthy: &[Value]) -> Vec<(Value, String)> {
    let mut all = Vec::new();
    for kind in Kind::ALL.map(Kind::name) {
        let good = healthy.iter().find(|it| it["kind"] == kind).unwrap();
        let mut newer = renamed(good, "newer");
        newer["spec"][NEW_FIELD] = json!("Always");
        all.push((newer, NEW_FIELD.to_owned()));
        let (_, choice) = CHOICES.iter().find(|it| it.0 == kind).unwrap();
        let mut value = renamed(good, "value");
        value["spec"][choice] = json!("OfALaterVersion");
        all.push((value, (*choice).to_owned()));
        if let Some((_, path)) = OPEN.iter().find(|it| it.0 == kind) {
            let mut deep = renamed(good, "deep");
            let fields = path.split('/').skip(1);
            let field = fields.fold(&mut deep, |it, name| &mut it[name]);
            *field = json!("DEEP");
            all.push((deep, path.split('/').nth(2).unwrap().to_owned()));
        }
        if kind == "Dataflow" {
            let mut odd = renamed(good, "time");
            odd["spec"]["schedule"]["startTime"] = json!("2027-01-01T00:00:00+99:99");
            all.push((odd, "schedule".to_owned()));
        }
    }
    all
}

fn renamed(object: &Value, suffix: &str) -> Value {
    let mut object = object.clone();
    let name = object["metadata"]["name"].as_str().unwrap();
    object["metadata"]["name"] = json!(format!("{name}-{suffix}"));
    object
}

/// Asks the API server as `kubectl` does, without reading the answer as an object.
async fn request(client: &Client, method: &str, path: &str, body: Vec<u8>) -> String {
    let request = Request::builder().method(method).uri(path);
    let request = match method {
        "PATCH" => request.header("content-type", "application/apply-patch+yaml"),
        _ => request.header("content-type", "application/json"),
    };
    let request = request.body(body).unwrap();
    client.request_text(request).await.unwrap()
}

fn path(world: &World, object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let (namespace, name) = (&world.namespace, object["metadata"]["name"].as_str());
    let name = name.unwrap();
    if kind == "Secret" {
        return format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    }
    let crds = api::crds();
    let crd = crds.iter().find(|it| it.spec.names.kind == kind).unwrap();
    let (plural, group) = (&crd.spec.names.plural, api::GROUP);
    let version = api::VERSION;
    format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}")
}

/// Applies an object, in which a field may be nested more deeply than any library reads.
async fn put(world: &World, object: &Value) {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(135), "}".repeat(135));
    let text = object.to_string().replace(r#""DEEP""#, &deep);
    let path = format!("{}?fieldManager=test&force=true", path(world, object));
    request(&world.client, "PATCH", &path, text.into_bytes()).await;
}

/// What `kubectl replace` lets everybody do who may write a Secret. In custom resources, this API server drops such a time.
pub async fn plant_a_time_of_year_10000(world: &World, object: &Value) {
    let path = path(world, object);
    let mut answer = String::new();
    // The time of an entry counts that another writer than this one has made.
    for round in ["one", "two"] {
        let text = request(&world.client, "GET", &path, Vec::new()).await;
        let mut object: Value = serde_json::from_str(&text).unwrap();
        let metadata = &mut object["metadata"];
        metadata["annotations"]["replaced"] = json!(round);
        for entry in metadata["managedFields"].as_array_mut().unwrap() {
            if round == "two" {
                entry["time"] = json!("9999-12-31T23:59:59-23:59");
            }
        }
        let path = format!("{path}?fieldManager=replace-{round}&fieldValidation=Strict");
        let text = object.to_string().into_bytes();
        answer = request(&world.client, "PUT", &path, text).await;
    }
    assert!(answer.contains("10000-01-01T23:58:59Z"), "{answer}");
}

/// Waits until an object is Ready, or not, for that reason; gives the message.
async fn reported(world: &World, object: &Value, reason: &str) -> String {
    let path = path(world, object);
    world
        .eventually(&format!("{reason} of {path}"), || async {
            let text = request(&world.client, "GET", &path, Vec::new()).await;
            let parts: BTreeMap<String, &RawValue> = serde_json::from_str(&text).unwrap();
            let status = parts.get("status").map_or("null", |it| it.get());
            let status: Value = serde_json::from_str(status).unwrap();
            let ready = aep_test_kit::condition(&json!({ "status": status }), "Ready");
            if ready["reason"] == reason {
                Ok(ready["message"].as_str().unwrap().to_owned())
            } else {
                Err(status.to_string())
            }
        })
        .await
}
