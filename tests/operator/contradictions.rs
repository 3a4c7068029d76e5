//! Where lists and reads contradict each other, one of the two is wrong: nothing is made until they agree again.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Options, Reply, Times};
use aep_test_kit::{World, condition};
use serde_json::{Value, json};

use crate::recovery::{exactly_one_of_each, ids};

const KIND: &str = "SourceConnection";
const NAME: &str = "paypal-products";

/// How often lists are taken; they may lag behind for less than that, or for more.
const PERIOD: Duration = Duration::from_millis(500);
const LITTLE: Duration = Duration::from_millis(250);
const MUCH: Duration = Duration::from_millis(1200);

/// A pipeline that is ready, where lists may lag behind for so long.
async fn settled(list_lag: Duration) -> (World, Vec<Value>) {
    let world = World::tuned(Options::default(), |settings| {
        settings.list_lag = list_lag;
        settings.resync = PERIOD;
    })
    .await;
    let objects = world.apply_sample_with_default_resync("payments").await;
    world.all_ready(&objects).await;
    world.simulator.clear_calls();
    (world, objects)
}

async fn id(world: &World) -> Value {
    world.get(KIND, NAME).await["status"]["id"].clone()
}

/// From now on a read of a single source connection denies it.
fn deny_reads(world: &World) {
    let refusal = json!({
        "type": "https://ns.adobe.com/aep/errors/FLOW-1439-404", "title": "Resource not found", "status": 404,
        "report": { "detailed-message": "The requested resource is not found." },
    });
    let fault = Fault::answer(Reply::json(404, refusal)).method("GET");
    let fault = fault.path("/sourceConnections/{id}").times(Times::Every);
    world.simulator.inject(fault);
}

/// From now on lists show these source connections and no others; reads stay as they are.
fn list_only(world: &World, shown: &[Value]) {
    let harmless = Fault::new(Effect::Delay(0)).path("/sourceConnections/{id}");
    world.simulator.inject(harmless.times(Times::Every));
    let list = Reply::json(200, json!({ "items": shown, "_links": {} }));
    let fault = Fault::answer(list).method("GET").path("/sourceConnections");
    world.simulator.inject(fault.times(Times::Every));
}

/// Asks for a fresh read.
async fn ask(world: &World) {
    let request = json!({ "aep-operator.io/requested-at": "now" });
    let request = json!({ "metadata": { "annotations": request } });
    world.patch(KIND, NAME, request).await;
}

/// Waits until all there is was listed so often that a little lag is over.
async fn lag_is_over(world: &World) {
    listed(world, 3).await;
}

/// Waits until all there is was listed so many times more.
async fn listed(world: &World, times: usize) {
    let listed = || {
        let calls = world.simulator.calls();
        let lists = calls
            .iter()
            .filter(|call| call.method == "GET" && call.route == "/sourceConnections");
        let whole = lists.filter(|call| call.query.iter().all(|(name, _)| name != "property"));
        whole.count()
    };
    let before = listed();
    world
        .eventually("more lists", || async {
            let more = listed() - before;
            (more >= times).then_some(()).ok_or(more.to_string())
        })
        .await;
}

#[tokio::test]
async fn what_reads_deny_and_lists_show_is_missing_and_not_made_again() {
    let (world, objects) = settled(LITTLE).await;
    let before = ids(&world, &objects).await;
    deny_reads(&world);
    ask(&world).await;
    world.reason(KIND, NAME, "Missing").await;
    lag_is_over(&world).await;
    let connection = world.get(KIND, NAME).await;
    assert_eq!(condition(&connection, "Ready")["reason"], "Missing");
    world.simulator.clear_faults();
    world.all_ready(&objects).await;
    assert_eq!(ids(&world, &objects).await, before);
    assert_eq!(world.creates(), 0);
    exactly_one_of_each(&world);
}

/// Reads deny the connection, and lists show it under another name.
async fn renamed_and_denied(world: &World) {
    let known = id(world).await;
    deny_reads(world);
    let known = known.as_str().unwrap();
    let renamed = json!({ "name": "renamed by hand" });
    let edited = world
        .simulator
        .edit("prod", "sourceConnections", known, &renamed);
    edited.unwrap();
    world.reason(KIND, NAME, "Missing").await;
}

/// Once reads are true again all is as it was, the name included.
async fn as_it_was(world: &World, objects: &[Value], before: &[Value]) {
    let connection = world.get(KIND, NAME).await;
    assert_eq!(condition(&connection, "Ready")["reason"], "Missing");
    assert_eq!(world.creates(), 0);
    world.simulator.clear_faults();
    world.all_ready(objects).await;
    assert_eq!(ids(world, objects).await, before);
    assert_eq!(world.creates(), 0);
    exactly_one_of_each(world);
    let held = world
        .simulator
        .objects("prod", "sourceConnections")
        .remove(0);
    assert_eq!(held["name"], "PayPal products");
}

#[tokio::test]
async fn what_reads_deny_is_not_made_again_if_lists_show_it_under_another_name() {
    let (world, objects) = settled(MUCH).await;
    let before = ids(&world, &objects).await;
    renamed_and_denied(&world).await;
    ask(&world).await;
    listed(&world, 6).await;
    as_it_was(&world, &objects, &before).await;
}

#[tokio::test]
async fn what_reads_deny_is_not_made_again_although_nobody_looked_for_a_while() {
    let (world, objects) = settled(LITTLE).await;
    let before = ids(&world, &objects).await;
    renamed_and_denied(&world).await;
    for request in ["once", "twice"] {
        // Lists are taken all the same.
        let patch = json!({ "spec": { "suspend": true } });
        world.patch(KIND, NAME, patch).await;
        world.reason(KIND, NAME, "Suspended").await;
        lag_is_over(&world).await;
        let asked = json!({ "aep-operator.io/requested-at": request });
        let patch = json!({ "metadata": { "annotations": asked }, "spec": { "suspend": false } });
        world.patch(KIND, NAME, patch).await;
        world.reason(KIND, NAME, "Missing").await;
    }
    lag_is_over(&world).await;
    as_it_was(&world, &objects, &before).await;
}

#[tokio::test]
async fn what_lists_lack_and_reads_show_stays_as_it_is() {
    let (world, objects) = settled(LITTLE).await;
    let before = world.versions().await;
    world.simulator.set_list_lag(Duration::from_secs(3600));
    lag_is_over(&world).await;
    assert_eq!(world.versions().await, before);
    assert_eq!(world.writes(), 0);
    world.simulator.set_list_lag(Duration::ZERO);
    lag_is_over(&world).await;
    world.all_ready(&objects).await;
    assert_eq!(world.versions().await, before);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_list_that_shows_a_twin_alone_does_not_make_it_the_one_in_use() {
    let (world, objects) = settled(LITTLE).await;
    let held = world.simulator.objects("prod", "sourceConnections");
    let twin = world.post_copy("sourceConnections", &held[0]).await;
    let twin = world.simulator.object("prod", "sourceConnections", &twin);
    world.simulator.clear_calls();
    list_only(&world, &[twin.unwrap()]);
    lag_is_over(&world).await;
    assert_eq!(id(&world).await, held[0]["id"]);
    world.simulator.clear_faults();
    lag_is_over(&world).await;
    world.all_ready(&objects).await;
    assert_eq!(id(&world).await, held[0]["id"]);
    assert_eq!(world.writes(), 0);
}
