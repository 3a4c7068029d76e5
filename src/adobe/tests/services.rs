use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Reply, Server};
use crate::adobe::{
    Action, Class, Connection, Flow, MappingSet, NewDataSet, NewFlow, PatchOp, RegistryType,
    SchemaRef, SourceKind, SpecRef, Transformation, alt_id,
};

fn ok(body: Value) -> Reply {
    Reply::Json(200, body)
}

fn query(server: &Server, index: usize) -> String {
    server.seen()[index]
        .uri
        .query()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn three_pages_of_flows_are_followed_by_their_link() {
    let page = |ids: [&str; 2], next: &str| {
        let items: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let href = format!("/flows?continuationToken={next}");
        ok(json!({"items": items, "_links": {"next": {"href": href}}}))
    };
    let last = ok(json!({"items": [{"id": "e"}], "_links": {}}));
    let server = Server::start([page(["a", "b"], "x%2By%3D"), page(["b", "c"], "z"), last]).await;
    let filters = ["name==A \"b\"&c".to_owned()];
    let flows = server
        .adobe()
        .flow_service()
        .list::<Flow>(&filters)
        .await
        .expect("listed");
    let ids: Vec<_> = flows.items.iter().map(|flow| flow.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "e"]);
    let first = "property=name%3D%3DA%20%22b%22%26c&limit=100";
    assert_eq!(query(&server, 0), first);
    assert_eq!(
        query(&server, 1),
        format!("{first}&continuationToken=x%2By%3D")
    );
    assert_eq!(query(&server, 2), format!("{first}&continuationToken=z"));
}

#[tokio::test]
async fn an_object_that_cannot_be_read_hides_no_other_and_is_named() {
    let odd = json!({ "id": "b", "description": { "text": "[aep-operator:o/Dataset/n/x]" } });
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let items =
        json!([{ "id": "a" }, odd, { "id": "c", "description": "DEEP" }, "none", { "id": "d" }]);
    let page = json!({ "items": items }).to_string();
    let page = page.replace("\"DEEP\"", &deep);
    let server = Server::start([Reply::Text(200, page.leak())]).await;
    let found = server.adobe().flow_service().list::<Connection>(&[]).await;
    let found = found.expect("listed");
    let ids: Vec<_> = found.items.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["a", "d"]);
    let unreadable = found.unreadable.iter();
    let unreadable: Vec<_> = unreadable.map(|it| it.id.as_deref()).collect();
    assert_eq!(unreadable, [Some("b"), Some("c"), None]);
    let odd = &found.unreadable[0];
    assert!(odd.mentions("[aep-operator:o/Dataset/n/x]"));
    let text = odd.error.to_string();
    assert!(
        text.contains("the object b is there") && text.contains("`description`"),
        "{text}"
    );
}

#[tokio::test]
async fn a_cursor_that_repeats_ends_the_list() {
    let page = |id: &str| {
        ok(json!({"results": [{"$id": id, "meta:altId": "_x"}], "_page": {"next": "again"}}))
    };
    let server = Server::start([page("1"), page("2"), page("3")]).await;
    let found = server
        .adobe()
        .schema_registry()
        .list(RegistryType::Schema, &[])
        .await
        .expect("listed");
    assert_eq!(found.items.len(), 2);
    assert_eq!(query(&server, 0), "orderby=title&limit=300");
    assert_eq!(query(&server, 1), "orderby=title&limit=300&start=again");
    assert_eq!(
        server.seen()[0].header("accept"),
        "application/vnd.adobe.xed+json"
    );
}

#[tokio::test]
async fn an_object_is_unwrapped_and_its_absence_is_not_an_error() {
    let missing = json!({"type": "https://ns.adobe.com/aep/errors/FLOW-1439-404", "status": 404});
    let flow = json!({"items": [{"id": "f", "flowSpec": "spec", "etag": "\"1\"", "version": "\"1\"",
        "createdAt": "1700000000000", "transformations": null, "description": null}]});
    let server = Server::start([
        ok(flow),
        ok(json!({"id": "bare"})),
        ok(json!({"items": []})),
        Reply::Json(404, missing),
        Reply::Text(404, "<html>no such route</html>"),
    ])
    .await;
    let adobe = server.adobe();
    let get = || async { adobe.flow_service().get::<Flow>("f").await };
    let flow = get().await.expect("read").expect("there");
    assert_eq!(
        flow.flow_spec,
        Some(SpecRef {
            id: "spec".into(),
            version: None
        })
    );
    assert_eq!(
        (flow.created_at, flow.etag.as_deref()),
        (Some(1_700_000_000_000), Some("\"1\""))
    );
    assert_eq!(get().await.expect("read").expect("there").id, "bare");
    assert_eq!(get().await.expect("read"), None);
    assert_eq!(get().await.expect("read"), None);
    assert_eq!(
        *get().await.expect_err("a page is no answer").class(),
        Class::Unreadable
    );
}

#[tokio::test]
async fn what_is_gone_is_deleted() {
    let gone = Reply::Json(404, json!({"errorMessage": "flows not found"}));
    let server = Server::start([
        Reply::Text(204, ""),
        Reply::Text(202, ""),
        gone,
        ok(json!([])),
        Reply::Text(405, ""),
        Reply::Text(404, "<html>"),
        Reply::Text(404, "<html>"),
    ])
    .await;
    let adobe = server.adobe();
    for _ in 0..3 {
        adobe
            .flow_service()
            .delete::<Flow>("f")
            .await
            .expect("gone");
    }
    adobe.catalog().delete("d").await.expect("gone");
    adobe
        .data_prep()
        .delete("m")
        .await
        .expect("as good as gone");
    adobe
        .data_prep()
        .delete("m")
        .await
        .expect("as good as gone");
    adobe
        .catalog()
        .delete("d")
        .await
        .expect_err("a page is no answer");
}

#[tokio::test]
async fn a_flow_is_written_as_the_service_wants_it() {
    let server = Server::start([Reply::Json(201, json!({"id": "f"})), ok(json!({}))]).await;
    let spec = SpecRef {
        id: "s".into(),
        version: Some("1.0".into()),
    };
    let body = NewFlow {
        name: "n".into(),
        description: None,
        flow_spec: spec,
        source_connection_ids: vec!["a".into()],
        target_connection_ids: vec!["b".into()],
        transformations: vec![Transformation {
            name: "Copy".into(),
            params: None,
        }],
        schedule_params: Some(json!({"startTime": 1})),
    };
    let adobe = server.adobe();
    adobe
        .flow_service()
        .create::<Flow>(&body)
        .await
        .expect("created");
    adobe
        .flow_service()
        .act::<Flow>("f", Action::Disable)
        .await
        .expect("done");
    let sent: Value = serde_json::from_str(&server.seen()[0].body).expect("json");
    let expected = json!({"name": "n", "flowSpec": {"id": "s", "version": "1.0"},
        "sourceConnectionIds": ["a"], "targetConnectionIds": ["b"],
        "transformations": [{"name": "Copy"}], "scheduleParams": {"startTime": 1}});
    assert_eq!(sent, expected);
    let target = server.seen()[1].target();
    assert_eq!(
        target,
        "POST /data/foundation/flowservice/flows/f/action?op=disable"
    );
    assert_eq!(server.seen()[1].body, "");
}

#[tokio::test]
async fn a_spec_is_found_by_its_exact_name() {
    let items = json!([{"id": "1", "name": "CRMToAEP2"}, {"id": "2", "name": "CRMToAEP", "attributes": {}}]);
    let server = Server::start([ok(json!({"items": items}))]).await;
    let adobe = server.adobe();
    let spec = adobe
        .flow_service()
        .flow_spec_by_name("CRMToAEP")
        .await
        .expect("asked");
    assert_eq!(spec.expect("found").id, "2");
    assert_eq!(query(&server, 0), "property=name%3D%3D%22CRMToAEP%22");
    assert_eq!(
        adobe
            .flow_service()
            .connection_spec_by_name("x")
            .await
            .expect("asked"),
        None
    );
}

#[tokio::test]
async fn a_resource_keeps_what_is_not_known_here() {
    let body = json!({"$id": "https://ns.adobe.com/acme/schemas/ab", "title": "T",
        "allOf": [{"$ref": "r"}], "meta:class": "c", "meta:immutableTags": ["union"],
        "meta:registryMetadata": {"repo:createdDate": 5}, "meta:new": 1});
    let server = Server::start([ok(body)]).await;
    let adobe = server.adobe();
    let found = adobe
        .schema_registry()
        .get(RegistryType::Schema, "_acme.schemas.ab")
        .await;
    let found = found.expect("read").expect("there");
    assert_eq!(found.alt_id, "_acme.schemas.ab");
    assert_eq!(
        (found.created, found.rest.get("meta:new")),
        (Some(5), Some(&json!(1)))
    );
    let global = adobe
        .schema_registry()
        .get(RegistryType::Class, "_xdm.context.profile")
        .await;
    global.expect("read");
    let seen = server.seen();
    assert_eq!(
        seen[0].header("accept"),
        "application/vnd.adobe.xed+json; version=1"
    );
    assert_eq!(
        seen[0].uri.path(),
        "/data/foundation/schemaregistry/tenant/schemas/_acme.schemas.ab"
    );
    assert_eq!(
        seen[1].uri.path(),
        "/data/foundation/schemaregistry/global/classes/_xdm.context.profile"
    );
}

#[test]
fn both_ids_of_a_resource_say_the_same() {
    let cases = [
        (
            "https://ns.adobe.com/acme/schemas/ab",
            Some("_acme.schemas.ab"),
        ),
        (
            "https://ns.adobe.com/xdm/context/profile",
            Some("_xdm.context.profile"),
        ),
        ("https://ns.adobe.com/acme", None),
        ("https://ns.adobe.com/acme//ab", None),
        ("http://elsewhere/acme/schemas/ab", None),
    ];
    for (id, expected) in cases {
        assert_eq!(alt_id(id).as_deref(), expected, "{id}");
    }
}

#[tokio::test]
async fn data_sets_are_listed_by_offset_with_few_fields() {
    let page = |from: usize, to: usize| {
        let sets = (from..to).map(|n| (format!("{n:024x}"), json!({"name": "d"})));
        ok(Value::Object(sets.collect()))
    };
    let server = Server::start([page(0, 100), page(100, 200), page(200, 203)]).await;
    let found = server
        .adobe()
        .catalog()
        .list(Some(("owner", "me")), None)
        .await
        .expect("listed");
    assert_eq!(found.items.len(), 203);
    assert_eq!(found.items[0].id, "0".repeat(24));
    assert!(query(&server, 0).starts_with("properties=name%2Cdescription%2CschemaRef"));
    assert!(query(&server, 0).ends_with("limit=100&tags=owner%3Ame"));
    assert!(query(&server, 1).ends_with("&start=100"));
    assert!(query(&server, 2).ends_with("&start=200"));
}

#[tokio::test]
async fn a_name_that_catalog_would_misread_is_compared_here() {
    let sets = json!({"1": {"name": "a,b"}, "2": {"name": "a"}, "3": {}});
    let server = Server::start([ok(sets)]).await;
    let found = server
        .adobe()
        .catalog()
        .list(None, Some("a,b"))
        .await
        .expect("listed");
    assert_eq!(
        found
            .items
            .iter()
            .map(|set| set.id.as_str())
            .collect::<Vec<_>>(),
        ["1"]
    );
    assert!(!query(&server, 0).contains("&name="));
}

#[tokio::test]
async fn a_data_set_is_created_and_patched() {
    let id = "5e8917ea8000c84300000200";
    let references = json!([format!("@/dataSets/{id}")]);
    let server = Server::start([
        Reply::Json(201, references.clone()),
        ok(references),
        Reply::Json(201, json!([])),
    ])
    .await;
    let adobe = server.adobe();
    let body = NewDataSet {
        name: "d".into(),
        description: None,
        schema_ref: SchemaRef {
            id: "s".into(),
            content_type: "c".into(),
        },
        tags: BTreeMap::from([("owner".into(), vec!["me".into()])]),
        enable_error_diagnostics: Some(true),
    };
    assert_eq!(adobe.catalog().create(&body).await.expect("created"), id);
    adobe
        .catalog()
        .patch(id, &[PatchOp::add("/tags/owner", json!(["me"]))])
        .await
        .expect("done");
    let seen = server.seen();
    assert_eq!(
        seen[0].target(),
        "POST /data/foundation/catalog/dataSets?requestDataSource=true"
    );
    let sent: Value = serde_json::from_str(&seen[0].body).expect("json");
    assert_eq!(
        sent,
        json!({"name": "d", "schemaRef": {"id": "s", "contentType": "c"},
            "tags": {"owner": ["me"]}, "enableErrorDiagnostics": true})
    );
    assert_eq!(
        seen[1].header("content-type"),
        "application/json-patch+json"
    );
    let error = adobe.catalog().create(&body).await.expect_err("no id");
    assert!(error.is_ambiguous());
}

#[tokio::test]
async fn both_vocabularies_of_mapping_sets_are_read() {
    let today = json!({"id": "m", "version": 3, "name": "n", "createdDate": 1_586_043_319_604_i64,
        "outputSchema": {"schemaRef": {"id": "$s"}},
        "mappings": [{"source": "a", "destination": "b", "sourceAttribute": "a",
            "destinationXdmPath": "b", "sourceType": "text/x.aep-xl"}]});
    let older = json!({"id": "m", "version": "3", "name": "n", "xdmSchema": "$s",
        "createdDate": "2020-04-04T23:35:19.604Z",
        "mappings": [{"sourceAttribute": "a", "destinationXdmPath": "b", "sourceType": "EXPRESSION"}]});
    let server = Server::start([ok(today), ok(older)]).await;
    let adobe = server.adobe();
    let first: MappingSet = adobe
        .data_prep()
        .get("m")
        .await
        .expect("read")
        .expect("there");
    let second = adobe
        .data_prep()
        .get("m")
        .await
        .expect("read")
        .expect("there");
    assert_eq!(first, second);
    assert_eq!(first.created, Some(1_586_043_319_604));
    assert_eq!(first.schema_id.as_deref(), Some("$s"));
    assert_eq!(first.mappings[0].source_type, SourceKind::Expression);
    for (spelling, kind) in [
        ("STATIC", SourceKind::Static),
        ("text/plain", SourceKind::Static),
    ] {
        assert_eq!(SourceKind::from(Some(spelling.to_owned())), kind);
    }
    assert_eq!(SourceKind::from(None), SourceKind::Attribute);
}

#[tokio::test]
async fn the_deletion_of_a_mapping_set_outlasts_a_page_instead_of_an_answer() {
    let page = || Reply::Text(404, "<html>");
    let cases = [
        vec![page(), page(), Reply::Json(200, json!({}))],
        vec![page(), page(), page()],
        vec![page(), Reply::Json(404, json!({"status": 404}))],
        vec![Reply::Json(405, json!({"status": 405}))],
    ];
    for replies in cases {
        let calls = replies.len();
        let server = Server::start(replies).await;
        let adobe = server.adobe();
        adobe.data_prep().delete("m").await.expect("done");
        assert_eq!(server.seen().len(), calls);
    }
    let server = Server::start([page(), Reply::Json(403, json!({"status": 403}))]).await;
    let refused = server.adobe().data_prep().delete("m").await;
    refused.expect_err("refused");
}

#[tokio::test]
async fn an_unknown_mapping_set_is_absent_however_that_is_said() {
    let server = Server::start([
        Reply::Json(404, json!({"status": 404})),
        Reply::Json(400, json!({"message": "Mapping set Not Found"})),
        Reply::Json(400, json!({"message": "bad"})),
    ])
    .await;
    let adobe = server.adobe();
    assert_eq!(adobe.data_prep().get("m").await.expect("asked"), None);
    assert_eq!(adobe.data_prep().get("m").await.expect("asked"), None);
    adobe
        .data_prep()
        .get("m")
        .await
        .expect_err("something else");
}

#[tokio::test]
async fn faults_of_mappings_name_their_rows() {
    let verdict = json!({"validationResponse": [
        {"status": "SUCCESS", "errors": null},
        {"status": "FAILED", "errors": [{"exception": "no such path", "destination": "x.y"}]},
        {"status": "FAILED", "errors": null}]});
    let server = Server::start([Reply::Text(503, ""), ok(verdict)]).await;
    let body = json!({"mappings": [{}, {"source": "s1", "destination": "d1"},
        {"sourceAttribute": "s2", "destinationXdmPath": "d2"}]});
    let faults = server
        .adobe()
        .data_prep()
        .validate(&body)
        .await
        .expect("asked");
    let shown: Vec<_> = faults
        .iter()
        .map(|fault| {
            (
                fault.destination.as_str(),
                fault.source.as_str(),
                fault.message.as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("x.y", "s1", "no such path"),
            ("d2", "s2", "refused without a reason")
        ]
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn sandboxes_are_listed_whatever_sandbox_is_ours() {
    let body = json!({"sandboxes": [{"name": "prod", "state": "active", "type": "production",
        "region": "VA7", "isDefault": true}], "_page": {"limit": 50, "count": 1}});
    let server = Server::start([ok(body)]).await;
    let found = server.adobe().sandboxes().list().await.expect("listed");
    assert_eq!(found.items[0].type_.as_deref(), Some("production"));
    let seen = server.seen();
    assert_eq!(
        seen[0].target(),
        "GET /data/foundation/sandbox-management/?limit=50&offset=0"
    );
    assert!(seen[0].headers.get("x-sandbox-name").is_none());
}
