//! Whatever Adobe answers and whatever users write, reading it ends with a value or an error. `PROPTEST_CASES` tries more.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use crate::adobe::call::{Call, Method};
use crate::adobe::error::Refusal;
use crate::adobe::flow_service::{Created, Spec};
use crate::adobe::page::Links;
use crate::adobe::retry::LONGEST_PAUSE;
use crate::adobe::transport::Answer;
use crate::adobe::{
    Connection, DataSet, Descriptor, Flow, MappingSet, Redactor, RegistryResource, Run,
    SandboxInfo, Service, SourceConnection, Stats, TargetConnection,
};

/// Members that Adobe's objects have, so that random values often stand where something is read.
const MEMBERS: [&str; 30] = [
    "id",
    "etag",
    "name",
    "description",
    "state",
    "items",
    "auth",
    "params",
    "inheritedAttributes",
    "connectionSpec",
    "flowSpec",
    "transformations",
    "scheduleParams",
    "startTime",
    "metrics",
    "durationSummary",
    "startedAtUTC",
    "completedAtUTC",
    "statusSummary",
    "errors",
    "createdAt",
    "tags",
    "schemaRef",
    "mappings",
    "version",
    "$id",
    "meta:altId",
    "allOf",
    "message",
    "code",
];

fn text() -> BoxedStrategy<String> {
    let numbers = any::<i64>().prop_map(|it| it.to_string());
    let times =
        "(-?[0-9]{1,5}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?)";
    prop_oneof![3 => "\\PC{0,20}", 1 => numbers, 2 => times, 1 => ".{0,8}"].boxed()
}

/// Anything that JSON can say, often under the names of members that Adobe has.
fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let member = prop_oneof![
        9 => proptest::sample::select(&MEMBERS[..]).prop_map(String::from),
        1 => text(),
    ];
    let nested = leaf.prop_recursive(5, 48, 6, move |inner| {
        let object = btree_map(member.clone(), inner.clone(), 0..6);
        prop_oneof![
            1 => vec(inner, 0..4).prop_map(Value::from),
            3 => object.prop_map(|it| json!(it)),
        ]
    });
    nested.boxed()
}

/// A body: JSON, JSON that was cut off, or anything else.
fn body() -> BoxedStrategy<Vec<u8>> {
    let whole = value().prop_map(|it| it.to_string().into_bytes());
    let cut = (whole.clone(), any::<prop::sample::Index>());
    let cut = cut.prop_map(|(mut text, at)| {
        let length = at.index(text.len() + 1);
        text.truncate(length);
        text
    });
    let deep = (1_usize..400).prop_map(|depth| "[".repeat(depth).into_bytes());
    let page = Just(b"<html>nothing here".to_vec());
    prop_oneof![6 => whole, 2 => cut, 1 => deep, 1 => page, 1 => vec(any::<u8>(), 0..64)].boxed()
}

fn answer(status: u16, body: Vec<u8>, retry_after: Option<HeaderValue>) -> Answer {
    let headers = retry_after.into_iter().map(|it| (RETRY_AFTER, it));
    Answer {
        service: Service::FlowService,
        status,
        headers: headers.collect(),
        body,
        sent_id: None,
        redactor: Arc::default(),
    }
}

proptest! {
    #[test]
    fn any_answer_is_read_or_named_as_unreadable(body in body()) {
        let answer = answer(200, body, None);
        let _ = answer.read::<Connection>();
        let _ = answer.read::<SourceConnection>();
        let _ = answer.read::<TargetConnection>();
        let _ = answer.read::<Flow>();
        let _ = answer.read::<Run>();
        let _ = answer.read::<Spec>();
        let _ = answer.read::<Created>();
        let _ = answer.read::<DataSet>();
        let _ = answer.read::<MappingSet>();
        let _ = answer.read::<RegistryResource>();
        let _ = answer.read::<Descriptor>();
        let _ = answer.read::<SandboxInfo>();
        let _ = answer.read::<Stats>();
        if let Ok(links) = answer.read::<Links>() {
            let _ = links.parameter("continuationToken");
        }
    }

    #[test]
    fn any_refusal_becomes_a_message_of_bounded_length(
        status in 0_u16..1000,
        body in body(),
        service in proptest::sample::select(&[Service::Ims, Service::FlowService, Service::SchemaRegistry][..]),
        deleting: bool,
    ) {
        let refusal = Refusal {
            service, deleting, fixed_token: false, status, body: &body, request_id: None, retry_after: None,
        };
        let message = refusal.into_error(&Redactor::default(), &[]).to_string();
        prop_assert!(message.chars().count() < 2000, "{}", message.len());
    }

    #[test]
    fn nobody_is_asked_to_wait_for_ever(
        text in prop_oneof![
            any::<u64>().prop_map(|it| it.to_string()),
            "[A-Z][a-z]{2}, [0-9]{1,2} (Jan|Feb|Dec) [0-9]{4,5} [0-9]{2}:[0-9]{2}:[0-9]{2} (GMT|[+-][0-9]{4})",
            "[ -~]{0,20}",
        ]
    ) {
        let header = HeaderValue::from_str(&text).expect("printable");
        let wait = answer(429, Vec::new(), Some(header)).retry_after();
        prop_assert!(wait.unwrap_or(Duration::ZERO) <= LONGEST_PAUSE, "{wait:?}");
    }

    #[test]
    fn what_users_write_stays_one_segment_and_one_parameter_of_the_url(
        id in "\\PC{1,20}", filter in "\\PC{0,20}"
    ) {
        let call = Call::new(Service::FlowService, Method::Get, "/flows/{id}").id(&id);
        let call = call.filters(std::slice::from_ref(&filter));
        match call.url("https://platform.adobe.io") {
            Ok(url) => {
                prop_assert_eq!(url.host_str(), Some("platform.adobe.io"));
                let segments: Vec<_> = url.path_segments().expect("path").collect();
                let last = segments.last().expect("id");
                let decoded = percent_encoding::percent_decode_str(last).decode_utf8();
                prop_assert_eq!(decoded.expect("text"), id);
                let pairs: Vec<_> = url.query_pairs().collect();
                prop_assert_eq!(pairs, [("property".into(), filter.into())]);
            }
            Err(_) => prop_assert!(id == "." || id == "..", "{}", id),
        }
    }
}
