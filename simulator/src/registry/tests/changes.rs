use serde_json::Map;

use super::*;

fn schema_path(id: &str) -> String {
    format!("/tenant/schemas/{}", alt(id))
}

fn orders(bench: &mut Bench) -> (String, String) {
    let fields =
        json!({ "orderId": { "type": "string", "maxLength": 20 }, "note": { "type": "string" }});
    let group = bench.group("Orders", &fields);
    let schema = bench.composed("S", PROFILE, &["profile-personal-details", &group]);
    (group, schema)
}

const FIELD: &str = "/definitions/customFields/properties/_acme/properties";

#[test]
fn a_data_type_that_is_stored_flat_is_replaced_flat_only() {
    let mut bench = Bench::new();
    let flat = json!({ "title": "T", "type": "object", "properties": { "a": { "type": "string" }}});
    let id = bench.make("datatypes", &flat);
    let path = format!("PUT /tenant/datatypes/{}", alt(&id));
    let nested = json!({
        "title": "T", "type": "object",
        "definitions": { "d": { "properties": { "a": { "type": "string" }}}},
        "allOf": [{ "$ref": "#/definitions/d" }],
    });
    assert_eq!(code(&bench.registry(&path, nested)), "XDM-1406-422");
    let answer = bench.registry(&path, flat);
    assert_eq!(answer.status, 200);
    assert_eq!(json(&answer)["$id"], id.as_str());
}

#[test]
fn adding_the_same_group_twice_shows_it_twice() {
    let mut bench = Bench::new();
    let id = bench.composed("S", PROFILE, &[]);
    let work = "https://ns.adobe.com/xdm/context/profile-work-details";
    let patch = json!([{ "op": "add", "path": "/allOf/-", "value": { "$ref": work } }]);
    for version in ["1.1", "1.2"] {
        let answer = bench.registry(&format!("PATCH {}", schema_path(&id)), patch.clone());
        assert_eq!(answer.status, 200);
        assert_eq!(json(&answer)["version"], version);
    }
    let patched = json(&bench.registry(&format!("PATCH {}", schema_path(&id)), json!([])));
    assert_eq!(patched["allOf"].as_array().unwrap().len(), 3);
    assert_eq!(patched["refs"].as_array().unwrap().len(), 2);
    assert_eq!(patched["version"], "1.2");
}

#[test]
fn a_schema_joins_its_union_once_it_has_a_primary_identity() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    assert_eq!(code(&bench.enable_union(&id)), "XDM-1528-400");
    assert_eq!(
        bench.identity(&id, "/personalEmail/address", true).status,
        201
    );
    let enabled = bench.enable_union(&id);
    assert_eq!(enabled.status, 200);
    assert_eq!(json(&enabled)["meta:immutableTags"], json!(["union"]));
    assert_eq!(json(&enabled)["version"], "1.0");
    let unions = json(&bench.read("/tenant/unions", LIST));
    assert_eq!(unions["results"][0]["$id"], format!("{PROFILE}__union"));
    let union = json(&bench.read("/tenant/unions/_xdm.context.profile__union", FULL));
    assert_eq!(union["properties"]["personalEmail"]["type"], "object");
    assert_eq!(
        bench
            .read("/tenant/schemas/_xdm.context.profile__union", RAW)
            .status,
        200
    );
    let members = format!(
        "/tenant/schemas?property=meta:immutableTags==union&property=meta:class=={PROFILE}"
    );
    assert_eq!(json(&bench.read(&members, LIST))["_page"]["count"], 1);
}

#[test]
fn an_identity_map_is_identity_enough_and_the_other_spelling_of_the_path_works() {
    let mut bench = Bench::new();
    let id = bench.composed("S", PROFILE, &["identitymap"]);
    let patch = json!([{ "op": "add", "path": "/meta:immutableTags-", "value": ["union"] }]);
    let answer = bench.registry(&format!("PATCH {}", schema_path(&id)), patch);
    assert_eq!(json(&answer)["meta:immutableTags"], json!(["union"]));
    let tagged = json!({
        "title": "T", "meta:immutableTags": ["union"],
        "allOf": [{ "$ref": PROFILE }, { "$ref": "https://ns.adobe.com/xdm/context/identitymap" }],
    });
    assert_eq!(bench.registry("POST /tenant/schemas", tagged).status, 201);
}

#[test]
fn an_ad_hoc_schema_never_joins_a_union() {
    let mut bench = Bench::new();
    let class = ad_hoc_class(&mut bench);
    let id = bench.composed("raw", class["$id"].as_str().unwrap(), &[]);
    assert_eq!(code(&bench.enable_union(&id)), "XDM-SIM-UNION-400");
}

#[test]
fn the_union_tag_is_never_removed() {
    let mut bench = Bench::new();
    let id = bench.composed("S", PROFILE, &["identitymap"]);
    bench.enable_union(&id);
    let patch = json!([{ "op": "remove", "path": "/meta:immutableTags" }]);
    let answer = bench.registry(&format!("PATCH {}", schema_path(&id)), patch);
    assert_eq!(code(&answer), "XDM-SIM-UNION-400");
    let whole = json!({ "title": "S", "allOf": [
        { "$ref": PROFILE }, { "$ref": "https://ns.adobe.com/xdm/context/identitymap" },
    ]});
    let put = bench.registry(&format!("PUT {}", schema_path(&id)), whole);
    assert_eq!(json(&put)["meta:immutableTags"], json!(["union"]));
}

#[test]
fn schemas_of_one_union_agree_on_types() {
    let mut bench = Bench::new();
    let text = bench.group("G1", &json!({ "size": { "type": "string" }}));
    let number = bench.group("G2", &json!({ "size": { "type": "number" }}));
    let first = bench.composed("S1", PROFILE, &["identitymap", &text]);
    let second = bench.composed("S2", PROFILE, &["identitymap", &number]);
    assert_eq!(bench.enable_union(&first).status, 200);
    let answer = bench.enable_union(&second);
    assert_eq!(code(&answer), "XDM-1413-400");
    let detail = json(&answer)["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("/_acme/size") && detail.ends_with("Types: string, number"),
        "{detail}"
    );
}

#[test]
fn a_field_of_a_schema_in_use_cannot_go_but_one_can_come() {
    let mut bench = Bench::new();
    let (group, schema) = orders(&mut bench);
    let data_set = bench.data_set("D", &schema, &json!({}));
    let stored = bench.sandbox.data_sets.get_mut(&data_set).unwrap();
    stored["lastSuccessfulBatch"] = json!("batch");
    let path = format!("PATCH /tenant/fieldgroups/{}", alt(&group));
    let remove = json!([{ "op": "remove", "path": format!("{FIELD}/orderId") }]);
    assert_eq!(code(&bench.registry(&path, remove)), "XDM-SIM-BREAKING-400");
    let narrow =
        json!([{ "op": "replace", "path": format!("{FIELD}/orderId/maxLength"), "value": 5 }]);
    assert_eq!(code(&bench.registry(&path, narrow)), "XDM-SIM-BREAKING-400");
    let retype = json!([{ "op": "replace", "path": format!("{FIELD}/note"), "value": { "type": "integer" } }]);
    assert_eq!(code(&bench.registry(&path, retype)), "XDM-SIM-BREAKING-400");
    let add =
        json!([{ "op": "add", "path": format!("{FIELD}/extra"), "value": { "type": "string" } }]);
    let answer = bench.registry(&path, add);
    assert_eq!(
        (answer.status, &json(&answer)["version"]),
        (200, &json!("1.1"))
    );
    let shrink = json!([{ "op": "remove", "path": "/allOf/2" }]);
    let answer = bench.registry(&format!("PATCH {}", schema_path(&schema)), shrink);
    assert_eq!(code(&answer), "XDM-SIM-BREAKING-400");
}

/// What becomes of a field of a schema in use that turns from the first definition into the second.
fn changed(before: &Value, after: &Value) -> String {
    let mut bench = Bench::new();
    let group = bench.group("Orders", &json!({ "f": before }));
    let schema = bench.composed("S", PROFILE, &[&group]);
    let data_set = bench.data_set("D", &schema, &json!({}));
    let stored = bench.sandbox.data_sets.get_mut(&data_set).unwrap();
    stored["lastSuccessfulBatch"] = json!("batch");
    let whole = json!({
        "title": "Orders", "meta:intendedToExtend": [PROFILE],
        "definitions": { "customFields": { "properties": { "_acme": {
            "type": "object", "properties": { "f": after },
        }}}},
        "allOf": [{ "$ref": "#/definitions/customFields" }],
    });
    let answer = bench.registry(&format!("PUT /tenant/fieldgroups/{}", alt(&group)), whole);
    match answer.status {
        200 => String::new(),
        _ => json(&answer)["detail"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn a_field_of_a_schema_in_use_can_become_less_restrictive_but_not_more() {
    let text = |more: Value| {
        let mut field = json!({ "type": "string" });
        field
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        field
    };
    let object = |required: Value, names: &[&str]| {
        let fields: Map<_, _> = names
            .iter()
            .map(|it| ((*it).to_owned(), text(json!({}))))
            .collect();
        json!({ "type": "object", "required": required, "properties": fields })
    };
    let list = |items: Value| json!({ "type": "array", "items": items });
    // What can be done; the way back cannot.
    for (before, after) in [
        (
            text(json!({ "enum": ["a"] })),
            text(json!({ "enum": ["a", "b"] })),
        ),
        (
            text(json!({ "enum": ["a"] })),
            text(json!({ "meta:enum": { "a": "A" } })),
        ),
        (text(json!({ "enum": ["a", "b"] })), text(json!({}))),
        (
            text(json!({ "maxLength": 5 })),
            text(json!({ "maxLength": 9 })),
        ),
        (
            text(json!({ "minLength": 5 })),
            text(json!({ "minLength": 2 })),
        ),
        (text(json!({ "pattern": "^a" })), text(json!({}))),
        (text(json!({ "format": "email" })), text(json!({}))),
        (object(json!(["a"]), &["a"]), object(json!([]), &["a"])),
        (list(text(json!({ "maxLength": 5 }))), list(text(json!({})))),
        (
            json!({ "type": "number", "multipleOf": 2 }),
            json!({ "type": "number" }),
        ),
        (
            json!({ "type": "number", "exclusiveMaximum": 2 }),
            json!({ "type": "number" }),
        ),
    ] {
        assert_eq!(changed(&before, &after), "", "{before} {after}");
        assert_ne!(changed(&after, &before), "", "{after} {before}");
    }
    // What can be done and undone.
    let deprecated = text(json!({ "meta:status": "deprecated", "title": "Old" }));
    assert_eq!(changed(&text(json!({})), &deprecated), "");
    let (more, fewer) = (json!({ "a": "A", "b": "B" }), json!({ "a": "A" }));
    let suggested = |values: &Value| text(json!({ "meta:enum": values }));
    assert_eq!(changed(&suggested(&more), &suggested(&fewer)), "");
    assert_eq!(changed(&suggested(&fewer), &suggested(&more)), "");
    assert_eq!(
        changed(
            &object(json!([]), &["a"]),
            &object(json!(["b"]), &["a", "b"])
        ),
        ""
    );
    // What cannot be told to be weaker, or is another type.
    for (before, after) in [
        (
            text(json!({ "pattern": "^a" })),
            text(json!({ "pattern": "^b" })),
        ),
        (
            text(json!({ "format": "date" })),
            text(json!({ "meta:xdmType": "date" })),
        ),
        (
            text(json!({ "enum": ["a", "b"] })),
            text(json!({ "enum": ["a"] })),
        ),
    ] {
        assert_ne!(changed(&before, &after), "", "{before} {after}");
    }
}

#[test]
fn an_empty_data_set_freezes_a_schema_in_the_strict_profile_only() {
    let mut bench = Bench::new();
    let (group, schema) = orders(&mut bench);
    bench.data_set("D", &schema, &json!({}));
    let path = format!("PATCH /tenant/fieldgroups/{}", alt(&group));
    let remove = json!([{ "op": "remove", "path": format!("{FIELD}/note") }]);
    bench.profile = Profile::Strict;
    assert_eq!(
        code(&bench.registry(&path, remove.clone())),
        "XDM-SIM-BREAKING-400"
    );
    bench.profile = Profile::Lenient;
    assert_eq!(bench.registry(&path, remove).status, 200);
}

#[test]
fn an_unused_schema_is_deleted_once_and_takes_its_descriptors_along() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    bench.identity(&id, "/personalEmail/address", true);
    let call = format!("DELETE {}", schema_path(&id));
    assert_eq!(bench.registry(&call, json!(null)), Answer::empty(204));
    assert_eq!(code(&bench.registry(&call, json!(null))), "XDM-1012-404");
    assert_eq!(bench.read(&schema_path(&id), RAW).status, 404);
    assert_eq!(bench.descriptors(), json!({}));
    bench.schema("S");
}

#[test]
fn a_schema_in_a_union_or_with_a_data_set_stays() {
    let mut bench = Bench::new();
    let used = bench.schema("used");
    let data_set = bench.data_set("D", &used, &json!({}));
    let union = bench.composed("union", PROFILE, &["identitymap"]);
    bench.enable_union(&union);
    for id in [&used, &union] {
        let answer = bench.registry(&format!("DELETE {}", schema_path(id)), json!(null));
        assert_eq!(code(&answer), "XDM-SIM-INUSE-400");
    }
    bench.catalog(&format!("DELETE /dataSets/{data_set}"), json!(null));
    assert_eq!(
        bench
            .registry(&format!("DELETE {}", schema_path(&used)), json!(null))
            .status,
        204
    );
}

#[test]
fn what_a_schema_is_made_of_is_deleted_after_it() {
    let mut bench = Bench::new();
    let class = ad_hoc_class(&mut bench)["$id"].as_str().unwrap().to_owned();
    let schema = bench.composed("raw", &class, &[]);
    let class_call = format!("DELETE /tenant/classes/{}", alt(&class));
    assert_eq!(
        code(&bench.registry(&class_call, json!(null))),
        "XDM-SIM-INUSE-400"
    );
    bench.registry(&format!("DELETE {}", schema_path(&schema)), json!(null));
    assert_eq!(bench.registry(&class_call, json!(null)).status, 204);
}

#[test]
fn a_data_type_inside_a_group_is_in_use() {
    let mut bench = Bench::new();
    let body = json!({ "title": "T", "type": "object", "properties": { "a": { "type": "string" }}});
    let data_type = bench.make("datatypes", &body);
    bench.group("G", &json!({ "details": { "$ref": data_type }}));
    let answer = bench.registry(
        &format!("DELETE /tenant/datatypes/{}", alt(&data_type)),
        json!(null),
    );
    assert_eq!(code(&answer), "XDM-SIM-INUSE-400");
}

#[test]
fn a_change_keeps_the_date_of_creation_and_renews_the_tag() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    let before = json(&bench.read(&schema_path(&id), RAW));
    let patch = json!([{ "op": "replace", "path": "/description", "value": "new" }]);
    let after = json(&bench.registry(&format!("PATCH {}", schema_path(&id)), patch));
    let (old, new) = (
        &before["meta:registryMetadata"],
        &after["meta:registryMetadata"],
    );
    assert_eq!(old["repo:createdDate"], new["repo:createdDate"]);
    assert_ne!(old["repo:lastModifiedDate"], new["repo:lastModifiedDate"]);
    assert_ne!(old["eTag"], new["eTag"]);
    assert_eq!(after["version"], "1.1");
    assert_eq!(after["description"], "new");
}

#[test]
fn a_column_is_added_to_an_ad_hoc_class_under_either_key() {
    let mut bench = Bench::new();
    let class = ad_hoc_class(&mut bench);
    let space = class["meta:datasetNamespace"].as_str().unwrap();
    let path = format!("/tenant/classes/{}", class["meta:altId"].as_str().unwrap());
    let column = format!("/allOf/1/properties/{space}/properties/field3");
    let addition = json!([{ "op": "add", "path": column, "value": { "type": "string" } }]);
    assert_eq!(
        bench.registry(&format!("PATCH {path}"), addition).status,
        200
    );
    let whole = json!({ "title": "raw class", "allOf": [
        { "$ref": "https://ns.adobe.com/xdm/data/adhoc" },
        { "properties": { "_adhoc": { "type": "object", "properties": { "only": { "type": "string" }}}}},
    ]});
    let put = json(&bench.registry(&format!("PUT {path}"), whole));
    assert!(put["allOf"][1]["properties"][space]["properties"]["only"].is_object());
}
