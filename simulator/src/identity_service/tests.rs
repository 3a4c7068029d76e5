use serde_json::{Value, json};

use crate::http::Answer;
use crate::profile::Profile;
use crate::registry::testing::{Bench, json};

const IDENTITIES: &str = "/identities";

fn loyalty() -> Value {
    json!({ "name": "Loyalty", "code": "loyalty", "idType": "Cross_device", "description": "Cards" })
}

fn create(bench: &mut Bench, body: Value) -> Answer {
    bench.identities(&format!("POST {IDENTITIES}"), body)
}

fn error(answer: &Answer) -> (u16, String) {
    let body = json(answer);
    assert_eq!(body["status"], answer.status, "{answer:?}");
    let title = body["title"].as_str().unwrap().to_owned();
    (answer.status, title)
}

#[test]
fn a_code_is_given_once_whatever_its_case() {
    let mut bench = Bench::new();
    assert_eq!(create(&mut bench, loyalty()).status, 200);
    for code in ["loyalty", "LOYALTY", "email", "ECID"] {
        let mut body = loyalty();
        body["code"] = json!(code);
        let again = create(&mut bench, body);
        let conflict = (409, "NAMESPACE_CODE_CONFLICT".to_owned());
        assert_eq!(error(&again), conflict, "{code}");
        assert_eq!(json(&again)["report"]["code"], "INTEGRATION_CODE_EXISTS");
    }
    assert_eq!(bench.sandbox.namespaces.len(), 1);
}

#[test]
fn a_new_namespace_is_found_among_adobes_own() {
    let mut bench = Bench::new();
    let created = json(&create(&mut bench, loyalty()));
    assert_eq!(
        (&created["idType"], &created["custom"], &created["status"]),
        (&json!("CROSS_DEVICE"), &json!(true), &json!("ACTIVE"))
    );
    let all = json(&bench.identities(&format!("GET {IDENTITIES}"), json!(null)));
    let all = all.as_array().unwrap();
    assert!(all.contains(&created));
    let email = all.iter().find(|one| one["code"] == "Email").unwrap();
    assert_eq!(email["custom"], false);
    let one = format!("GET {IDENTITIES}/{}", created["id"]);
    assert_eq!(json(&bench.identities(&one, json!(null))), created);
}

#[test]
fn a_namespace_needs_name_code_and_a_known_type() {
    let mut bench = Bench::new();
    for (member, value) in [("name", ""), ("code", ""), ("idType", "Shoe_size")] {
        let mut body = loyalty();
        body[member] = json!(value);
        assert_eq!(create(&mut bench, body).status, 400, "{member}");
    }
    assert!(bench.sandbox.namespaces.is_empty());
}

#[test]
fn a_namespace_changes_its_name_and_keeps_its_code() {
    let mut bench = Bench::new();
    let created = json(&create(&mut bench, loyalty()));
    let call = format!("PUT {IDENTITIES}/{}", created["id"]);
    let mut body = loyalty();
    body["name"] = json!("Bonus");
    let renamed = json(&bench.identities(&call, body.clone()));
    assert_eq!(
        (&renamed["name"], &renamed["code"]),
        (&json!("Bonus"), &json!("loyalty"))
    );
    assert!(renamed["updateTime"].as_i64() > created["updateTime"].as_i64());
    body["code"] = json!("bonus");
    let refused = bench.identities(&call, body.clone());
    assert_eq!(
        (refused.status, &json(&refused)["description"]),
        (400, &json!("code and idType are non editable fields"))
    );
    let unknown = bench.identities(&format!("PUT {IDENTITIES}/1"), body);
    assert_eq!(error(&unknown), (404, "NAMESPACE_NOT_FOUND".to_owned()));
}

#[test]
fn an_identity_may_belong_to_a_namespace_of_the_sandbox() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let descriptor = json!({
        "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": schema, "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/personalEmail/address", "xdm:namespace": "LOYALTY",
    });
    let describe = "POST /tenant/descriptors";
    assert_eq!(bench.registry(describe, descriptor.clone()).status, 400);
    create(&mut bench, loyalty());
    let described = bench.registry(describe, descriptor);
    assert_eq!(
        (described.status, &json(&described)["xdm:namespace"]),
        (201, &json!("loyalty"))
    );
}

#[test]
fn to_the_letter_only_documented_namespaces_exist_everywhere() {
    let codes = |bench: &mut Bench| {
        let all = json(&bench.identities(&format!("GET {IDENTITIES}"), json!(null)));
        all.as_array().unwrap().clone()
    };
    let mut bench = Bench::new();
    let has = |all: &[Value], code: &str| all.iter().any(|one| one["code"] == code);
    assert!(has(&codes(&mut bench), "CRMID"));
    bench.profile = Profile::Strict;
    let all = codes(&mut bench);
    assert!(has(&all, "Email") && !has(&all, "CRMID"), "{all:?}");
    // Who needs it makes it.
    let own = json!({ "name": "CRM", "code": "CRMID", "idType": "CROSS_DEVICE" });
    assert_eq!(create(&mut bench, own).status, 200);
    assert!(has(&codes(&mut bench), "CRMID"));
}
