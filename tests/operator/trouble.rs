//! Bad input and bad luck: each told in a condition, and nothing half made.

use serde_json::{Value, json};

use crate::harness::{World, condition, sample};

fn one<'a>(objects: &'a mut [Value], kind: &str) -> &'a mut Value {
    objects.iter_mut().find(|o| o["kind"] == kind).unwrap()
}

async fn apply(world: &World, objects: &[Value]) {
    for object in objects {
        world.apply(object).await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_reference_is_named_and_waited_for() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "Dataset")["spec"]["schemaRef"]["name"] = json!("nowhere");
    apply(&world, &objects).await;
    let dataset = world
        .says("Dataset", "payments", "PlatformSchema/nowhere")
        .await;
    assert_eq!(condition(&dataset, "Ready")["reason"], "DependencyNotReady");
    assert_eq!(condition(&dataset, "Reconciling")["status"], "True");
}

#[tokio::test]
async fn wrong_credentials_stall_the_sandbox_and_a_mended_secret_revives_it() {
    let world = World::new().await;
    let mut objects = sample("payments");
    for secret in objects
        .iter_mut()
        .filter(|o| o["metadata"]["name"] == "adobe-io")
    {
        secret["stringData"]["clientSecret"] = json!("wrong");
    }
    apply(&world, &objects).await;
    let sandbox = world
        .reason("Sandbox", "default", "InvalidCredentials")
        .await;
    assert_eq!(condition(&sandbox, "Stalled")["status"], "True");
    world
        .patch(
            "Secret",
            "adobe-io",
            json!({ "stringData": { "clientSecret": "demo-secret" } }),
        )
        .await;
    world.all_ready(&objects).await;
}

#[tokio::test]
async fn an_unknown_sandbox_is_told_with_those_that_exist() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "Sandbox")["spec"]["sandboxName"] = json!("nowhere");
    apply(&world, &objects).await;
    let sandbox = world.reason("Sandbox", "default", "SandboxNotFound").await;
    assert!(
        condition(&sandbox, "Stalled")["message"]
            .as_str()
            .unwrap()
            .contains("prod")
    );
}

#[tokio::test]
async fn an_organisation_that_is_not_the_credentials_own_stalls() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "Sandbox")["spec"]["imsOrgId"] = json!("FEDCBA9876543210@AdobeOrg");
    apply(&world, &objects).await;
    world
        .reason("Sandbox", "default", "OrganisationMismatch")
        .await;
}

#[tokio::test]
async fn a_missing_key_of_a_secret_is_named() {
    let world = World::new().await;
    let mut objects = sample("payments");
    for secret in objects
        .iter_mut()
        .filter(|o| o["metadata"]["name"] == "adobe-io")
    {
        secret["stringData"] = json!({ "clientId": "aep-operator-demo" });
    }
    apply(&world, &objects).await;
    let sandbox = world
        .reason("Sandbox", "default", "InvalidCredentials")
        .await;
    assert!(
        condition(&sandbox, "Ready")["message"]
            .as_str()
            .unwrap()
            .contains("`clientSecret`")
    );
}

#[tokio::test]
async fn unknown_specs_are_named() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "BaseConnection")["spec"]["connectionSpec"] =
        json!({ "name": "no-such-source" });
    apply(&world, &objects).await;
    let connection = world
        .reason("BaseConnection", "paypal", "InvalidSpec")
        .await;
    assert!(
        condition(&connection, "Stalled")["message"]
            .as_str()
            .unwrap()
            .contains("no-such-source")
    );
}

#[tokio::test]
async fn a_title_that_somebody_else_has_is_refused_with_the_id_of_the_other() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    let mut other = objects
        .iter()
        .find(|o| o["kind"] == "PlatformSchema")
        .unwrap()
        .clone();
    other["metadata"]["name"] = json!("second");
    world.apply(&other).await.unwrap();
    let second = world.reason("PlatformSchema", "second", "TitleTaken").await;
    assert!(
        condition(&second, "Stalled")["message"]
            .as_str()
            .unwrap()
            .contains("https://ns.adobe.com/")
    );
}

#[tokio::test]
async fn admission_refuses_what_can_be_judged_there() {
    let world = World::new().await;
    let mut objects = sample("payments");
    let flow = one(&mut objects, "Dataflow");
    flow["spec"]["schedule"]["interval"] = json!(10);
    let error = world.apply(flow).await.unwrap_err().to_string();
    assert!(error.contains("15"), "{error}");
    let dataset = one(&mut objects, "Dataset");
    dataset["spec"]["schemaId"] = json!("https://ns.adobe.com/acme/schemas/1");
    let error = world.apply(dataset).await.unwrap_err().to_string();
    assert!(error.contains("schemaRef"), "{error}");
}
