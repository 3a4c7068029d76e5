//! All services together: what one of them makes, the next one knows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Ends, PROFILE_CLASS, Reply, Rig, connection, send, source, target};

async fn post(rig: &Rig, path: &str, body: &Value) -> Reply {
    let request = rig.signed(Method::POST, &format!("/foundation{path}"));
    let reply = send(request.header("x-sandbox-name", "stage").json(body)).await;
    assert!((200..300).contains(&reply.status), "{path}: {reply:?}");
    reply
}

/// A reference to a new schema.
async fn schema(rig: &Rig) -> Value {
    let class = json!({ "$ref": PROFILE_CLASS });
    let body = json!({ "title": "Payments", "type": "object", "allOf": [class] });
    let schema = post(rig, "/schemaregistry/tenant/schemas", &body).await;
    json!({
        "id": schema.body["$id"],
        "contentType": "application/vnd.adobe.xed-full+json;version=1",
    })
}

async fn data_set(rig: &Rig, schema: &Value) -> Value {
    let body = json!({ "name": "Payments", "schemaRef": schema });
    let reply = post(rig, "/catalog/dataSets", &body).await;
    let reference = reply.body[0].as_str().unwrap();
    json!(reference.strip_prefix("@/dataSets/").unwrap())
}

async fn mapping_set(rig: &Rig, schema: &Value) -> Value {
    let rows = json!([{ "sourceType": "ATTRIBUTE", "source": "id", "destination": "_id" }]);
    let body =
        json!({ "name": "payments", "outputSchema": { "schemaRef": schema }, "mappings": rows });
    post(rig, "/conversion/mappingSets", &body).await.body["id"].clone()
}

async fn ends(rig: &Rig, schema: &Value, data_set: Value) -> Ends {
    let base = post(rig, "/flowservice/connections", &connection()).await;
    let source = source(&base.id());
    let source = post(rig, "/flowservice/sourceConnections", &source).await;
    let mut target = target();
    target["params"]["dataSetId"] = data_set;
    target["data"]["schema"]["id"] = schema["id"].clone();
    let target = post(rig, "/flowservice/targetConnections", &target).await;
    Ends {
        base: base.id(),
        source: source.id(),
        target: target.id(),
    }
}

#[tokio::test]
async fn a_whole_pipeline_is_built_through_every_service() {
    let rig = Rig::lenient().await;
    let schema = schema(&rig).await;
    let data_set = data_set(&rig, &schema).await;
    let mapping = mapping_set(&rig, &schema).await;
    let ends = ends(&rig, &schema, data_set).await;
    let mut flow = ends.flow();
    flow["transformations"][1]["params"]["mappingId"] = mapping;
    let flow = post(&rig, "/flowservice/flows", &flow).await;
    let stored = rig.simulator.object("stage", "flows", &flow.id()).unwrap();
    let read_from = &stored["inheritedAttributes"]["sourceConnections"][0];
    assert_eq!(stored["state"], "enabled");
    assert_eq!(read_from["baseConnection"]["id"], ends.base);
    assert_eq!(rig.simulator.object_count("stage"), 7);
}
