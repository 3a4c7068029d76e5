//! Which sources there are, and how one signs in to them.

use aep_simulator::{Connector, Options};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Reply, Rig, options, send};

const MAILCHIMP: &str = "2e8580db-6489-4726-96de-e33f5f60295f";
const SNOWFLAKE_STREAMING: &str = "51ae16c2-bdad-42fd-9fce-8d5dfddaf140";
const SHOPIFY_STREAMING: &str = "e77fd9d2-22a8-11ed-861d-0242ac120002";
const HUBSPOT: &str = "cc6a4487-9e91-433e-a3a3-9cf6626c1806";
const REST_FLOW: &str = "6499120c-0b15-42dc-936e-847ea3c24d72";

fn connection(spec: &str, way: &str, params: &Value) -> Value {
    json!({ "name": "c", "connectionSpec": { "id": spec, "version": "1.0" }, "auth": { "specName": way, "params": params } })
}

fn told() -> Value {
    json!({
        "id": "00000000-1111-4222-8333-444444444444", "name": "our-own", "label": "Our own", "reads": "rest",
        "params": ["resource", "since?"], "auth": { "API Key": ["host", "apiKey"] },
    })
}

#[tokio::test]
async fn self_serve_and_streaming_sources_are_known() {
    let rig = Rig::strict().await;
    let params =
        json!({ "authorizationTestUrl": "https://example.org", "username": "u", "password": "p" });
    rig.create(
        "/connections",
        &connection(MAILCHIMP, "Basic Authentication", &params),
    )
    .await;
    let params = json!({ "account": "a", "database": "d", "warehouse": "w", "username": "u", "password": "p" });
    let body = connection(
        SNOWFLAKE_STREAMING,
        "Basic Authentication for Snowflake",
        &params,
    );
    let base = rig.create("/connections", &body).await;
    let params = json!({ "tableName": "T", "timestampColumn": "at", "backfill": "true" });
    let source = json!({ "name": "s", "baseConnectionId": base, "params": params,
        "connectionSpec": { "id": SNOWFLAKE_STREAMING, "version": "1.0" } });
    rig.create("/sourceConnections", &source).await;
    let mut source = json!({ "name": "s", "data": { "format": "json" },
        "connectionSpec": { "id": SHOPIFY_STREAMING, "version": "1.0" } });
    rig.create("/sourceConnections", &source).await;
    source["baseConnectionId"] = json!(base);
    assert_eq!(
        rig.post("/sourceConnections", &source).await.provider(),
        "1332"
    );
}

#[tokio::test]
async fn every_connector_has_its_ways_to_sign_in_and_no_other() {
    let rig = Rig::lenient().await;
    let params =
        json!({ "clientId": "c", "clientSecret": "s", "accessToken": "a", "refreshToken": "r" });
    let wrong = rig
        .post(
            "/connections",
            &connection(HUBSPOT, "Basic authentication", &params),
        )
        .await;
    assert_eq!(wrong.code(), (400, "FLOW-1415-400"));
    let id = rig
        .create(
            "/connections",
            &connection(HUBSPOT, "Basic Authentication", &params),
        )
        .await;
    let shown = rig.get(&format!("/connections/{id}")).await;
    assert_eq!(shown.item()["auth"]["params"]["clientId"], "c");
    assert_eq!(shown.item()["auth"]["params"]["refreshToken"], "********");
    let few = json!({ "clientId": "c" });
    let few = rig
        .post(
            "/connections",
            &connection(HUBSPOT, "Basic Authentication", &few),
        )
        .await;
    assert_eq!(few.provider(), "1304");
}

#[tokio::test]
async fn further_connectors_can_be_told() {
    let rig = Rig::lenient().await;
    let spec = told()["id"].as_str().unwrap().to_owned();
    let body = connection(&spec, "API Key", &json!({ "host": "h", "apiKey": "k" }));
    assert_eq!(
        rig.post("/connections", &body).await.code(),
        (400, "FLOW-1413-400")
    );
    let url = format!("{}/_sim/connectors", rig.simulator.url());
    for _ in 0..2 {
        assert_eq!(send(rig.http.post(&url).json(&told())).await.status, 204);
    }
    assert_eq!(
        send(rig.http.post(&url).json(&json!({ "id": "x" })))
            .await
            .status,
        400
    );
    let all = send(rig.http.request(Method::GET, &url)).await.body;
    let ours = |it: &&Value| it["id"] == spec.as_str();
    assert_eq!(all.as_array().unwrap().iter().filter(ours).count(), 1);
    rig.create("/connections", &body).await;
    let document = rig.get(&format!("/connectionSpecs/{spec}")).await;
    assert_eq!(
        document.item()["authSpec"][0]["spec"]["required"],
        json!(["host", "apiKey"])
    );
    assert_eq!(
        document.item()["sourceSpec"]["spec"]["required"],
        json!(["resource"])
    );
    let flow = rig.get(&format!("/flowSpecs/{REST_FLOW}")).await;
    let sources = flow.item()["sourceConnectionSpecIds"]
        .as_array()
        .unwrap()
        .clone();
    assert!(sources.contains(&json!(spec)), "{sources:?}");
}

#[tokio::test]
async fn connectors_are_told_at_the_start_too() {
    let connector: Connector = serde_json::from_value(told()).unwrap();
    let connectors = vec![connector.clone()];
    let rig = Rig::with(Options {
        connectors,
        ..options()
    })
    .await;
    let named = rig.get("/connectionSpecs?property=name==our-own").await;
    assert_eq!(named.item()["attributes"]["connectorName"], "Our own");
    let renamed = Connector {
        label: "Renamed".to_owned(),
        ..connector
    };
    rig.simulator.tell_connector(renamed);
    let named = rig.get("/connectionSpecs?property=name==our-own").await;
    assert_eq!(named.item()["attributes"]["connectorName"], "Renamed");
}

#[tokio::test]
async fn to_the_letter_only_documented_names_are_known() {
    let (lenient, strict) = (Rig::lenient().await, Rig::strict().await);
    for (what, name, is_documented) in [
        ("connectionSpecs", "dynamics-online", true),
        ("connectionSpecs", "adls-gen2", true),
        ("connectionSpecs", "streaming-http", false),
        ("connectionSpecs", "postgre-sql", false),
        ("flowSpecs", "CRMToAEP", true),
        (
            "flowSpecs",
            "Stream%20data%20without%20transformation",
            false,
        ),
    ] {
        let path = format!("/{what}?property=name=={name}");
        let found = |reply: Reply| reply.body["items"].as_array().unwrap().len();
        assert_eq!(found(lenient.get(&path).await), 1, "{name}");
        let known = found(strict.get(&path).await) == 1;
        assert_eq!(known, is_documented, "{name}");
    }
    // By its id, everything is.
    let spec = strict.get(&format!("/connectionSpecs/{HUBSPOT}")).await;
    assert_eq!(spec.item()["attributes"]["connectorName"], "HubSpot");
}
