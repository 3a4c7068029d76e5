//! What holds for every service alike, and the services other than Flow Service as a client reaches them.

use aep_simulator::{Fault, Options, Reply as Given};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};

use crate::client::{DATA_SET, ORGANISATION, PROFILE_CLASS, Reply, Rig, options, send};

const RAW: &str = "application/vnd.adobe.xed+json; version=1";

/// A listing of every service that asks for a sandbox, with the media type that each of them takes.
const LISTINGS: [(&str, &str); 5] = [
    ("/foundation/flowservice/flows", "*/*"),
    (
        "/foundation/schemaregistry/tenant/schemas",
        "application/vnd.adobe.xed-id+json",
    ),
    ("/foundation/catalog/dataSets", "*/*"),
    ("/foundation/conversion/mappingSets?limit=1&start=0", "*/*"),
    ("/core/idnamespace/identities", "*/*"),
];

async fn list(rig: &Rig, (path, accept): (&str, &str), sandbox: Option<&str>) -> Reply {
    let request = rig.signed(Method::GET, path).header(ACCEPT, accept);
    send(match sandbox {
        Some(sandbox) => request.header("x-sandbox-name", sandbox),
        None => request,
    })
    .await
}

async fn schema(rig: &Rig) -> Value {
    let body = json!({ "title": "S", "allOf": [{ "$ref": PROFILE_CLASS }] });
    let request = rig.signed(Method::POST, "/foundation/schemaregistry/tenant/schemas");
    let reply = send(request.header("x-sandbox-name", "dev").json(&body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

async fn look_up(rig: &Rig, id: &str, accept: &str) -> Reply {
    let path = format!("/foundation/schemaregistry/tenant/schemas/{id}");
    list(rig, (&path, accept), Some("dev")).await
}

#[tokio::test]
async fn no_service_answers_without_a_token() {
    let rig = Rig::lenient().await;
    for (path, _) in LISTINGS {
        let url = format!("{}/data{path}", rig.simulator.url());
        let reply = send(rig.http.get(url)).await;
        let code = reply.body["error_code"].as_str();
        assert_eq!((reply.status, code), (403, Some("403010")), "{path}");
    }
}

#[tokio::test]
async fn every_service_falls_back_to_the_default_sandbox_and_to_the_letter_none_does() {
    for (rig, status) in [(Rig::lenient().await, 200), (Rig::strict().await, 400)] {
        for listing in LISTINGS {
            let reply = list(&rig, listing, None).await;
            assert_eq!(reply.status, status, "{listing:?}");
        }
    }
}

#[tokio::test]
async fn without_a_sandbox_a_schema_lands_in_production() {
    let rig = Rig::lenient().await;
    let body = json!({ "title": "S", "allOf": [{ "$ref": PROFILE_CLASS }] });
    let request = rig.signed(Method::POST, "/foundation/schemaregistry/tenant/schemas");
    assert_eq!(send(request.json(&body)).await.status, 201);
    assert_eq!(rig.simulator.objects("prod", "schemas").len(), 1);
    assert!(rig.simulator.objects("dev", "schemas").is_empty());
}

#[tokio::test]
async fn no_service_works_in_a_sandbox_that_is_unknown_or_still_being_created() {
    let rig = Rig::lenient().await;
    for listing in LISTINGS {
        for sandbox in ["nowhere", "creating"] {
            let reply = list(&rig, listing, Some(sandbox)).await;
            assert!(matches!(reply.status, 400 | 404), "{listing:?}: {reply:?}");
            assert!(reply.body["type"].is_string(), "{listing:?}: {reply:?}");
        }
        assert_eq!(list(&rig, listing, Some("dev")).await.status, 200);
    }
}

#[tokio::test]
async fn sandboxes_are_listed_without_naming_one_and_administered_by_others() {
    let rig = Rig::strict().await;
    let path = "/foundation/sandbox-management/";
    let visible = send(rig.signed(Method::GET, path)).await;
    assert_eq!(visible.status, 200);
    let state = |name: &str| {
        let all = visible.body["sandboxes"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!(
        (state("dev"), state("creating")),
        (json!("active"), json!("creating"))
    );
    let one = send(rig.signed(Method::GET, &format!("{path}sandboxes/dev"))).await;
    assert_eq!(one.code(), (403, "SMS-2010-403"));
}

#[tokio::test]
async fn an_id_in_a_path_is_encoded_or_it_is_another_path() {
    let rig = Rig::lenient().await;
    let schema = schema(&rig).await;
    let id = schema["$id"].as_str().unwrap();
    let encoded = utf8_percent_encode(id, NON_ALPHANUMERIC).to_string();
    for known in [encoded.as_str(), schema["meta:altId"].as_str().unwrap()] {
        assert_eq!(look_up(&rig, known, RAW).await.body["$id"], id, "{known}");
    }
    let bare = look_up(&rig, id, RAW).await;
    assert_eq!((bare.status, bare.body.is_string()), (404, true));
    let unknown = look_up(&rig, "_acme.schemas.ab", RAW).await;
    assert_eq!(unknown.code(), (404, "XDM-1012-404"));
}

#[tokio::test]
async fn in_html_a_404_may_be_said_of_an_object_that_exists() {
    let rig = Rig::lenient().await;
    rig.simulator
        .inject(Fault::answer(Given::html(404)).path("/dataSets/{id}"));
    let path = format!("/foundation/catalog/dataSets/{DATA_SET}");
    let first = list(&rig, (&path, "*/*"), Some("dev")).await;
    assert_eq!((first.status, first.body.is_string()), (404, true));
    assert_eq!(first.headers["content-type"], "text/html");
    let second = list(&rig, (&path, "*/*"), Some("dev")).await;
    assert_eq!(second.body[DATA_SET]["name"], "payments");
}

#[tokio::test]
async fn in_2020_an_accept_header_that_is_missing_or_unknown_was_not_acceptable() {
    let rig = Rig::with(Options {
        old_style_errors: true,
        ..options()
    })
    .await;
    let listing = LISTINGS[1].0;
    for (accept, status, title) in [
        ("", 406, "NotAcceptableError"),
        ("application/json", 406, "NotAcceptableError"),
        (RAW, 400, "BadRequestError"),
    ] {
        let reply = list(&rig, (listing, accept), Some("dev")).await;
        assert_eq!(reply.status, status, "{accept}");
        let body = &reply.body;
        assert_eq!(
            (&body["title"], &body["status"]),
            (&json!(title), &json!(status))
        );
        assert_eq!(body["report"], Value::Null);
    }
    let unknown = look_up(&rig, "_acme.schemas.ab", RAW).await;
    assert_eq!(
        (unknown.status, &unknown.body["title"]),
        (404, &json!("NotFoundError"))
    );
    let nobody = send(
        rig.http
            .get(format!("{}/data{listing}", rig.simulator.url())),
    )
    .await;
    assert_eq!(
        nobody.body["error_code"], "403010",
        "the gateway has not changed"
    );
}

#[tokio::test]
async fn a_namespace_of_identities_is_made_once() {
    let rig = Rig::strict().await;
    let body = json!({ "name": "Loyalty", "code": "loyalty", "idType": "Cross_device" });
    let make = async || {
        let request = rig.signed(Method::POST, "/core/idnamespace/identities");
        send(request.header("x-sandbox-name", "dev").json(&body)).await
    };
    assert_eq!(make().await.status, 200);
    let again = make().await;
    assert_eq!(
        (again.status, &again.body["title"]),
        (409, &json!("NAMESPACE_CODE_CONFLICT"))
    );
    assert_eq!(rig.simulator.objects("dev", "namespaces").len(), 1);
}

#[tokio::test]
async fn a_schema_is_deleted_by_either_of_its_ids_through_the_registry_and_by_hand() {
    let rig = Rig::lenient().await;
    let registry = format!(
        "{}/data/foundation/schemaregistry/tenant",
        rig.simulator.url()
    );
    let by_hand = format!("{}/_sim/sandboxes/dev", rig.simulator.url());
    for id in ["$id", "meta:altId"] {
        for base in [&registry, &by_hand] {
            let schema = schema(&rig).await;
            let id =
                utf8_percent_encode(schema[id].as_str().unwrap(), NON_ALPHANUMERIC).to_string();
            let delete = || {
                let request = rig.http.delete(format!("{base}/schemas/{id}"));
                let request = request
                    .bearer_auth(&rig.token)
                    .header("x-api-key", "aep-operator-demo");
                request
                    .header("x-gw-ims-org-id", ORGANISATION)
                    .header("x-sandbox-name", "dev")
            };
            assert_eq!(send(delete()).await.status, 204, "{base} {id}");
            assert_eq!(send(delete()).await.status, 404, "{base} {id}");
        }
    }
}
