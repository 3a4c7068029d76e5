use serde_json::Value;

use super::*;

fn titles(answer: &Answer) -> Vec<String> {
    let page = json(answer);
    let results = page["results"].as_array().unwrap();
    assert_eq!(page["_page"]["count"], results.len());
    results
        .iter()
        .map(|r| r["title"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_listing_without_a_good_accept_header_is_refused() {
    let mut bench = Bench::new();
    for accept in [
        "",
        "*/*",
        "application/json",
        "application/vnd.adobe.xed+json;version=1",
    ] {
        assert_eq!(
            code(&bench.read("/tenant/schemas", accept)),
            "XDM-1006-400",
            "{accept}"
        );
    }
}

#[test]
fn ad_hoc_schemas_are_listed_unless_filtered_out() {
    let mut bench = Bench::new();
    let class = ad_hoc_class(&mut bench);
    bench.composed("raw", class["$id"].as_str().unwrap(), &[]);
    bench.schema("target");
    assert_eq!(
        titles(&bench.read("/tenant/schemas", LIST)),
        ["raw", "target"]
    );
    let filtered = "/tenant/schemas?property=meta:extends!=https://ns.adobe.com/xdm/data/adhoc";
    assert_eq!(titles(&bench.read(filtered, LIST)), ["target"]);
}

#[test]
fn a_start_of_zero_finds_nothing_because_it_is_no_offset() {
    let mut bench = Bench::new();
    for title in ["A", "B", "C"] {
        bench.schema(title);
    }
    assert!(titles(&bench.read("/tenant/schemas?limit=10&start=0", LIST)).is_empty());
    assert_eq!(
        titles(&bench.read("/tenant/schemas?limit=10", LIST)).len(),
        3
    );
    let first = bench.read("/tenant/schemas?limit=2", LIST);
    assert_eq!(titles(&first), ["A", "B"]);
    let next = json(&first)["_page"]["next"].as_str().unwrap().to_owned();
    let second = bench.read(&format!("/tenant/schemas?limit=2&start={next}"), LIST);
    assert_eq!(titles(&second), ["C"]);
    assert_eq!(json(&second)["_page"]["next"], Value::Null);
}

#[test]
fn a_start_is_a_title_when_ordered_by_title() {
    let mut bench = Bench::new();
    for title in ["Z", "M", "N", "A"] {
        bench.schema(title);
    }
    let after = bench.read("/tenant/schemas?orderby=title&start=M", LIST);
    assert_eq!(titles(&after), ["N", "Z"]);
    assert_eq!(json(&after)["_page"]["next"], Value::Null);
    let first = bench.read("/tenant/schemas?orderby=-title&limit=1", LIST);
    assert_eq!(json(&first)["_page"]["next"], "Z");
    assert_eq!(
        titles(&bench.read("/tenant/schemas?orderby=-title&start=Z", LIST)),
        ["N", "M", "A"]
    );
}

#[test]
fn every_operator_filters() {
    let mut bench = Bench::new();
    bench.schema("Payments A");
    bench.schema("Payments B");
    let mut found = |filter: &str| titles(&bench.read(&format!("/tenant/schemas?{filter}"), LIST));
    assert_eq!(found("property=title==Payments A"), ["Payments A"]);
    assert_eq!(found("property=title!=Payments A"), ["Payments B"]);
    assert_eq!(found("property=title~B$"), ["Payments B"]);
    assert_eq!(found("property=title>Payments A"), ["Payments B"]);
    assert_eq!(found("property=title<=Payments A"), ["Payments A"]);
    assert_eq!(found("property=created>0").len(), 2);
    assert!(found("property=meta:immutableTags").is_empty());
    let both = format!("property=meta:class=={PROFILE}&property=title~A$");
    assert_eq!(found(&both), ["Payments A"]);
}

#[test]
fn a_brief_listing_has_ids_title_and_version_only() {
    let mut bench = Bench::new();
    bench.schema("A");
    let page = json(&bench.read("/tenant/schemas/", "application/vnd.adobe.xed-id+json"));
    let keys: Vec<_> = page["results"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["$id", "meta:altId", "title", "version"]);
}

#[test]
fn a_listing_may_lag_while_lookups_and_titles_do_not() {
    let mut bench = Bench::new();
    bench.list_lag_ms = 1000;
    let id = bench.schema("A");
    assert!(titles(&bench.read("/tenant/schemas", LIST)).is_empty());
    assert_eq!(
        bench
            .read(&format!("/tenant/schemas/{}", alt(&id)), RAW)
            .status,
        200
    );
    let class = json!([{ "$ref": PROFILE }]);
    let again = bench.registry(
        "POST /tenant/schemas",
        json!({ "title": "A", "allOf": class }),
    );
    assert_eq!(code(&again), "XDM-1521-400");
    bench.now_ms += 1000;
    assert_eq!(titles(&bench.read("/tenant/schemas", LIST)), ["A"]);
}
