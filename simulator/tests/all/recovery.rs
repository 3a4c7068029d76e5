//! What a client needs to find the one object that it created although no answer reached it.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply as Given};
use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};

use crate::client::{PROFILE_CLASS, Reply, Rig, SCHEMA, send};

async fn post(rig: &Rig, path: &str, body: &Value) -> Reply {
    let request = rig.signed(Method::POST, &format!("/foundation{path}"));
    send(request.header("x-sandbox-name", "dev").json(body)).await
}

async fn get(rig: &Rig, path: &str) -> Value {
    let request = rig.signed(Method::GET, &format!("/foundation{path}"));
    let request = request.header(ACCEPT, "application/vnd.adobe.xed+json; version=1");
    let reply = send(request.header("x-sandbox-name", "dev")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Creates something that the caller is not told of, since the gateway runs out of time.
async fn create_unheard(rig: &Rig, path: &str, body: &Value) {
    let timeout = Fault::new(Effect::AnswerAfter(Given::empty(504)));
    rig.simulator.inject(timeout.method("POST"));
    assert_eq!(post(rig, path, body).await.status, 504);
}

#[tokio::test]
async fn a_schema_is_named_by_the_refusal_of_its_title() {
    let rig = Rig::lenient().await;
    let path = "/schemaregistry/tenant/schemas";
    let body = json!({ "title": "Payments", "allOf": [{ "$ref": PROFILE_CLASS }] });
    create_unheard(&rig, path, &body).await;
    let again = post(&rig, path, &body).await;
    assert_eq!(again.code(), (400, "XDM-1521-400"));
    let mut words = again.body["detail"].as_str().unwrap().split_whitespace();
    let id = words.find(|word| word.starts_with("https://")).unwrap();
    let found = get(&rig, &format!("{path}/{}", id.replace('/', "%2F"))).await;
    assert_eq!(found["title"], "Payments");
    assert_eq!(rig.simulator.objects("dev", "schemas").len(), 1);
}

#[tokio::test]
async fn a_data_set_is_found_by_its_tag_as_soon_as_listings_show_it() {
    let rig = Rig::lenient().await;
    let schema = json!({ "title": "Payments", "allOf": [{ "$ref": PROFILE_CLASS }] });
    let schema = post(&rig, "/schemaregistry/tenant/schemas", &schema).await;
    rig.simulator.set_list_lag(Duration::from_secs(60));
    let body = json!({
        "name": "new", "tags": { "k8s_owner": ["uid-1"] },
        "schemaRef": { "id": schema.body["$id"], "contentType": "application/vnd.adobe.xed+json;version=1" },
    });
    create_unheard(&rig, "/catalog/dataSets", &body).await;
    let look_up = "/catalog/dataSets?tags=k8s_owner:uid-1&properties=name";
    assert_eq!(get(&rig, look_up).await, json!({}), "the listing lags");
    rig.simulator.advance(Duration::from_secs(60));
    let found = get(&rig, look_up).await;
    let found: Vec<_> = found.as_object().unwrap().values().collect();
    assert_eq!(found, [&json!({ "name": "new" })]);
}

#[tokio::test]
async fn a_mapping_set_is_found_by_its_name() {
    let rig = Rig::lenient().await;
    let rows = json!([{ "sourceType": "ATTRIBUTE", "source": "id", "destination": "_id" }]);
    let body = json!({
        "name": "payments--uid-1", "outputSchema": { "schemaRef": { "id": SCHEMA } }, "mappings": rows,
    });
    create_unheard(&rig, "/conversion/mappingSets", &body).await;
    let look_up = "/conversion/mappingSets?name=payments--uid-1&limit=100&start=0";
    let found = get(&rig, look_up).await;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"][0]["version"], 0);
}
