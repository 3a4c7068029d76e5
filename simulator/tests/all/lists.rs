//! Specs, filters, orders, counts and pages.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::client::{PAYPAL, Rig, TABLE_FLOW, connection};

#[tokio::test]
async fn every_spelling_of_a_name_finds_the_same_flow_spec() {
    let rig = Rig::lenient().await;
    let spellings = [
        "name==\"CRMToAEP\"",
        "name==%22CRMToAEP%22",
        "name==CRMToAEP",
        "name%3D%3D%22CRMToAEP%22",
    ];
    for spelling in spellings {
        let reply = rig.get(&format!("/flowSpecs?property={spelling}")).await;
        assert_eq!(
            reply.body["items"].as_array().unwrap().len(),
            1,
            "{spelling}"
        );
        assert_eq!(reply.item()["id"], TABLE_FLOW);
    }
    let none = rig.get("/flowSpecs?property=name==Nothing").await;
    assert_eq!((none.status, &none.body["items"]), (200, &json!([])));
}

#[tokio::test]
async fn a_connection_spec_says_which_parameters_are_secret() {
    let rig = Rig::lenient().await;
    let reply = rig.get(&format!("/connectionSpecs/{PAYPAL}")).await;
    let properties = &reply.item()["authSpec"][0]["spec"]["properties"];
    assert_eq!(reply.item()["name"], "paypal");
    assert_eq!(properties["clientSecret"]["format"], "password");
    assert_eq!(properties["clientId"]["format"], json!(null));
    let filtered = rig
        .get(&format!(
            "/flowSpecs?property=sourceConnectionSpecIds[]=={PAYPAL}"
        ))
        .await;
    assert_eq!(filtered.item()["name"], "CRMToAEP");
}

#[tokio::test]
async fn values_are_alternatives_and_properties_add_up() {
    let rig = Rig::lenient().await;
    let (ends, first) = rig.flow().await;
    let second = rig.create("/flows", &ends.flow()).await;
    rig.create("/flows", &ends.flow()).await;
    rig.act(&format!("/flows/{second}/action?op=disable")).await;
    let both = format!("/flows?property=id=={first},{second}");
    assert_eq!(
        rig.get(&both).await.body["items"].as_array().unwrap().len(),
        2
    );
    let enabled = rig.get(&format!("{both}&property=state==enabled")).await;
    assert_eq!(enabled.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(enabled.item()["id"], first);
    let by_source = rig
        .get(&format!(
            "/flows?property=sourceConnectionIds[]=={}",
            ends.source
        ))
        .await;
    assert_eq!(by_source.body["items"].as_array().unwrap().len(), 3);
    let nested = format!(
        "/flows?count=true&property=inheritedAttributes.sourceConnections[].connectionSpec.id=={PAYPAL}"
    );
    assert_eq!(rig.get(&nested).await.body, json!({ "count": 3 }));
}

#[tokio::test]
async fn limit_and_count_exclude_each_other() {
    let rig = Rig::lenient().await;
    rig.connection().await;
    assert_eq!(
        rig.get("/connections?limit=10&count=true").await.code(),
        (400, "FLOW-1401-400")
    );
    assert_eq!(
        rig.get("/connections?count=true").await.body,
        json!({ "count": 1 })
    );
    let page = rig.get("/connections?limit=10&count=False").await;
    assert_eq!(
        (page.status, page.body["items"].as_array().unwrap().len()),
        (200, 1)
    );
}

#[tokio::test]
async fn bad_parameters_and_filters_are_named() {
    let rig = Rig::lenient().await;
    let cases = [
        ("foo=1", "FLOW-1451-400"),
        ("property=id~=x", "FLOW-1440-400"),
        ("property=nope==1", "FLOW-1449-400"),
        ("property=createdAt==", "FLOW-1453-400"),
        ("property=createdAt!>1", "FLOW-1450-400"),
        ("property=createdAt>=1,2", "FLOW-1443-400"),
        ("property=id>x", "FLOW-1448-400"),
        ("property=createdAt>yesterday", "FLOW-1452-400"),
        ("orderby=nope", "FLOW-1432-400"),
        ("orderby=-", "FLOW-1433-400"),
    ];
    for (query, code) in cases {
        assert_eq!(
            rig.get(&format!("/flows?{query}")).await.code(),
            (400, code),
            "{query}"
        );
    }
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let rig = Rig::lenient().await;
    for number in 0..250 {
        let mut body = connection();
        body["name"] = json!(format!("connection {number:03}"));
        rig.create("/connections", &body).await;
    }
    for repeat in ["", "&limit=100&orderby=-name"] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        let mut path = "/connections?limit=100&orderby=-name".to_owned();
        loop {
            let page = rig.get(&path).await;
            pages += 1;
            seen.extend(
                page.body["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|o| o["name"].as_str().unwrap().to_owned()),
            );
            let Some(href) = page.body["_links"]["next"]["href"].as_str() else {
                assert_eq!(page.body["_links"], json!({}));
                break;
            };
            assert!(
                href.starts_with("/connections?continuationToken="),
                "{href}"
            );
            path = format!("{href}{repeat}");
        }
        assert_eq!((pages, seen.len()), (3, 250));
        assert!(
            seen.is_sorted_by(|a, b| a > b),
            "in order and without duplicates"
        );
    }
}

#[tokio::test]
async fn without_a_limit_a_page_is_short() {
    let rig = Rig::lenient().await;
    for _ in 0..21 {
        rig.connection().await;
    }
    let page = rig.get("/connections").await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 20);
    assert_eq!(
        rig.get("/connections?limit=1000").await.body["items"]
            .as_array()
            .unwrap()
            .len(),
        21
    );
}

#[tokio::test]
async fn listings_lag_behind_and_reads_by_id_do_not() {
    let rig = Rig::lenient().await;
    let early = rig.connection().await;
    rig.simulator.advance(Duration::from_secs(10));
    rig.simulator.set_list_lag(Duration::from_secs(5));
    let late = rig.connection().await;
    rig.delete(&format!("/connections/{early}")).await;
    let listed = rig.get("/connections").await;
    assert_eq!(
        listed.item()["id"],
        early,
        "the deleted one still shows, the new one does not yet"
    );
    assert_eq!(rig.get(&format!("/connections/{late}")).await.status, 200);
    assert_eq!(rig.get(&format!("/connections/{early}")).await.status, 404);
    rig.simulator.advance(Duration::from_secs(5));
    let ids: BTreeSet<String> = rig.get("/connections").await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["id"].to_string())
        .collect();
    assert_eq!(ids, BTreeSet::from([json!(late).to_string()]));
}
