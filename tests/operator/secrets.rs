//! Which Secrets a base connection may use.

use aep_simulator::Options;
use aep_test_kit::{World, condition, sample};
use serde_json::{Value, json};

fn one<'o>(objects: &'o mut [Value], kind: &str) -> &'o mut Value {
    objects.iter_mut().find(|it| it["kind"] == kind).unwrap()
}

/// How often a text was sent to create or change a connection.
fn sent(world: &World, text: &str) -> usize {
    let calls = world.simulator.calls();
    let bodies = calls.iter().filter(|it| it.path.contains("/connections"));
    let bodies = bodies.filter_map(|it| it.body.as_ref());
    bodies.filter(|it| it.to_string().contains(text)).count()
}

#[tokio::test]
async fn the_credentials_of_a_sandbox_are_sent_to_no_source_system() {
    let world = World::new().await;
    let mut objects = sample("payments");
    let params = &mut one(&mut objects, "BaseConnection")["spec"]["auth"]["secretParams"];
    params[1]["valueFrom"]["secretKeyRef"]["name"] = "adobe-io".into();
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    let held = world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    let message = condition(&held, "Stalled")["message"].to_string();
    for part in ["`adobe-io`", "Sandbox/default", "name another Secret"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(sent(&world, "demo-secret"), 0);
}

#[tokio::test]
async fn a_secret_that_a_sandbox_begins_to_use_is_refused_until_it_stops() {
    let world = World::new().await;
    let mut objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let sandbox = one(&mut objects, "Sandbox");
    sandbox["metadata"]["name"] = "second".into();
    sandbox["spec"]["credentialsRef"]["name"] = "paypal".into();
    world.apply(sandbox).await.unwrap();
    world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    sandbox["spec"]["credentialsRef"]["name"] = "adobe-io".into();
    world.apply(sandbox).await.unwrap();
    world.reason("BaseConnection", "paypal", "Succeeded").await;
    sandbox["spec"]["credentialsRef"]["name"] = "paypal".into();
    world.apply(sandbox).await.unwrap();
    world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    world.delete("Sandbox", "second").await;
    world.reason("BaseConnection", "paypal", "Succeeded").await;
}

#[tokio::test]
async fn where_a_label_is_required_only_secrets_that_have_it_are_sent() {
    let require = |settings: &mut aep_operator::engine::Settings| {
        settings.require_secret_label = true;
    };
    let world = World::tuned(Options::default(), require).await;
    let objects = world.apply_sample("payments").await;
    let held = world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    let message = condition(&held, "Stalled")["message"].to_string();
    assert!(
        message.contains("aep-operator.io/allow-in-connections"),
        "{message}"
    );
    let label = json!({ "aep-operator.io/allow-in-connections": "true" });
    let label = json!({ "metadata": { "labels": label } });
    world.patch("Secret", "paypal", label).await;
    world.all_ready(&objects).await;
}
