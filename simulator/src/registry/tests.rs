use serde_json::{Value, json};

use super::testing::{Bench, FULL, LIST, PROFILE, RAW, code, escaped, group_of, json};
use crate::http::{Answer, Body};
use crate::profile::Profile;

mod changes;
mod descriptors;
mod listings;

fn payments_body() -> Value {
    json!({
        "type": "object",
        "title": "Target schema for payments",
        "description": "Target schema for payments",
        "allOf": [
            { "$ref": "https://ns.adobe.com/xdm/context/profile" },
            { "$ref": "https://ns.adobe.com/xdm/context/profile-person-details" },
            { "$ref": "https://ns.adobe.com/xdm/context/profile-personal-details" },
            { "$ref": "https://ns.adobe.com/xdm/context/profile-personal-details" },
        ],
        "meta:containerId": "tenant",
        "meta:resourceType": "schemas",
        "meta:xdmType": "object",
        "meta:class": "https://ns.adobe.com/xdm/context/profile",
    })
}

fn ad_hoc_class(bench: &mut Bench) -> Value {
    json(&bench.registry(
        "POST /tenant/classes",
        json!({
            "title": "raw class", "type": "object",
            "allOf": [
                { "$ref": "https://ns.adobe.com/xdm/data/adhoc" },
                { "properties": { "_adhoc": { "type": "object", "properties": {
                    "field1": { "type": "string" }, "count": { "type": "integer" },
                }}}},
            ],
        }),
    ))
}

fn alt(id: &str) -> String {
    super::alt_id(id)
}

#[test]
fn a_lookup_without_version_is_refused() {
    let mut bench = Bench::new();
    let id = bench.schema("A");
    let path = format!("/tenant/schemas/{}", alt(&id));
    for accept in ["", LIST, "*/*", "application/json"] {
        assert_eq!(code(&bench.read(&path, accept)), "XDM-1007-400");
    }
    let answer = bench.read(&path, LIST);
    let detail = json(&answer)["detail"].as_str().unwrap().to_owned();
    assert!(detail.ends_with("; version=1 (Version should be specified)"));
}

#[test]
fn every_documented_spelling_of_a_lookup_is_accepted() {
    let mut bench = Bench::new();
    let id = bench.schema("A");
    for variant in [
        "xed",
        "xdm",
        "xed-full",
        "xed-notext",
        "xed-full-notext",
        "xed-full-desc",
        "xed-deprecatefield",
        "xed-full-desc-flat-deprecated",
    ] {
        for version in ["; version=1", ";version=1", ";version=1.0"] {
            let accept = format!("application/vnd.adobe.{variant}+json{version}");
            assert_eq!(
                bench
                    .read(&format!("/tenant/schemas/{}", alt(&id)), &accept)
                    .status,
                200,
                "{accept}"
            );
        }
    }
}

#[test]
fn an_unencoded_id_is_another_route_and_both_encoded_and_alternate_ids_are_found() {
    let mut bench = Bench::new();
    let id = bench.schema("A");
    let unencoded = bench.read(&format!("/tenant/schemas/{id}"), RAW);
    assert_eq!(unencoded, Answer::html_not_found());
    assert!(matches!(unencoded.body, Body::Text { .. }));
    let encoded = bench.read(&format!("/tenant/schemas/{}", escaped(&id)), RAW);
    let by_alt = bench.read(&format!("/tenant/schemas/{}", alt(&id)), RAW);
    assert_eq!(encoded.status, 200);
    assert_eq!(encoded, by_alt);
}

#[test]
fn an_unknown_schema_is_named_with_its_version() {
    let mut bench = Bench::new();
    let answer = bench.read("/tenant/schemas/_acme.schemas.ab", RAW);
    assert_eq!(code(&answer), "XDM-1012-404");
    assert_eq!(
        json(&answer)["detail"],
        "Requested resource _acme.schemas.ab with version 1 is not found"
    );
}

#[test]
fn a_group_named_twice_is_echoed_twice_and_counted_once() {
    let mut bench = Bench::new();
    let answer = bench.registry("POST /tenant/schemas", payments_body());
    assert_eq!(answer.status, 201);
    let schema = json(&answer);
    assert_eq!(schema["allOf"].as_array().unwrap().len(), 4);
    assert_eq!(
        schema["allOf"][0],
        json!({ "$ref": PROFILE, "type": "object", "meta:xdmType": "object" })
    );
    assert_eq!(schema["refs"].as_array().unwrap().len(), 3);
    let mut extends: Vec<_> = schema["meta:extends"].as_array().unwrap().iter().collect();
    extends.sort_by_key(|v| v.as_str());
    assert_eq!(
        json!(extends),
        json!([
            "https://ns.adobe.com/xdm/common/auditable",
            "https://ns.adobe.com/xdm/context/profile",
            "https://ns.adobe.com/xdm/context/profile-person-details",
            "https://ns.adobe.com/xdm/context/profile-personal-details",
            "https://ns.adobe.com/xdm/data/record",
        ])
    );
    let id = schema["$id"].as_str().unwrap();
    let hex = id
        .strip_prefix("https://ns.adobe.com/acme/schemas/")
        .unwrap();
    assert_eq!(hex.len(), 48);
    assert_eq!(schema["meta:altId"], format!("_acme.schemas.{hex}"));
    assert_eq!(schema["meta:class"], PROFILE);
    assert_eq!(schema["meta:abstract"], false);
    assert_eq!(schema["meta:extensible"], false);
    assert_eq!(schema["meta:tenantNamespace"], "_acme");
    assert_eq!(schema["version"], "1.0");
    assert!(schema["meta:registryMetadata"]["eTag"].is_string());
    assert!(schema["meta:registryMetadata"]["repo:createdDate"].is_i64());
}

#[test]
fn the_same_title_again_names_the_first_object() {
    let mut bench = Bench::new();
    let first = json(&bench.registry("POST /tenant/schemas", payments_body()));
    let again = bench.registry("POST /tenant/schemas", payments_body());
    assert_eq!(code(&again), "XDM-1521-400");
    let id = first["$id"].as_str().unwrap();
    assert!(
        json(&again)["detail"]
            .as_str()
            .unwrap()
            .contains(&format!("An object {id} already"))
    );
}

#[test]
fn titles_are_unique_over_all_kinds() {
    let mut bench = Bench::new();
    bench.schema("Property");
    let record = json!([{ "$ref": "https://ns.adobe.com/xdm/data/record" }]);
    let answer = bench.registry(
        "POST /tenant/classes",
        json!({ "title": "Property", "allOf": record }),
    );
    assert_eq!(code(&answer), "XDM-1521-400");
}

#[test]
fn the_columns_of_an_ad_hoc_class_move_under_its_own_namespace() {
    let mut bench = Bench::new();
    let class = ad_hoc_class(&mut bench);
    let hex = class["$id"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(hex.len(), 32);
    let space = format!("_{hex}");
    assert_eq!(class["meta:datasetNamespace"], space.as_str());
    let columns = &class["allOf"][1]["properties"];
    assert!(columns.get("_adhoc").is_none());
    assert_eq!(
        columns[&space]["properties"]["field1"]["meta:xdmType"],
        "string"
    );
    assert_eq!(
        columns[&space]["properties"]["count"]["meta:xdmType"],
        "int"
    );
    assert_eq!(
        class["meta:extends"],
        json!(["https://ns.adobe.com/xdm/data/adhoc"])
    );
    assert_eq!(class["meta:abstract"], true);
}

#[test]
fn an_ad_hoc_schema_shows_its_columns_only_when_resolved() {
    let mut bench = Bench::new();
    let class = ad_hoc_class(&mut bench);
    let class_id = class["$id"].as_str().unwrap();
    let id = bench.composed("raw", class_id, &[]);
    let path = format!("/tenant/schemas/{}", alt(&id));
    let full = json(&bench.read(&path, FULL));
    let space = class["meta:datasetNamespace"].as_str().unwrap();
    assert_eq!(
        full["properties"][space]["properties"]["field1"]["type"],
        "string"
    );
    assert!(full.get("allOf").is_none());
    assert_eq!(full["meta:datasetNamespace"], space);
    assert_eq!(
        full["meta:extends"],
        json!([class_id, "https://ns.adobe.com/xdm/data/adhoc"])
    );
    let raw = json(&bench.read(&path, RAW));
    assert!(raw.get("properties").is_none());
    assert_eq!(raw["allOf"].as_array().unwrap().len(), 1);
    assert!(raw.get("refs").is_none());
}

#[test]
fn custom_fields_outside_the_tenants_namespace_are_refused() {
    let mut bench = Bench::new();
    let answer = bench.registry(
        "POST /tenant/fieldgroups",
        json!({
            "title": "G", "meta:intendedToExtend": [PROFILE],
            "definitions": { "customFields": { "properties": { "orderId": { "type": "string" }}}},
            "allOf": [{ "$ref": "#/definitions/customFields" }],
        }),
    );
    assert_eq!(code(&answer), "XDM-1020-400");
}

#[test]
fn mixins_and_field_groups_are_the_same_objects() {
    let mut bench = Bench::new();
    let id = bench.group("G", &json!({ "orderId": { "type": "string" }}));
    assert!(id.starts_with("https://ns.adobe.com/acme/mixins/"));
    let new = bench.read(&format!("/tenant/fieldgroups/{}", alt(&id)), RAW);
    let old = bench.read(&format!("/tenant/mixins/{}", alt(&id)), RAW);
    assert_eq!(new, old);
    assert_eq!(json(&new)["meta:resourceType"], "mixins");
    let created =
        &json(&new)["definitions"]["customFields"]["properties"]["_acme"]["properties"]["orderId"];
    assert_eq!(created["meta:xdmType"], "string");
}

#[test]
fn custom_fields_do_not_belong_into_a_schema() {
    let mut bench = Bench::new();
    let answer = bench.registry(
        "POST /tenant/schemas",
        json!({ "title": "S", "allOf": [{ "$ref": PROFILE }, { "properties": { "_acme": {} } }] }),
    );
    assert_eq!(code(&answer), "XDM-1519-400");
}

#[test]
fn a_schema_needs_one_class_that_exists() {
    let mut bench = Bench::new();
    let group = "https://ns.adobe.com/xdm/context/profile-work-details";
    for parts in [
        json!([]),
        json!([{ "$ref": group }]),
        json!([{ "$ref": "https://ns.adobe.com/acme/classes/ab" }]),
    ] {
        let answer = bench.registry(
            "POST /tenant/schemas",
            json!({ "title": "S", "allOf": parts }),
        );
        assert_eq!(code(&answer), "XDM-SIM-INVALID-400");
    }
}

#[test]
fn a_strict_registry_checks_what_a_group_is_meant_for() {
    let mut bench = Bench::new();
    let event = "https://ns.adobe.com/xdm/context/experienceevent";
    let body = json!({ "title": "S", "allOf": [
        { "$ref": event }, { "$ref": "https://ns.adobe.com/xdm/context/profile-work-details" },
    ]});
    bench.profile = Profile::Strict;
    assert_eq!(
        bench.registry("POST /tenant/schemas", body.clone()).status,
        400
    );
    bench.profile = Profile::Lenient;
    assert_eq!(bench.registry("POST /tenant/schemas", body).status, 201);
}

#[test]
fn a_resolved_schema_has_the_fields_of_all_its_parts() {
    let mut bench = Bench::new();
    let data_type = bench.make(
        "datatypes",
        &json!({ "title": "T", "type": "object", "properties": { "inner": { "type": "integer" }}}),
    );
    let group = bench.group("G", &json!({ "details": { "$ref": data_type }}));
    let id = bench.composed(
        "S",
        PROFILE,
        &["profile-person-details", "profile-personal-details", &group],
    );
    let fields = super::schema_fields(&bench.sandbox, &id).unwrap();
    for path in [
        "_id",
        "_repo.createDate",
        "person.name.firstName",
        "personalEmail.address",
        "homeAddress.city",
        "_acme.details.inner",
    ] {
        let steps: Vec<_> = path.split('.').collect();
        assert!(
            super::resolve::field_at(&fields, &steps).is_some(),
            "{path}"
        );
    }
    assert!(super::resolve::field_at(&fields, &["product", "name"]).is_none());
}

#[test]
fn a_view_without_text_keeps_fields_that_are_called_title() {
    let mut bench = Bench::new();
    let group = bench.group(
        "G",
        &json!({ "title": { "type": "string", "title": "A title" }}),
    );
    let accept = "application/vnd.adobe.xed-notext+json; version=1";
    let shown = json(&bench.read(&format!("/tenant/fieldgroups/{}", alt(&group)), accept));
    let field = &shown["definitions"]["customFields"]["properties"]["_acme"]["properties"]["title"];
    assert_eq!(
        field,
        &json!({ "type": "string", "meta:xdmType": "string" })
    );
    assert!(shown.get("title").is_none());
}

#[test]
fn adobes_own_resources_are_global() {
    let mut bench = Bench::new();
    let accept = RAW;
    assert_eq!(
        bench
            .read("/global/classes/_xdm.context.profile", accept)
            .status,
        200
    );
    assert_eq!(
        code(&bench.read("/tenant/classes/_xdm.context.profile", accept)),
        "XDM-1010-404"
    );
    assert_eq!(
        bench
            .read("/global/behaviors/_xdm.data.record", accept)
            .status,
        200
    );
    let groups = json(&bench.read("/global/fieldgroups?limit=500", LIST));
    assert!(groups["_page"]["count"].as_u64().unwrap() > 10);
    let answer = bench.registry("POST /global/classes", json!({ "title": "C" }));
    assert_eq!(answer, Answer::html_not_found());
}

#[test]
fn the_statistics_name_the_tenant_and_count_its_resources() {
    let mut bench = Bench::new();
    bench.schema("S");
    let stats = json(&bench.read("/stats", ""));
    assert_eq!(stats["tenantId"], "acme");
    assert_eq!(
        stats["counts"],
        json!({ "schemas": 1, "mixins": 0, "datatypes": 0, "classes": 0, "unions": 0 })
    );
    assert_eq!(stats["recentlyCreatedResources"][0]["title"], "S");
    assert_eq!(stats["classUsage"][0]["numberOfSchemas"], 1);
}

#[test]
fn dates_are_those_of_the_calendar() {
    let at = |ms| crate::clock::Utc::at(ms).plain();
    assert_eq!(at(0), "1970-01-01 00:00:00");
    assert_eq!(at(951_782_400_000), "2000-02-29 00:00:00");
    assert_eq!(at(1_730_810_039_000), "2024-11-05 12:33:59");
    assert_eq!(
        crate::clock::Utc::at(1_603_348_392_000).american(),
        "10-22-2020 06:33:12"
    );
}

#[test]
fn own_fields_have_names_that_the_registry_accepts() {
    let inner =
        |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" }}});
    for profile in [Profile::Lenient, Profile::Strict] {
        let mut bench = Bench::new();
        bench.profile = profile;
        for name in ["First Name", "_hidden", "größe", "a.b", ""] {
            let nested = json!({ "list": { "type": "array", "items": inner(name) }});
            let flat = inner(name)["properties"].clone();
            for fields in [&nested, &flat] {
                let group = bench.registry("POST /tenant/fieldgroups", group_of("G", fields));
                assert_eq!(code(&group), "XDM-SIM-INVALID-400", "{name}");
            }
            let data_type = json!({ "title": "T", "type": "object", "properties": flat });
            let data_type = bench.registry("POST /tenant/datatypes", data_type);
            assert_eq!(code(&data_type), "XDM-SIM-INVALID-400", "{name}");
        }
        bench.group("G", &json!({ "first-name_2": inner("_acme") }));
    }
}

#[test]
fn a_flat_view_has_a_field_for_every_path() {
    let mut bench = Bench::new();
    let group = bench.group(
        "G",
        &json!({ "items": { "type": "array", "items": {
            "type": "object", "properties": { "sku": { "type": "string" }},
        }}, "tags": { "type": "array", "items": { "type": "string" }}}),
    );
    let id = bench.composed(
        "S",
        PROFILE,
        &["profile-person-details", "identitymap", &group],
    );
    let path = format!("/tenant/schemas/{}", alt(&id));
    let flat = json(&bench.read(&path, "application/vnd.adobe.xed-full-flat+json; version=1"));
    let fields = &flat["properties"];
    for (path, kind) in [
        ("_id", "string"),
        ("person/name/firstName", "string"),
        ("_acme/items[*]/sku", "string"),
        ("_acme/tags", "array"),
        ("identityMap", "object"),
    ] {
        assert_eq!(fields[path]["type"], kind, "{path}");
    }
    assert_eq!(fields["person"], Value::Null);
    assert_eq!(fields["_acme/items"], Value::Null);
    let raw = json(&bench.read(&path, "application/vnd.adobe.xed-flat+json; version=1"));
    assert_eq!(raw, json(&bench.read(&path, RAW)));
}

#[test]
fn public_field_groups_are_known_wherever_their_ids_lie() {
    let mut bench = Bench::new();
    bench.profile = Profile::Strict;
    let event = "https://ns.adobe.com/xdm/context/experienceevent";
    let plan = "https://ns.adobe.com/xdm/classes/plan";
    let adobe = "https://ns.adobe.com/xdm/mixins/profile-consents";
    for (class, group, path) in [
        (
            event,
            "https://ns.braze.com/currents/users-event",
            "_braze.purchase.productID",
        ),
        (
            plan,
            "https://ns.fhir.org/fieldgroups/coverage",
            "healthcareCoverage.status",
        ),
        (
            event,
            "https://ns.adobe.com/xdm/context/experienceevent-commerce",
            "productListItems[*].SKU",
        ),
        (PROFILE, adobe, "consents.marketing.email.val"),
    ] {
        let schema = bench.composed(group, class, &[group]);
        let rows = json!([{ "source": "a", "destination": path }, { "source": "a", "destination": "nowhere.at.all" }]);
        let body = json!({ "outputSchema": { "schemaRef": { "id": schema } }, "mappings": rows });
        let checked = json(&bench.prep("POST /mappingSets/validate", body));
        assert_eq!(
            checked["validationResponse"][0]["status"], "SUCCESS",
            "{path}"
        );
        assert_eq!(checked["validationResponse"][1]["status"], "FAILED");
        let found = bench.read(&format!("/global/fieldgroups/{}", escaped(group)), RAW);
        assert_eq!(json(&found)["meta:intendedToExtend"][0], class);
    }
    let page = json(&bench.read("/global/fieldgroups", LIST));
    assert_eq!(page["results"].as_array().unwrap().len(), 300);
    let path = format!(
        "/global/fieldgroups?start={}",
        page["_page"]["next"].as_str().unwrap()
    );
    let rest = json(&bench.read(&path, LIST));
    assert_eq!(rest["results"].as_array().unwrap().len(), 94);
    let refused = bench.registry(
        "POST /tenant/schemas",
        json!({ "title": "S", "allOf": [{ "$ref": PROFILE }, { "$ref": "https://ns.fhir.org/fieldgroups/coverage" }] }),
    );
    assert_eq!(refused.status, 400);
}
