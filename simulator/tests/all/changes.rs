//! Connections: creation, versions, patches, secrets, deletion.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::client::{Rig, connection, send, source};

#[tokio::test]
async fn a_connection_needs_a_spec_that_exists() {
    let rig = Rig::lenient().await;
    let mut body = connection();
    body["connectionSpec"]["id"] = json!("00000000-0000-0000-0000-000000000000");
    assert_eq!(
        rig.post("/connections", &body).await.code(),
        (400, "FLOW-1413-400")
    );
    let mut body = connection();
    body["auth"]["specName"] = json!("Basic Authentication");
    assert_eq!(
        rig.post("/connections", &body).await.code(),
        (400, "FLOW-1415-400")
    );
    assert_eq!(
        rig.post("/connections", &json!({})).await.code(),
        (400, "FLOW-1405-400")
    );
    let mut body = connection();
    body["auth"]["params"]["clientSecret"] = json!(null);
    assert_eq!(rig.post("/connections", &body).await.provider(), "1304");
}

#[tokio::test]
async fn a_spec_without_version_is_refused_by_the_letter_only() {
    let mut body = connection();
    body["connectionSpec"]
        .as_object_mut()
        .unwrap()
        .remove("version");
    assert_eq!(
        Rig::lenient()
            .await
            .post("/connections", &body)
            .await
            .status,
        201
    );
    assert_eq!(
        Rig::strict().await.post("/connections", &body).await.status,
        422
    );
}

#[tokio::test]
async fn names_are_not_unique() {
    let rig = Rig::lenient().await;
    assert_ne!(rig.connection().await, rig.connection().await);
    let reply = rig.post("/connections", &connection()).await;
    let location = reply.headers["location"].to_str().unwrap();
    assert!(location.ends_with(&reply.id()));
    let etag = reply.body["etag"].as_str().unwrap();
    assert!(
        etag.starts_with('"') && etag.ends_with("0000\"") && etag.contains("-0000-0200-0000-"),
        "{etag}"
    );
}

#[tokio::test]
async fn a_patch_needs_the_current_version() {
    let (lenient, strict) = (Rig::lenient().await, Rig::strict().await);
    let change = json!([{ "op": "replace", "path": "/name", "value": "new" }]);
    for (rig, unquoted) in [(&lenient, 200), (&strict, 412)] {
        let path = format!("/connections/{}", rig.connection().await);
        let none = send(rig.request(Method::PATCH, &path).json(&change)).await;
        assert_eq!(none.code(), (400, "FLOW-1403-400"));
        let stale = rig.patch_as(&path, "\"stale\"", &change).await;
        assert_eq!(stale.code(), (412, "FLOW-1404-412"));
        assert!(
            stale.body["errorMessage"]
                .as_str()
                .unwrap()
                .starts_with("Supplied version=[\"stale\"]")
        );
        let etag = rig.get(&path).await.item()["etag"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            rig.patch_as(&path, etag.trim_matches('"'), &change)
                .await
                .status,
            unquoted
        );
        assert_eq!(rig.patch(&path, &change).await.status, 200);
        assert_eq!(rig.get(&path).await.item()["name"], "new");
    }
}

#[tokio::test]
async fn a_version_goes_stale_by_itself_when_the_operation_finishes() {
    let rig = Rig::slow().await;
    let created = rig.post("/connections", &connection()).await;
    let (path, etag) = (
        format!("/connections/{}", created.id()),
        created.body["etag"].as_str().unwrap(),
    );
    rig.simulator.advance(Duration::from_secs(3600));
    let change = json!([{ "op": "Replace", "path": "/name", "value": "new" }]);
    assert_eq!(
        rig.patch_as(&path, etag, &change).await.code(),
        (412, "FLOW-1404-412")
    );
    let read = rig.get(&path).await;
    assert_eq!(
        read.item()["updatedBy"],
        "acp_foundation_connectors@AdobeID"
    );
    assert_eq!(rig.patch(&path, &change).await.status, 200);
}

#[tokio::test]
async fn patching_the_parameters_replaces_them_all() {
    let rig = Rig::lenient().await;
    let id = rig.connection().await;
    let path = format!("/connections/{id}");
    let change =
        json!([{ "op": "replace", "path": "/auth/params", "value": { "clientSecret": "new" } }]);
    assert_eq!(rig.patch(&path, &change).await.status, 200);
    let stored = rig.simulator.object("dev", "connections", &id).unwrap();
    assert_eq!(stored["auth"]["params"], json!({ "clientSecret": "new" }));
}

#[tokio::test]
async fn patches_that_cannot_be_are_refused() {
    let rig = Rig::lenient().await;
    let path = format!("/connections/{}", rig.connection().await);
    let cases = [
        (
            json!([{ "op": "replace", "path": "/connectionSpec/id", "value": "x" }]),
            "FLOW-1414-400",
        ),
        (
            json!([{ "op": "move", "from": "/name", "path": "/description" }]),
            "FLOW-1434-400",
        ),
        (json!([{ "op": "replace", "value": "x" }]), "FLOW-1455-400"),
        (
            json!([{ "op": "replace", "path": "/name" }]),
            "FLOW-1455-400",
        ),
        (
            json!([{ "op": "replace", "path": "/description", "value": "was never there" }]),
            "FLOW-1455-400",
        ),
    ];
    for (change, code) in cases {
        assert_eq!(
            rig.patch(&path, &change).await.code(),
            (400, code),
            "{change}"
        );
    }
}

#[tokio::test]
async fn secrets_are_never_shown_again() {
    for (rig, shown) in [
        (Rig::lenient().await, json!("********")),
        (Rig::strict().await, json!(null)),
    ] {
        let id = rig.connection().await;
        let read = rig.get(&format!("/connections/{id}")).await;
        let params = &read.item()["auth"]["params"];
        assert_eq!(
            (&params["clientSecret"], &params["clientId"]),
            (&shown, &json!("me"))
        );
        assert!(
            !rig.get("/connections")
                .await
                .body
                .to_string()
                .contains("hush")
        );
    }
}

#[tokio::test]
async fn the_streaming_inlet_adds_what_it_made() {
    let rig = Rig::lenient().await;
    let body = json!({
        "name": "events", "connectionSpec": { "id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0" },
        "auth": { "specName": "Streaming Connection", "params": { "dataType": "raw" } } });
    let id = rig.create("/connections", &body).await;
    let read = rig.get(&format!("/connections/{id}")).await;
    assert!(
        read.item()["auth"]["params"]["inletUrl"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let rig = Rig::lenient().await;
    let (ends, flow) = rig.flow().await;
    let (base, source) = (
        format!("/connections/{}", ends.base),
        format!("/sourceConnections/{}", ends.source),
    );
    assert_eq!(rig.delete(&base).await.code(), (400, "FLOW-1418-400"));
    assert_eq!(rig.delete(&source).await.code(), (400, "FLOW-1447-400"));
    for path in [
        format!("/flows/{flow}"),
        source,
        format!("/targetConnections/{}", ends.target),
        base,
    ] {
        assert_eq!(rig.delete(&path).await.status, 204, "{path}");
        assert_eq!(rig.get(&path).await.code(), (404, "FLOW-1439-404"));
        assert_eq!(rig.delete(&path).await.code(), (404, "FLOW-1439-404"));
    }
}

#[tokio::test]
async fn a_source_connection_fits_its_base_connection() {
    let rig = Rig::lenient().await;
    let unknown = rig.post("/sourceConnections", &source("none")).await;
    assert_eq!(
        (unknown.code(), &unknown.body["report"]["type"]),
        ((404, "FLOW-1439-404"), &json!("connections"))
    );
    let base = rig.connection().await;
    let mut format = source(&base);
    format["data"]["format"] = json!("papyrus");
    assert_eq!(
        rig.post("/sourceConnections", &format).await.provider(),
        "1327"
    );
    let mut delimiter = source(&base);
    delimiter["data"]["properties"] = json!({ "columnDelimiter": "::" });
    assert_eq!(
        rig.post("/sourceConnections", &delimiter).await.provider(),
        "1331"
    );
    let mut landing_zone = source(&base);
    landing_zone["connectionSpec"]["id"] = json!("26f526f2-58f4-4712-961d-e41bf1ccc0e8");
    assert_eq!(
        rig.post("/sourceConnections", &landing_zone)
            .await
            .provider(),
        "1332"
    );
    let id = rig.create("/sourceConnections", &source(&base)).await;
    let read = rig.get(&format!("/sourceConnections/{id}")).await;
    assert_eq!(
        read.item()["inheritedAttributes"]["baseConnection"]["id"],
        base
    );
}

#[tokio::test]
async fn a_draft_is_published_from_the_base_up() {
    let rig = Rig::lenient().await;
    let base = rig.create("/connections?mode=draft", &connection()).await;
    let end = rig
        .create("/sourceConnections?mode=draft", &source(&base))
        .await;
    let publish = async |path: String| rig.act(&format!("{path}/action?op=publish")).await.status;
    assert_eq!(publish(format!("/sourceConnections/{end}")).await, 400);
    assert_eq!(publish(format!("/connections/{base}")).await, 200);
    assert_eq!(publish(format!("/sourceConnections/{end}")).await, 200);
    assert_eq!(
        rig.get(&format!("/sourceConnections/{end}")).await.item()["state"],
        "enabled"
    );
}

#[tokio::test]
async fn credentials_can_be_tested_and_tables_explored() {
    let rig = Rig::lenient().await;
    let path = format!("/connections/{}", rig.connection().await);
    assert_eq!(
        rig.get(&format!("{path}/test")).await.body,
        json!({ "result": true })
    );
    let change = json!([{ "op": "add", "path": "/auth/params/clientSecret", "value": "invalid" }]);
    rig.patch(&path, &change).await;
    assert_eq!(
        rig.get(&format!("{path}/test")).await.body,
        json!({ "result": false })
    );
    let tables = rig.get(&format!("{path}/explore?objectType=root")).await;
    let table = tables.body[0]["path"].as_str().unwrap();
    let columns = rig
        .get(&format!("{path}/explore?objectType=table&object={table}"))
        .await;
    assert!(
        !columns.body["schema"]["columns"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}
