use serde_json::{Value, json};

use crate::http::Answer;
use crate::profile::Profile;
use crate::registry::testing::{Bench, json};

const SET: &str = "/mappingSets";

fn legacy(schema: &str) -> Value {
    let row = |source: &str, destination: &str| {
        json!({
            "destinationXdmPath": destination, "sourceAttribute": source, "identity": false,
            "identityGroup": null, "namespaceCode": null, "version": 0,
        })
    };
    json!({
        "version": 0, "xdmSchema": schema, "xdmVersion": "1.0", "id": null,
        "mappings": [row("Product_Id", "_id"), row("Product_Name", "product.name")],
    })
}

fn modern(schema: &str, rows: &Value) -> Value {
    json!({ "name": "set", "outputSchema": { "schemaRef": { "id": schema } }, "mappings": rows })
}

fn create(bench: &mut Bench, body: Value) -> String {
    let answer = bench.prep(&format!("POST {SET}"), body);
    assert_eq!(answer.status, 200, "{answer:?}");
    json(&answer)["id"].as_str().unwrap().to_owned()
}

fn get(bench: &mut Bench, target: &str) -> Value {
    let answer = bench.prep(&format!("GET {target}"), json!(null));
    assert_eq!(answer.status, 200, "{answer:?}");
    json(&answer)
}

#[test]
fn the_old_vocabulary_is_answered_in_short_and_read_back_in_both() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let short = json(&bench.prep(&format!("POST {SET}"), legacy(&schema)));
    let keys: Vec<_> = short.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "createdBy",
            "createdDate",
            "id",
            "modifiedBy",
            "modifiedDate",
            "version"
        ]
    );
    assert_eq!(short["version"], 0);
    let id = short["id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    let full = get(&mut bench, &format!("{SET}/{id}"));
    let row = &full["mappings"][0];
    assert_eq!(row["sourceType"], "text/x.schema-path");
    assert_eq!(
        (&row["source"], &row["sourceAttribute"]),
        (&json!("Product_Id"), &json!("Product_Id"))
    );
    assert_eq!(
        (&row["destination"], &row["destinationXdmPath"]),
        (&json!("_id"), &json!("_id"))
    );
    assert_eq!(full["outputSchema"]["schemaRef"]["id"], schema.as_str());
    assert_eq!(full["xdmSchema"], schema.as_str());
    assert_eq!(full["xdmVersion"], "1.0");
}

#[test]
fn both_spellings_of_a_source_type_come_back_as_media_types() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let rows = json!([
        { "sourceType": "ATTRIBUTE", "source": "a", "destination": "_id" },
        { "sourceType": "text/x.aep-xl", "source": "concat(a, b)", "destination": "person.name.fullName" },
        { "sourceType": "STATIC", "source": "x", "destination": "personID" },
    ]);
    let id = create(&mut bench, modern(&schema, &rows));
    let full = get(&mut bench, &format!("{SET}/{id}"));
    let types: Vec<_> = full["mappings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["sourceType"].clone())
        .collect();
    assert_eq!(types, ["text/x.schema-path", "text/x.aep-xl", "text/plain"]);
    let wrong = json!([{ "sourceType": "OTHER", "source": "a", "destination": "_id" }]);
    assert_eq!(
        bench
            .prep(&format!("POST {SET}"), modern(&schema, &wrong))
            .status,
        400
    );
}

#[test]
fn a_put_makes_the_next_version_and_keeps_the_one_before() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let rows = |source: &str| json!([{ "source": source, "destination": "_id" }]);
    let id = create(&mut bench, modern(&schema, &rows("a")));
    let before = get(&mut bench, &format!("{SET}/{id}"));
    let after = json(&bench.prep(&format!("PUT {SET}/{id}"), modern(&schema, &rows("b"))));
    assert_eq!((&after["id"], &after["version"]), (&json!(id), &json!(1)));
    assert_eq!(after["createdDate"], before["createdDate"]);
    assert_ne!(after["modifiedDate"], before["modifiedDate"]);
    assert_ne!(after["mappings"][0]["id"], before["mappings"][0]["id"]);
    assert_eq!(get(&mut bench, &format!("{SET}/{id}")), after);
    assert_eq!(get(&mut bench, &format!("{SET}/{id}?version=0")), before);
    assert_eq!(
        bench
            .prep(&format!("GET {SET}/{id}?version=2"), json!(null))
            .status,
        404
    );
    bench.profile = Profile::Strict;
    assert_eq!(get(&mut bench, &format!("{SET}/{id}")), before);
}

#[test]
fn a_put_takes_away_what_it_does_not_mention() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let row = json!({ "source": "a", "destination": "_id", "name": "id", "description": "said" });
    let mut body = modern(&schema, &json!([row]));
    body["allowNullValues"] = json!(true);
    let id = create(&mut bench, body);
    let before = get(&mut bench, &format!("{SET}/{id}"));
    assert_eq!(
        (&before["name"], &before["allowNullValues"]),
        (&json!("set"), &json!(true))
    );
    assert_eq!(before["mappings"][0]["description"], "said");
    let rows = json!([{ "source": "a", "destination": "_id" }]);
    let body = json!({ "outputSchema": { "schemaRef": { "id": schema } }, "mappings": rows });
    let after = json(&bench.prep(&format!("PUT {SET}/{id}"), body));
    assert_eq!(
        (&after["name"], &after["allowNullValues"]),
        (&Value::Null, &json!(false))
    );
    assert!(after["mappings"][0]["description"].is_null());
}

#[test]
fn an_identical_put_is_a_version_too() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let body = modern(&schema, &json!([{ "source": "a", "destination": "_id" }]));
    let id = create(&mut bench, body.clone());
    for version in [1, 2] {
        let answer = bench.prep(&format!("PUT {SET}/{id}"), body.clone());
        assert_eq!(json(&answer)["version"], version);
    }
    assert_eq!(bench.prep(&format!("PUT {SET}/unknown"), body).status, 404);
}

#[test]
fn validation_answers_row_by_row() {
    let mut bench = Bench::new();
    let group = bench.group(
        "G",
        &json!({ "items": { "type": "array", "items": {
            "type": "object", "properties": { "sku": { "type": "string" }},
        }}}),
    );
    let schema = bench.composed(
        "S",
        "https://ns.adobe.com/xdm/context/profile",
        &["profile-person-details", "identitymap", &group],
    );
    let row = |destination: &str| json!({ "source": "a", "destination": destination });
    let rows = json!([
        row("_id"),
        row("product.name"),
        row("person.name.firstName"),
        row("_acme.items[*].sku"),
        row("_acme.items[0].size"),
        row("identityMap.Email[0].id"),
        { "sourceType": "EXPRESSION", "source": "concat(a, \")\")", "destination": "personID" },
        { "sourceType": "EXPRESSION", "source": "conkat(a)", "destination": "personID" },
    ]);
    let answer = bench.prep(&format!("POST {SET}/validate"), modern(&schema, &rows));
    assert_eq!(answer.status, 200);
    let body = json(&answer);
    let entries = body["validationResponse"].as_array().unwrap();
    let statuses: Vec<_> = entries.iter().map(|e| e["status"] == "SUCCESS").collect();
    assert_eq!(
        statuses,
        [true, false, true, true, false, true, true, false]
    );
    assert_eq!(entries[0]["errors"], Value::Null);
    assert_eq!(entries[1]["errors"][0]["destination"], "product.name");
    assert_eq!(entries[1]["errors"][0]["sourceType"], "ATTRIBUTE");
}

#[test]
fn a_creation_looks_at_destinations_only_when_asked_to() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    create(&mut bench, legacy(&schema));
    let asked = bench.prep(&format!("POST {SET}?validate=true"), legacy(&schema));
    assert_eq!(asked.status, 400);
    assert_eq!(
        bench
            .prep(&format!("POST {SET}?validate=false"), legacy(&schema))
            .status,
        200
    );
    assert_eq!(bench.sandbox.mapping_sets.len(), 2);
}

#[test]
fn a_listing_needs_no_start_unless_strict() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let rows = json!([{ "source": "a", "destination": "_id" }]);
    for name in ["one", "two", "three"] {
        let mut body = modern(&schema, &rows);
        body["name"] = json!(name);
        create(&mut bench, body);
    }
    let mut names = |query: &str| {
        let page = get(&mut bench, &format!("{SET}?{query}"));
        let data = page["data"].as_array().unwrap().clone();
        data.iter()
            .map(|s| s["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names("limit=100"), "one two three");
    assert_eq!(names("limit=2&start=1"), "two three");
    assert_eq!(names("name=two"), "two");
    assert_eq!(
        names(&format!("property=xdmSchema=={schema}&limit=1")),
        "one"
    );
    assert_eq!(names("property=xdmSchema==other"), "");
    assert_eq!(names("orderBy=-createdDate"), "three two one");
    assert_eq!(names("orderBy= updatedDate&limit=1"), "one");
    bench.profile = Profile::Strict;
    assert_eq!(
        bench
            .prep(&format!("GET {SET}?limit=100"), json!(null))
            .status,
        400
    );
}

#[test]
fn a_deleted_set_is_gone() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = create(&mut bench, legacy(&schema));
    assert_eq!(
        bench
            .prep(&format!("DELETE {SET}/{id}"), json!(null))
            .status,
        204
    );
    assert_eq!(
        bench
            .prep(&format!("DELETE {SET}/{id}"), json!(null))
            .status,
        404
    );
    assert_eq!(
        bench.prep(&format!("GET {SET}/{id}"), json!(null)).status,
        404
    );
}

#[test]
fn no_document_knows_the_deletion_of_a_set() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = create(&mut bench, legacy(&schema));
    bench.profile = Profile::Strict;
    let refused = bench.prep(&format!("DELETE {SET}/{id}"), json!(null));
    assert_eq!(refused, Answer::empty(405));
    assert_eq!(bench.sandbox.mapping_sets.len(), 1);
}

#[test]
fn rows_are_read_one_by_one_and_the_schema_on_request() {
    let mut bench = Bench::new();
    let schema = bench.schema("S");
    let id = create(&mut bench, legacy(&schema));
    let rows = get(&mut bench, &format!("{SET}/{id}/mappings"));
    let row = &rows["data"][1];
    let own = row["id"].as_str().unwrap();
    assert_eq!(&get(&mut bench, &format!("{SET}/{id}/mappings/{own}")), row);
    let expanded = get(&mut bench, &format!("{SET}/{id}?expandSchema=true"));
    assert!(expanded["outputSchema"]["jsonSchema"]["properties"]["_id"].is_object());
}

#[test]
fn a_preview_copies_paths_and_says_what_it_does_not_evaluate() {
    let mut bench = Bench::new();
    let rows = json!([
        { "source": "first", "destination": "person.name.firstName" },
        { "sourceType": "STATIC", "source": "web", "destination": "_acme.channel" },
        { "sourceType": "EXPRESSION", "source": "upper(first)", "destination": "_acme.loud" },
    ]);
    let body = json!({ "data": [{ "first": "Ada" }], "mappingSet": modern("any", &rows) });
    let preview = json(&bench.prep(&format!("POST {SET}/preview"), body));
    let expected =
        json!({ "person": { "name": { "firstName": "Ada" } }, "_acme": { "channel": "web" } });
    assert_eq!(preview[0]["data"], expected);
    assert_eq!(preview[0]["errors"][0]["destination"], "_acme.loud");
}

#[test]
fn an_expression_is_readable_or_not() {
    let mut bench = Bench::new();
    let mut check = |expression: Value| {
        let answer = bench.prep(
            "POST /languages/el/validate",
            json!({ "expression": expression }),
        );
        (answer.status, json(&answer))
    };
    for good in [
        "concat(\"Hi\", \",\")",
        "iif(a and (b), upper(c), null)",
        "a.b[0].c",
        "coalesce(a, '(')",
    ] {
        assert_eq!(check(json!(good)), (200, json!(true)), "{good}");
    }
    for bad in [
        "concat(a",
        "concat a)",
        "unknown(a)",
        "upper(\"a)",
        "(a]",
        "",
    ] {
        assert_eq!(check(json!(bad)), (200, json!(false)), "{bad}");
    }
    assert_eq!(check(json!({ "expression": "a" })).0, 400);
}

#[test]
fn every_documented_function_may_be_called() {
    let mut bench = Bench::new();
    for good in [
        "zone_date_to_utc(date(${Order Date}, \"yyyy-MM-dd HH:mm\", now()))",
        "concat(lcase(trim(${Bob's (old) column})), sha256(email, \"UTF-8\"))",
        "status.equalsIgnoreCase(\"A\") and (age > 17 or vip == true)",
        "str_to_object(\"a - b\", \"-\", \",\").get(\"a\")",
        "upsert_array_append(explode(tags, \"\\\\|\"))",
        "upsert_array_replace([1, 2], 1)",
        "array_to_map(items, \"sku\")",
        "add_to_map(a, object_to_map(\"k\", b))",
        "make_timestamp(2019, 10, 17, 11, 55, 12, 999, \"America/Los_Angeles\")",
        "ua_os_version_major(ua) + ua_os_name_version(ua) + ua_agent_version_major(ua)",
        "get_url_encoded(get_url_decoded(link))",
        "transformArray(filterArray(flattenArray(a), x -> x > 0), x -> x + 1)",
        "aa_get_event_value(events, \"event101\")",
        "fpid_to_ecid(id)",
        "(price * 1.19) / quantity",
    ] {
        let body = json!({ "expression": good });
        assert_eq!(
            json(&bench.prep("POST /languages/el/validate", body)),
            true,
            "{good}"
        );
    }
    for bad in ["ua_os_class(ua)", "${Order Date", "a.conkat(b)"] {
        let body = json!({ "expression": bad });
        assert_eq!(
            json(&bench.prep("POST /languages/el/validate", body)),
            false,
            "{bad}"
        );
    }
    let functions = get(&mut bench, "/languages/el/functions");
    let named = |name| {
        functions
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["function"] == name)
            .cloned()
    };
    assert_eq!(named("date").unwrap()["category"], "Date / Time");
    assert_eq!(named("first").unwrap()["category"], "Hierarchies - Arrays");
}
