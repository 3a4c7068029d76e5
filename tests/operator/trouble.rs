//! Bad input and bad luck: each reported in a condition, and nothing half made.

use std::time::Duration;

use aep_simulator::{Fault, Options, Reply, Times};
use aep_test_kit::{World, condition, sample};
use serde_json::{Value, json};

fn credentials(objects: &mut [Value]) -> &mut Value {
    let mut secrets = objects.iter_mut();
    secrets
        .find(|o| o["kind"] == "Secret" && o["metadata"]["name"] == "adobe-io")
        .unwrap()
}

/// Waits until an object says that only its user can help, and why; gives the message.
async fn stalled(world: &World, kind: &str, name: &str, reason: &str) -> String {
    let object = world.reason(kind, name, reason).await;
    assert_eq!(condition(&object, "Stalled")["status"], "True");
    assert!(condition(&object, "Reconciling").is_null());
    let event = world.event(kind, name, reason).await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    let ready = condition(&object, "Ready");
    ready["message"].as_str().unwrap().to_owned()
}

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
async fn an_endpoint_that_is_not_allowed_is_refused_and_gets_no_credentials() {
    let world = World::new().await;
    let elsewhere = World::unattended(Options::default()).await;
    let url = elsewhere.simulator.url();
    for field in ["ims", "platform"] {
        let mut objects = sample("payments");
        one(&mut objects, "Sandbox")["spec"]["endpoints"] = json!({ field: url });
        apply(&world, &objects).await;
        let told = world.says("Sandbox", "default", field).await;
        assert_eq!(condition(&told, "Ready")["reason"], "InvalidSpec");
        let message = stalled(&world, "Sandbox", "default", "InvalidSpec").await;
        assert!(message.contains("--allowed-endpoints"), "{message}");
    }
    assert!(elsewhere.simulator.calls().is_empty());
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
    let sandbox = world.says("Sandbox", "default", "`clientSecret`").await;
    assert_eq!(condition(&sandbox, "Ready")["reason"], "InvalidCredentials");
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

fn orders(name: &str, title: &str) -> Value {
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "PlatformSchema",
        "metadata": { "name": name },
        "spec": { "title": title, "class": "https://ns.adobe.com/xdm/context/experienceevent" },
    })
}

#[tokio::test]
async fn a_title_that_another_resource_gives_up_is_taken_at_once() {
    let world = World::new().await;
    let mut objects = sample("payments");
    objects.retain(|it| it["kind"] == "Secret" || it["kind"] == "Sandbox");
    objects.push(orders("first", "Orders"));
    apply(&world, &objects).await;
    world.reason("PlatformSchema", "first", "Succeeded").await;
    world.apply(&orders("second", "Orders")).await.unwrap();
    let second = world.reason("PlatformSchema", "second", "TitleTaken").await;
    let message = condition(&second, "Stalled")["message"].to_string();
    let holder = format!("of {}/first", world.namespace);
    assert!(message.contains(&holder), "{message}");
    // Renamed.
    let renamed = json!({ "spec": { "title": "Orders (old)" } });
    world.patch("PlatformSchema", "first", renamed).await;
    world.reason("PlatformSchema", "second", "Succeeded").await;
    // Deleted.
    world.apply(&orders("third", "Orders")).await.unwrap();
    world.reason("PlatformSchema", "third", "TitleTaken").await;
    world.delete("PlatformSchema", "second").await;
    world.reason("PlatformSchema", "third", "Succeeded").await;
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

#[tokio::test]
async fn two_references_where_one_is_allowed_are_refused_at_admission() {
    let world = World::new().await;
    let mut objects = sample("payments");
    let connection = one(&mut objects, "SourceConnection");
    connection["spec"]["baseConnectionId"] = json!("0d9d8d9e-8c57-4a3b-a54b-2a1bd1e9a0c4");
    let error = world.apply(connection).await.unwrap_err().to_string();
    assert!(error.contains("baseConnectionRef"), "{error}");
}

#[tokio::test]
async fn a_dependency_that_is_not_ready_is_named_with_its_reason() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "BaseConnection")["spec"]["connectionSpec"] = json!({ "name": "nothing" });
    apply(&world, &objects).await;
    let words = "BaseConnection/paypal: it needs somebody's attention first (InvalidSpec)";
    let connection = world
        .says("SourceConnection", "paypal-products", words)
        .await;
    assert_eq!(
        condition(&connection, "Ready")["reason"],
        "DependencyNotReady"
    );
}

#[tokio::test]
async fn a_token_that_ends_too_early_is_renewed_once() {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    world.simulator.revoke_tokens();
    world.simulator.clear_calls();
    let patch = json!({ "spec": { "description": "other" } });
    world.patch("Dataset", "payments", patch).await;
    world
        .eventually("the description to arrive", || async {
            let held = &world.simulator.objects("prod", "dataSets")[0]["description"];
            (held == "other").then_some(()).ok_or(held.to_string())
        })
        .await;
    let tokens = world.simulator.calls();
    let tokens = tokens.iter().filter(|call| call.service == "ims").count();
    assert_eq!(tokens, 1);
}

#[tokio::test]
async fn a_fixed_token_that_is_over_stalls_the_sandbox_until_there_is_another() {
    let world = World::new().await;
    let mut objects = sample("payments");
    credentials(&mut objects)["stringData"] =
        json!({ "clientId": "aep-operator-demo", "accessToken": "long.gone" });
    apply(&world, &objects).await;
    let message = stalled(&world, "Sandbox", "default", "InvalidCredentials").await;
    assert!(!message.contains("long.gone"), "{message}");
    let secret = json!({ "stringData": { "accessToken": "", "clientSecret": "demo-secret" } });
    world.patch("Secret", "adobe-io", secret).await;
    world.all_ready(&objects).await;
}

#[tokio::test]
async fn an_unknown_flow_spec_is_named() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "Dataflow")["spec"]["flowSpec"] = json!({ "name": "CRMToNowhere" });
    apply(&world, &objects).await;
    let message = stalled(&world, "Dataflow", "payments", "InvalidSpec").await;
    assert!(message.contains("CRMToNowhere"), "{message}");
}

#[tokio::test]
async fn a_field_group_that_does_not_exist_is_named_and_nothing_is_left_behind() {
    let world = World::new().await;
    let mut objects = sample("payments");
    let missing = "https://ns.adobe.com/xdm/context/no-such-group";
    one(&mut objects, "PlatformSchema")["spec"]["fieldGroups"] = json!([missing]);
    apply(&world, &objects).await;
    let message = stalled(&world, "PlatformSchema", "payments", "Rejected").await;
    assert!(message.contains(missing), "{message}");
    // The field group for own fields is there already, and known.
    let schema = world.get("PlatformSchema", "payments").await;
    let group = &world.simulator.objects("prod", "fieldgroups")[0]["$id"];
    assert_eq!(&schema["status"]["fieldGroupId"], group);
    world.delete("PlatformSchema", "payments").await;
    world.delete("Dataset", "payments").await;
    world.delete("MappingSet", "payments").await;
    world.delete("Dataflow", "payments").await;
    world.delete("TargetConnection", "payments").await;
    world.gone("PlatformSchema", "payments").await;
    assert!(world.simulator.objects("prod", "fieldgroups").is_empty());
}

/// A schema whose first creates meet this, when its field group is there already, until it is ready; gives all states
/// that the resource went through.
async fn schema_after(reply: Reply, times: u32) -> (World, Vec<Value>) {
    let world = World::tuned(Options::default(), |settings| {
        settings.request_timeout = Duration::from_secs(2);
    })
    .await;
    let fault = Fault::answer(reply).method("POST");
    let fault = fault.path("/tenant/schemas").times(Times::Next(times));
    world.simulator.inject(fault);
    let mut first = None;
    for object in sample("payments") {
        let kind = object["kind"].as_str().unwrap();
        if ["Secret", "Sandbox", "PlatformSchema"].contains(&kind) {
            let made = world.apply(&object).await.unwrap();
            first = Some(made).filter(|_| kind == "PlatformSchema").or(first);
        }
    }
    world
        .eventually("the trouble to be over", || async {
            let left = world.simulator.faults().len();
            (left == 0).then_some(()).ok_or(left.to_string())
        })
        .await;
    if times > 1 {
        // What Adobe refuses is not asked for again before something changes.
        world.reason("PlatformSchema", "payments", "Rejected").await;
        let again = json!({ "spec": { "description": "another try" } });
        world.patch("PlatformSchema", "payments", again).await;
    }
    world
        .reason("PlatformSchema", "payments", "Succeeded")
        .await;
    let states = world.history("PlatformSchema", &first.unwrap()).await;
    (world, states)
}

fn never_the_field_group(world: &World, states: &[Value]) {
    let schema = world.simulator.objects("prod", "schemas").remove(0);
    let group = world.simulator.objects("prod", "fieldgroups").remove(0);
    let ids = states.iter().map(|it| &it["status"]["id"]);
    let ids: Vec<_> = ids.filter(|id| !id.is_null()).collect();
    assert!(!ids.is_empty());
    assert!(ids.iter().all(|id| **id == schema["$id"]), "{ids:?}");
    // The field group was known, and reported as such, before there was a schema.
    let early =
        |it: &Value| it["status"]["id"].is_null() && it["status"]["fieldGroupId"] == group["$id"];
    assert!(states.iter().any(early), "{states:?}");
}

#[tokio::test]
async fn the_id_of_a_schema_that_adobe_refuses_is_not_that_of_its_field_group() {
    let refusal = json!({ "title": "Bad request", "detail": "not like that", "status": 400 });
    let (world, states) = schema_after(Reply::json(400, refusal), 2).await;
    never_the_field_group(&world, &states);
    let refused = |it: &Value| condition(it, "Ready")["reason"] == "Rejected";
    assert!(states.iter().any(refused), "{states:?}");
}

#[tokio::test]
async fn the_id_of_a_schema_for_which_adobe_is_away_is_not_that_of_its_field_group() {
    let (world, states) = schema_after(Reply::empty(503), 1).await;
    never_the_field_group(&world, &states);
}

#[tokio::test]
async fn a_mapping_to_a_field_that_does_not_exist_is_named() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "MappingSet")["spec"]["mappings"][1]["destination"] = json!("no.such.field");
    apply(&world, &objects).await;
    let message = stalled(&world, "MappingSet", "payments", "InvalidSpec").await;
    assert!(message.contains("`no.such.field`"), "{message}");
    assert!(world.simulator.objects("prod", "mappingSets").is_empty());
}

#[tokio::test]
async fn a_refusal_is_told_in_adobes_own_words() {
    let world = World::new().await;
    let refusal = json!({
        "type": "https://ns.adobe.com/aep/errors/FLOW-1100-400", "title": "Bad request", "status": 400,
        "report": { "detailed-message": "Error from flow provider: the moon is in the wrong phase." },
    });
    let fault = Fault::answer(Reply::json(400, refusal)).method("POST");
    world
        .simulator
        .inject(fault.path("/flows").times(Times::Every));
    apply(&world, &sample("payments")).await;
    let message = stalled(&world, "Dataflow", "payments", "Rejected").await;
    assert!(
        message.contains("the moon is in the wrong phase"),
        "{message}"
    );
    assert!(message.contains("FLOW-1100-400"), "{message}");
}

#[tokio::test]
async fn a_missing_secret_is_named_and_its_arrival_noticed() {
    let world = World::new().await;
    let objects = sample("payments");
    let (secrets, others): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|o| o["kind"] == "Secret");
    let (adobe, paypal): (Vec<_>, Vec<_>) = secrets
        .into_iter()
        .partition(|o| o["metadata"]["name"] == "adobe-io");
    apply(&world, &others).await;
    // It may be on its way, from an external store say: there is no need to give up yet.
    let sandbox = world.says("Sandbox", "default", "Secret/adobe-io").await;
    assert_eq!(condition(&sandbox, "Reconciling")["status"], "True");
    apply(&world, &adobe).await;
    world
        .says("BaseConnection", "paypal", "Secret/paypal")
        .await;
    apply(&world, &paypal).await;
    world.all_ready(&others).await;
}

#[tokio::test]
async fn answers_that_are_no_json_are_passing_trouble_and_make_no_second_object() {
    let world = World::new().await;
    for method in ["POST", "GET"] {
        let fault = Fault::answer(Reply::html(404)).method(method);
        world
            .simulator
            .inject(fault.service("flow").times(Times::Next(3)));
    }
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    for kind in [
        "connections",
        "sourceConnections",
        "targetConnections",
        "flows",
    ] {
        assert_eq!(world.simulator.objects("prod", kind).len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn too_much_of_a_good_thing_is_refused_with_its_size() {
    let world = World::new().await;
    let mut objects = sample("payments");
    one(&mut objects, "SourceConnection")["spec"]["params"]["filler"] =
        json!("x".repeat(300 * 1024));
    apply(&world, &objects).await;
    let message = stalled(&world, "SourceConnection", "paypal-products", "InvalidSpec").await;
    assert!(message.contains("`spec.params`"), "{message}");
    assert!(message.contains("262144"), "{message}");
}
