use serde_json::{Value, json};

use crate::http::Answer;
use crate::profile::Profile;
use crate::registry::testing::{Bench, PROFILE, json};

fn get(bench: &mut Bench, target: &str) -> Value {
    let answer = bench.catalog(&format!("GET {target}"), json!(null));
    assert_eq!(answer.status, 200, "{answer:?}");
    json(&answer)
}

fn one(bench: &mut Bench, id: &str) -> Value {
    get(bench, &format!("/dataSets/{id}"))[id].clone()
}

fn patch(bench: &mut Bench, id: &str, body: Value) -> Answer {
    bench.catalog(&format!("PATCH /dataSets/{id}"), body)
}

fn union_schema(bench: &mut Bench) -> String {
    let schema = bench.composed("S", PROFILE, &["identitymap"]);
    assert_eq!(bench.enable_union(&schema).status, 200);
    schema
}

#[test]
fn the_same_body_makes_another_data_set_each_time() {
    let mut bench = Bench::new();
    let schema = bench.schema("Target schema for payments");
    let body = json!({
        "name": "Target dataset for payments",
        "schemaRef": { "id": schema, "contentType": "application/vnd.adobe.xed-full-notext+json; version=1" },
    });
    let first = bench.catalog("POST /dataSets?requestDataSource=true", body.clone());
    let second = bench.catalog("POST /datasets", body);
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(json(&first), json(&second));
    let body = json(&first);
    let id = body[0]
        .as_str()
        .unwrap()
        .strip_prefix("@/dataSets/")
        .unwrap();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    let location = (
        "Location".to_owned(),
        format!("/data/foundation/catalog/dataSets/{id}"),
    );
    assert!(first.headers.contains(&location));
}

#[test]
fn a_lookup_is_a_map_with_one_key() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = bench.data_set("Demo Set", &schema, &json!({ "k8s_owner": ["uid"] }));
    let map = get(&mut bench, &format!("/dataSets/{id}"));
    assert_eq!(map.as_object().unwrap().keys().collect::<Vec<_>>(), [&id]);
    let data_set = &map[&id];
    assert_eq!(data_set["version"], "1.0.0");
    assert_eq!(data_set["state"], "ACTIVE");
    assert_eq!(data_set["tags"]["k8s_owner"], json!(["uid"]));
    assert_eq!(data_set["tags"]["adobe/pqs/table"], json!(["demo_set"]));
    assert_eq!(data_set["schemaRef"]["id"], schema.as_str());
    let brief = get(
        &mut bench,
        &format!("/dataSets/{id}?properties=name,nothing"),
    );
    assert_eq!(brief[&id], json!({ "name": "Demo Set" }));
    let answer = bench.catalog(&format!("GET /dataSets/{id}"), json!(null));
    assert!(
        answer
            .headers
            .contains(&("E-Tag".to_owned(), "1.0.0".to_owned()))
    );
}

#[test]
fn a_data_set_needs_a_schema_that_exists() {
    let mut bench = Bench::new();
    for body in [
        json!({ "name": "D" }),
        json!({ "name": "D", "schemaRef": { "id": "https://ns.adobe.com/acme/schemas/ab" } }),
        json!([]),
    ] {
        let answer = bench.catalog("POST /dataSets", body);
        assert_eq!(
            (answer.status, &json(&answer)["title"]),
            (400, &json!("BadRequestError"))
        );
    }
    let schema = bench.schema("S");
    let alt = crate::registry::alt_id(&schema);
    bench.data_set("D", &alt, &json!({}));
}

#[test]
fn a_page_has_twenty_data_sets_unless_asked_for_one_to_a_hundred() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    for n in 0..25 {
        bench.data_set(&format!("D{n}"), &schema, &json!({}));
    }
    for limit in ["0", "200", "x"] {
        let answer = bench.catalog(&format!("GET /dataSets?limit={limit}"), json!(null));
        assert_eq!(answer.status, 400);
        assert_eq!(
            json(&answer)["detail"],
            "Please supply a valid query limit: (1 - 100)"
        );
    }
    let mut count = |query: &str| {
        get(&mut bench, &format!("/dataSets?{query}"))
            .as_object()
            .unwrap()
            .len()
    };
    assert_eq!(count(""), 20);
    assert_eq!(count("limit=100"), 25);
    assert_eq!(count("start=20"), 5);
    assert_eq!(count("start=24&limit=100"), 1);
}

#[test]
fn filters_find_by_tag_name_schema_and_wildcard() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let other = bench.schema("T");
    bench.data_set(
        "a",
        &schema,
        &json!({ "k8s_owner": ["u1"], "k8s_cluster": ["c"] }),
    );
    bench.data_set(
        "b",
        &schema,
        &json!({ "k8s_owner": ["u2"], "k8s_cluster": ["c"] }),
    );
    bench.data_set("star*", &other, &json!({}));
    let mut names = |query: &str| {
        let map = get(&mut bench, &format!("/dataSets?{query}"));
        let mut names: Vec<_> = map
            .as_object()
            .unwrap()
            .values()
            .map(|d| d["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("tags=k8s_owner:u1"), "a");
    assert_eq!(names("tags=k8s_cluster:c,k8s_owner:*"), "a b");
    assert_eq!(names("tags=k8s_cluster:c,k8s_owner:u2"), "b");
    assert_eq!(names("tags=k8s_owner:nobody"), "");
    assert_eq!(names("name=a,b"), "a b");
    assert_eq!(names("name=!a"), "b star*");
    assert_eq!(names("name=st*"), "star*");
    assert_eq!(names("name=star**"), "star*");
    assert_eq!(names(&format!("property=schemaRef.id=={other}")), "star*");
    assert_eq!(names("property=name~^[ab]$"), "a b");
    assert_eq!(names("property=!description"), "a b star*");
    assert_eq!(names("tags=k8s_cluster:c&name=b"), "b");
    assert_eq!(names("orderBy=desc:name&limit=1"), "star*");
    assert_eq!(names("orderBy=asc:created,name&limit=1"), "a");
}

#[test]
fn a_listing_may_lag_behind_a_creation() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    bench.list_lag_ms = 1000;
    let id = bench.data_set("D", &schema, &json!({ "k8s_owner": ["u"] }));
    assert_eq!(get(&mut bench, "/dataSets?tags=k8s_owner:u"), json!({}));
    assert_eq!(one(&mut bench, &id)["name"], "D");
    bench.now_ms += 1000;
    assert!(
        get(&mut bench, "/dataSets?tags=k8s_owner:u")
            .get(&id)
            .is_some()
    );
}

#[test]
fn enabling_profile_by_patch_notes_when_and_moves_the_version() {
    let mut bench = Bench::new();
    let schema = union_schema(&mut bench);
    let id = bench.data_set("D", &schema, &json!({}));
    bench.headers.push((
        "content-type".to_owned(),
        "application/json-patch+json".to_owned(),
    ));
    let body = json!([{ "op": "add", "path": "/tags/unifiedProfile", "value": ["enabled:true"] }]);
    let answer = patch(&mut bench, &id, body.clone());
    assert_eq!(
        (answer.status, json(&answer)),
        (200, json!([format!("@/dataSets/{id}")]))
    );
    let enabled = one(&mut bench, &id);
    let tag = &enabled["tags"]["unifiedProfile"];
    assert_eq!(tag[0], "enabled:true");
    assert_eq!(tag[1], "enabledAt:2024-11-05 12:32:59");
    assert_eq!(enabled["version"], "1.0.1");
    assert!(enabled["updated"].as_i64() > enabled["created"].as_i64());
    bench.now_ms += 60_000;
    patch(&mut bench, &id, body);
    assert_eq!(&one(&mut bench, &id)["tags"]["unifiedProfile"], tag);
    let off = json!([{ "op": "add", "path": "/tags/unifiedProfile", "value": ["enabled:false"] }]);
    patch(&mut bench, &id, off);
    assert_eq!(
        one(&mut bench, &id)["tags"]["unifiedProfile"],
        json!(["enabled:false"])
    );
}

#[test]
fn a_space_in_a_switch_is_not_returned() {
    let mut bench = Bench::new();
    let schema = union_schema(&mut bench);
    let tags = json!({
        "unifiedProfile": ["enabled: true", "isUpsert: true"],
        "unifiedIdentity": ["enabled: true"],
        "own": ["with space"],
    });
    let id = bench.data_set("D", &schema, &tags);
    let data_set = one(&mut bench, &id);
    let profile = data_set["tags"]["unifiedProfile"].as_array().unwrap();
    assert_eq!(
        profile[..2],
        [json!("enabled:true"), json!("isUpsert:true")]
    );
    assert_eq!(profile.len(), 3);
    assert_eq!(data_set["tags"]["unifiedIdentity"], json!(["enabled:true"]));
    assert_eq!(data_set["tags"]["own"], json!(["with space"]));
}

#[test]
fn profile_needs_a_schema_in_a_union() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let tags = json!({ "unifiedProfile": ["enabled: true"] });
    let answer = bench.catalog(
        "POST /dataSets",
        json!({ "name": "D", "schemaRef": { "id": schema }, "tags": tags }),
    );
    assert_eq!(answer.status, 400);
    let id = bench.data_set("D", &schema, &json!({}));
    let answer = patch(&mut bench, &id, json!({ "tags": tags }));
    assert_eq!(answer.status, 400);
    assert_eq!(one(&mut bench, &id)["version"], "1.0.0");
}

#[test]
fn a_stale_if_match_changes_nothing() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = bench.data_set("D", &schema, &json!({}));
    patch(&mut bench, &id, json!({ "name": "E" }));
    bench.headers = vec![("if-match".to_owned(), "1.0.0".to_owned())];
    assert_eq!(patch(&mut bench, &id, json!({ "name": "F" })).status, 412);
    let answer = bench.catalog(
        &format!("PUT /dataSets/{id}"),
        json!({ "name": "F", "schemaRef": { "id": schema } }),
    );
    assert_eq!(answer.status, 412);
    bench.headers = vec![("if-match".to_owned(), "\"1.0.1\"".to_owned())];
    assert_eq!(patch(&mut bench, &id, json!({ "name": "F" })).status, 200);
    assert_eq!(one(&mut bench, &id)["name"], "F");
}

#[test]
fn housekeeping_moves_version_and_tags_but_no_tag_of_ours() {
    let mut bench = Bench::new();
    let schema = union_schema(&mut bench);
    let tags = json!({ "k8s_owner": ["u"], "unifiedProfile": ["enabled:true"] });
    let id = bench.data_set("D", &schema, &tags);
    let before = one(&mut bench, &id);
    bench.with(super::housekeeping);
    let after = one(&mut bench, &id);
    assert_eq!(after["version"], "1.0.1");
    assert_ne!(before["updated"], after["updated"]);
    assert_eq!(after["updatedUser"], "acp_foundation_dataTracker@AdobeID");
    assert!(after["tags"]["aep/siphon/cleanup/meta/timestamp"].is_array());
    for key in ["k8s_owner", "unifiedProfile"] {
        assert_eq!(before["tags"][key], after["tags"][key]);
    }
}

#[test]
fn a_deleted_data_set_is_gone() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = bench.data_set("D", &schema, &json!({}));
    let call = format!("DELETE /dataSets/{id}");
    let first = bench.catalog(&call, json!(null));
    assert_eq!(
        (first.status, json(&first)),
        (200, json!([format!("@/dataSets/{id}")]))
    );
    let again = bench.catalog(&call, json!(null));
    assert_eq!(again.status, 404);
    assert_eq!(json(&again)["title"], "NotFoundError");
    assert_eq!(json(&again)["detail"], "DataSet not found.");
    assert_eq!(
        bench
            .catalog(&format!("GET /dataSets/{id}"), json!(null))
            .status,
        404
    );
    bench.profile = Profile::Strict;
    let guide = bench.catalog(&call, json!(null));
    assert_eq!((guide.status, json(&guide)), (200, json!([])));
}

#[test]
fn a_merge_replaces_nested_objects_and_a_v2_merge_goes_into_them() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = bench.data_set("D", &schema, &json!({ "a": ["1"], "b": ["2"] }));
    let deep = json!({ "tags": { "a": ["3"] }, "extensions": { "adobe_lakeHouse": { "rowExpiration": { "ttlValue": "P3Y" } } } });
    assert_eq!(
        bench
            .catalog(&format!("PATCH /v2/dataSets/{id}"), deep)
            .status,
        200
    );
    let merged = one(&mut bench, &id);
    assert_eq!(
        (&merged["tags"]["a"], &merged["tags"]["b"]),
        (&json!(["3"]), &json!(["2"]))
    );
    assert_eq!(
        merged["extensions"]["adobe_lakeHouse"]["rowExpiration"]["ttlValue"],
        "P3Y"
    );
    patch(
        &mut bench,
        &id,
        json!({ "tags": { "a": ["4"] }, "version": "9.9.9" }),
    );
    let replaced = one(&mut bench, &id);
    assert_eq!(replaced["tags"], json!({ "a": ["4"] }));
    assert_eq!(replaced["version"], "1.0.2");
    let missing = json!([{ "op": "replace", "path": "/tags/nobody", "value": ["1"] }]);
    assert_eq!(patch(&mut bench, &id, missing).status, 400);
}

#[test]
fn a_whole_answer_can_be_put_back() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = bench.data_set("D", &schema, &json!({ "a": ["1"] }));
    let mut whole = one(&mut bench, &id);
    whole["id"] = json!(id);
    whole["description"] = json!("new");
    assert_eq!(
        bench.catalog(&format!("PUT /dataSets/{id}"), whole).status,
        200
    );
    let stored = one(&mut bench, &id);
    assert_eq!(
        (&stored["description"], &stored["version"]),
        (&json!("new"), &json!("1.0.1"))
    );
    assert!(stored.get("id").is_none());
}

#[test]
fn a_dry_run_creates_nothing() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    bench
        .headers
        .push(("pragma".to_owned(), "validate-only".to_owned()));
    let body = json!({ "name": "D", "schemaRef": { "id": schema } });
    assert_eq!(bench.catalog("POST /dataSets", body).status, 200);
    assert!(bench.sandbox.data_sets.is_empty());
}

#[test]
fn batches_tell_what_was_ingested_and_go_with_their_data_set() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = bench.data_set("D", &schema, &json!({}));
    let other = bench.data_set("E", &schema, &json!({}));
    let of = |bench: &mut Bench, id: &str| {
        get(
            bench,
            &format!("/batches?dataSet={id}&status=success&properties=recordCount"),
        )
    };
    assert_eq!(of(&mut bench, &id), json!({}));
    let batch = bench.with(|sandbox, cx| super::ingest(&id, 5, cx.now_ms, sandbox, cx.ids));
    let batch = batch.unwrap();
    assert_eq!(of(&mut bench, &id), json!({ &batch: { "recordCount": 5 } }));
    assert_eq!(of(&mut bench, &other), json!({}));
    assert_eq!(one(&mut bench, &id)["lastSuccessfulBatch"], batch);
    let shown = get(&mut bench, &format!("/batches/{batch}"));
    assert_eq!(shown[&batch]["relatedObjects"][0]["id"], id);
    bench.catalog(&format!("DELETE /dataSets/{id}"), json!(null));
    assert_eq!(of(&mut bench, &id), json!({}));
    let unknown = bench.with(|sandbox, cx| super::ingest(&id, 5, cx.now_ms, sandbox, cx.ids));
    assert_eq!(unknown, None);
}
