use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::answer;
use crate::http::{Answer, Body, Request};
use crate::profile::Profile;
use crate::world::{Context, Ids, Organisation, Sandbox};

fn get(path: &[&str], query: &[(&str, &str)]) -> Answer {
    let mut creating = Sandbox::active("new", "development", false);
    creating.about["state"] = json!("creating");
    let sandboxes = IndexMap::from([
        (
            "prod".to_owned(),
            Sandbox::active("prod", "production", true),
        ),
        ("new".to_owned(), creating),
    ]);
    let organisation = Organisation {
        ims_org: "A@AdobeOrg".to_owned(),
        tenant: "acme".to_owned(),
        clients: IndexMap::new(),
        sandboxes,
    };
    let request = Request {
        method: "GET".to_owned(),
        path: path.iter().map(|s| (*s).to_owned()).collect(),
        query: query
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        ..Request::default()
    };
    let mut cx = Context {
        now_ms: 0,
        list_lag_ms: 0,
        transition_ms: 0,
        profile: Profile::Lenient,
        ims_org: "A@AdobeOrg".to_owned(),
        tenant: "acme".to_owned(),
        client_id: "client".to_owned(),
        connectors: &[],
        first_states: &BTreeMap::new(),
        ids: &mut Ids::seeded(1),
    };
    answer(&request, &organisation, &mut cx)
}

fn body(answer: Answer) -> Value {
    match answer.body {
        Body::Json(body) => body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn anyone_may_list_sandboxes_in_whatever_state() {
    let page = body(get(&[], &[]));
    assert_eq!(page["sandboxes"][0]["name"], "prod");
    assert_eq!(page["sandboxes"][0]["state"], "active");
    assert_eq!(page["sandboxes"][1]["state"], "creating");
    assert_eq!(page["_page"], json!({ "limit": 50, "count": 2 }));
}

#[test]
fn limit_and_offset_go_together() {
    let page = body(get(&[], &[("limit", "1"), ("offset", "1")]));
    assert_eq!(page["sandboxes"][0]["name"], "new");
    assert_eq!(get(&[], &[("limit", "1")]).status, 400);
}

#[test]
fn administration_is_for_administrators() {
    for path in [&["sandboxes"][..], &["sandboxes", "prod"]] {
        let answer = get(path, &[]);
        assert_eq!(answer.status, 403);
        assert_eq!(
            body(answer)["type"],
            "http://ns.adobe.com/aep/errors/SMS-2010-403"
        );
    }
}
