//! `deploy/samples/tutorial-2020` says to Adobe what the tutorial of 2020 says, to the letter.
//!
//! Bodies are compared field by field. Ids are the simulator's, so each is replaced by what it stands for; every other
//! difference is listed with its reason.

use aep_test_kit::World;
use kube::api::ListParams;
use serde_json::{Value, json};

const PAYMENTS_SPEC: &str = "221c7626-58f6-4eec-8ee2-042b0226f03b";
const FULL_NO_TEXT: &str = "application/vnd.adobe.xed-full-notext+json; version=1";

/// The one body that was posted to a route and whose text contains the words.
fn posted(world: &World, path: &str, words: &str) -> Value {
    let calls = world.simulator.calls();
    let mut bodies = calls
        .iter()
        .filter(|c| c.method == "POST" && c.route == path)
        .filter_map(|c| c.body.clone())
        .filter(|b| b.to_string().contains(words));
    let body = bodies
        .next()
        .unwrap_or_else(|| panic!("nothing with {words} was posted to {path}"));
    assert!(
        bodies.next().is_none(),
        "more than one body with {words} was posted to {path}"
    );
    body
}

/// The body without the owner mark at the end of a text.
fn unmarked(mut body: Value, field: &str) -> Value {
    let text = body[field].as_str().unwrap_or_default();
    body[field] = json!(text.split(" [aep-operator:").next().unwrap_or_default());
    body
}

async fn id(world: &World, kind: &str, name: &str) -> Value {
    world.get(kind, name).await["status"]["id"].clone()
}

async fn built() -> World {
    let world = World::new().await;
    let objects = world.apply_sample("tutorial-2020").await;
    world.all_ready(&objects).await;
    world
}

#[tokio::test]
async fn the_source_connection_is_the_tutorials() {
    let world = built().await;
    let body = unmarked(
        posted(&world, "/sourceConnections", "Paypal"),
        "description",
    );
    let connection = world
        .api("SourceConnection")
        .list(&ListParams::default())
        .await
        .unwrap()
        .items
        .remove(0);
    let spec = &connection.data["spec"];
    let base = id(
        &world,
        "BaseConnection",
        spec["baseConnectionRef"]["name"].as_str().unwrap(),
    )
    .await;
    let schema = id(
        &world,
        "PlatformSchema",
        spec["data"]["schemaRef"]["name"].as_str().unwrap(),
    )
    .await;
    let expected = json!({
        "name": "Paypal source connection",
        "baseConnectionId": base,
        "description": "Paypal",
        "data": { "format": "parquet_xdm", "schema": { "id": schema, "version": FULL_NO_TEXT } },
        "params": { "path": "PayPal.Catalog_Products" },
        "connectionSpec": { "id": PAYMENTS_SPEC, "version": "1.0" },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_target_schema_is_the_tutorials_but_for_what_the_registry_computes() {
    let world = built().await;
    let body = unmarked(
        posted(&world, "/tenant/schemas", "Target schema for payments"),
        "description",
    );
    // Left out: `meta:containerId`, `meta:resourceType`, `meta:xdmType` and `meta:class`, which the registry computes and
    // ignores in a request, and the second mention of profile-personal-details, which changes nothing.
    let group = |name: &str| json!({ "$ref": format!("https://ns.adobe.com/xdm/context/{name}") });
    let expected = json!({
        "type": "object",
        "title": "Target schema for payments",
        "description": "Target schema for payments",
        "allOf": [group("profile"), group("profile-person-details"), group("profile-personal-details")],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_data_set_is_the_tutorials_and_bears_our_tag() {
    let world = built().await;
    let mut body = posted(&world, "/dataSets", "Target dataset for payments");
    // Added: the owner tag, by which the data set is found again.
    assert!(
        body["tags"]
            .as_object_mut()
            .unwrap()
            .remove("aep_operator_owner")
            .is_some()
    );
    assert_eq!(body["tags"], json!({}));
    body.as_object_mut().unwrap().remove("tags");
    let schema = body["schemaRef"]["id"].clone();
    let expected = json!({ "name": "Target dataset for payments", "schemaRef": { "id": schema, "contentType": FULL_NO_TEXT } });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_data_set_base_connection_is_the_tutorials() {
    let world = built().await;
    let body = posted(
        &world,
        "/connections",
        "c604ff05-7f1a-43c0-8e18-33bf874cb11c",
    );
    assert_eq!(
        body["connectionSpec"],
        json!({ "id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0" })
    );
    assert!(body.get("auth").is_none());
}

#[tokio::test]
async fn the_target_connection_is_the_tutorials() {
    let world = built().await;
    let body = unmarked(
        posted(&world, "/targetConnections", "payments"),
        "description",
    );
    let connection = world
        .api("TargetConnection")
        .list(&ListParams::default())
        .await
        .unwrap()
        .items
        .remove(0);
    let spec = &connection.data["spec"];
    let base = id(
        &world,
        "BaseConnection",
        spec["baseConnectionRef"]["name"].as_str().unwrap(),
    )
    .await;
    let dataset = id(
        &world,
        "Dataset",
        spec["datasetRef"]["name"].as_str().unwrap(),
    )
    .await;
    let expected = json!({
        "baseConnectionId": base,
        "name": "Target Connection for payments",
        "description": "Target Connection for payments",
        "data": { "format": "parquet_xdm", "schema": { "id": connection.data["status"]["schemaId"] } },
        "params": { "dataSetId": dataset },
        "connectionSpec": { "id": PAYMENTS_SPEC, "version": "1.0" },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_mapping_set_is_the_tutorials_and_bears_our_name() {
    let world = built().await;
    let mut body = posted(&world, "/mappingSets", "Product_Id");
    // Added: the name, the only place for the owner mark.
    assert!(body["name"].as_str().unwrap().contains("[aep-operator:"));
    body.as_object_mut().unwrap().remove("name");
    let row = |destination: &str, source: &str| json!({ "destinationXdmPath": destination, "sourceAttribute": source, "identity": false, "identityGroup": null, "namespaceCode": null, "version": 0 });
    let schema = body["xdmSchema"].clone();
    assert!(
        schema
            .as_str()
            .unwrap()
            .starts_with("https://ns.adobe.com/acme/schemas/")
    );
    let expected = json!({
        "version": 0, "xdmSchema": schema, "xdmVersion": "1.0", "id": null,
        "mappings": [row("_id", "Product_Id"), row("product.name", "Product_Name"), row("product.description", "Description"), row("product.type", "Type")],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_flow_is_the_tutorials() {
    let world = built().await;
    let body = unmarked(posted(&world, "/flows", "scheduleParams"), "description");
    let (source, target, mapping) = (
        &body["sourceConnectionIds"],
        &body["targetConnectionIds"],
        &body["transformations"][1]["params"]["mappingId"],
    );
    let expected = json!({
        "name": "Dataflow between payments Platform",
        "description": "Inbound data to Platform",
        "flowSpec": { "id": "14518937-270c-4525-bdec-c2ba7cce3860", "version": "1.0" },
        "sourceConnectionIds": source,
        "targetConnectionIds": target,
        "transformations": [
            { "name": "Copy", "params": { "deltaColumn": { "name": "updatedAt", "dateFormat": "YYYY-MM-DD", "timezone": "UTC" } } },
            { "name": "Mapping", "params": { "mappingId": mapping, "mappingVersion": "0" } },
        ],
        "scheduleParams": { "startTime": "1567411548", "frequency": "minute", "interval": "30" },
    });
    assert_eq!(body, expected);
}
