//! Repetitions, pauses, limits, headers and redaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Reply, SECRET, Server, TOKEN, oauth, pool, settings};
use crate::adobe::call::{Call, Method};
use crate::adobe::gate::{Gate, Share};
use crate::adobe::{
    Adobe, Auth, Class, Connection, Flow, Limits, NewConnection, PatchOp, Permission, RetryPolicy,
    Service, SpecRef,
};

fn no_flows() -> Reply {
    Reply::Json(200, json!({"items": []}))
}

fn throttled(seconds: u64) -> Reply {
    let body = json!({"error_code": "429050", "message": "Too many requests"});
    Reply::With(429, "retry-after", seconds.to_string(), body)
}

async fn read(adobe: &Adobe) -> crate::adobe::Result<Vec<Flow>> {
    let found = adobe.flow_service().list::<Flow>(&[]).await?;
    Ok(found.items)
}

#[tokio::test]
async fn a_read_is_repeated_twice_and_then_given_up() {
    for status in [408, 500, 502, 503, 504] {
        let server = Server::start([Reply::Text(status, "")]).await;
        let error = read(&server.adobe()).await.expect_err("fails");
        assert_eq!(*error.class(), Class::Unavailable);
        assert!(!error.is_ambiguous());
        assert_eq!(server.seen().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_read_that_succeeds_in_the_end_is_a_success() {
    let server =
        Server::start([Reply::Text(502, "<html>"), Reply::Text(503, ""), no_flows()]).await;
    read(&server.adobe()).await.expect("succeeds");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_post_that_may_have_been_carried_out_is_never_repeated() {
    let unclear = [
        (Reply::Text(500, ""), Class::Unavailable),
        (Reply::Text(408, ""), Class::Unavailable),
        (Reply::Text(404, "<html>"), Class::Unreadable),
        (Reply::Text(201, "{\"id\""), Class::Unreadable),
        (Reply::Json(201, json!({"etag": "1"})), Class::Unreadable),
    ];
    for (reply, class) in unclear {
        let server = Server::start([reply]).await;
        let error = server
            .adobe()
            .flow_service()
            .create::<Flow>(&json!({}))
            .await
            .expect_err("fails");
        assert_eq!(*error.class(), class);
        assert!(error.is_ambiguous(), "{error}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_interrupted() {
    let server = Server::start([Reply::Hang]).await;
    let mut settings = settings(&server.url, oauth());
    settings.timeout = Duration::from_secs(1);
    let adobe = pool().open(settings);
    let error = adobe
        .flow_service()
        .create::<Flow>(&json!({}))
        .await
        .expect_err("no answer");
    assert_eq!(*error.class(), Class::Interrupted);
    assert!(error.is_ambiguous());
    assert!(error.request_id().is_some());
    assert_eq!(error.to_string(), "Flow Service: no answer in time");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_interrupted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback");
    let broken = format!("http://{}", listener.local_addr().expect("address"));
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut start = [0; 64];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut start).await;
        }
    });
    let ims = Server::start([]).await;
    let mut settings = settings(&ims.url, oauth());
    settings.endpoints.platform = broken;
    let adobe = pool().open(settings);
    let error = adobe
        .flow_service()
        .create::<Flow>(&json!({}))
        .await
        .expect_err("breaks");
    assert_eq!(*error.class(), Class::Interrupted, "{error}");
    assert!(error.is_ambiguous());
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    read(&adobe).await.expect_err("breaks");
    assert_eq!(accepted.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn nothing_is_sent_without_permission_and_that_is_not_ambiguous() {
    let server = Server::start([no_flows()]).await;
    let given = Arc::new(AtomicBool::new(true));
    let asked = given.clone();
    let permission = Permission::new(move || asked.load(Ordering::SeqCst));
    let adobe = server.adobe().permission(permission.clone());
    read(&adobe).await.expect("permitted");
    given.store(false, Ordering::SeqCst);
    let flows = adobe.flow_service();
    let error = flows.create::<Flow>(&json!({})).await.expect_err("refused");
    assert_eq!(*error.class(), Class::Unreachable);
    assert!(!error.is_ambiguous());
    let fresh = server.adobe().permission(permission);
    read(&fresh)
        .await
        .expect_err("not even a token is asked for");
    assert_eq!((server.seen().len(), server.token_requests().len()), (1, 1));
}

#[tokio::test]
async fn a_request_that_was_never_sent_is_unreachable_and_not_ambiguous() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback");
    let closed = format!("http://{}", listener.local_addr().expect("address"));
    drop(listener);
    let ims = Server::start([]).await;
    let mut settings = settings(&ims.url, oauth());
    settings.endpoints.platform = closed;
    let adobe = pool().open(settings);
    let error = adobe
        .flow_service()
        .create::<Flow>(&json!({}))
        .await
        .expect_err("closed");
    assert_eq!(*error.class(), Class::Unreachable);
    assert!(!error.is_ambiguous());
    assert!(
        error
            .to_string()
            .starts_with("Flow Service: cannot be reached: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_long_pause_holds_back_every_clone_without_a_call() {
    let server = Server::start([throttled(38), no_flows()]).await;
    let adobe = server.adobe();
    let first = read(&adobe).await.expect_err("throttled");
    assert_eq!(
        (first.class(), first.status()),
        (&Class::Throttled, Some(429))
    );
    assert_eq!(first.code(), Some("429050"));
    assert!(
        first
            .retry_after()
            .is_some_and(|wait| wait > Duration::from_secs(37))
    );
    let clone = adobe.clone();
    let second = clone.catalog().get("x").await.expect_err("held back");
    assert_eq!(
        (second.class(), second.service()),
        (&Class::Throttled, Service::Catalog)
    );
    assert!(
        second
            .retry_after()
            .is_some_and(|wait| wait <= Duration::from_secs(38))
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_short_pause_is_waited_out_even_by_a_post() {
    let server = Server::start([throttled(1), Reply::Json(201, json!({"id": "f"}))]).await;
    let started = Instant::now();
    server
        .adobe()
        .flow_service()
        .create::<Flow>(&json!({}))
        .await
        .expect("created");
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_pause_may_also_be_given_as_an_instant() {
    let body = json!({"error_code": "429050", "message": "Too many requests"});
    let until = jiff::Timestamp::now() + Duration::from_secs(90);
    let until = until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let server = Server::start([Reply::With(429, "retry-after", until, body)]).await;
    let error = read(&server.adobe()).await.expect_err("throttled");
    let wait = error.retry_after().expect("named").as_secs();
    assert!((60..=90).contains(&wait), "{wait}");
}

#[tokio::test]
async fn an_unavailable_service_may_ask_for_a_pause_too() {
    let away = Reply::With(503, "retry-after", "30".into(), json!({}));
    let server = Server::start([away]).await;
    let adobe = server.adobe();
    assert_eq!(
        *read(&adobe).await.expect_err("away").class(),
        Class::Unavailable
    );
    assert_eq!(
        *read(&adobe).await.expect_err("held back").class(),
        Class::Throttled
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_oversized_answer_is_not_read() {
    let body = json!({"items": [], "padding": "x".repeat(17 << 20)});
    let server = Server::start([Reply::Json(200, body)]).await;
    let error = read(&server.adobe()).await.expect_err("too large");
    assert_eq!(*error.class(), Class::Unreadable);
    assert_eq!(error.to_string(), "Flow Service: the answer is too large");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start([no_flows()]).await;
    let moved = |status| Reply::With(status, "location", elsewhere.url.clone(), json!({}));
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start([moved(status)]).await;
        let error = read(&server.adobe()).await.expect_err("no answer");
        assert_eq!(*error.class(), Class::Unreadable, "{status}");
        let server = Server::start([no_flows()]).await.tokens([moved(status)]);
        read(&server.adobe()).await.expect_err("no token");
    }
    assert!(elsewhere.seen().is_empty() && elsewhere.token_requests().is_empty());
}

#[tokio::test]
async fn throttling_without_a_time_is_waited_out_too() {
    let body = json!({"error_code": "429050", "message": "Too many requests"});
    let server = Server::start([Reply::Json(429, body), no_flows()]).await;
    read(&server.adobe()).await.expect("succeeds");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_etag_goes_back_as_it_came() {
    let etag = "\"8000c843-0000-0200-0000-5e8917ea0000\"";
    let server = Server::start([Reply::Json(200, json!({"id": "f", "etag": etag}))]).await;
    let ops = [PatchOp::replace("/name", "new")];
    let made = server
        .adobe()
        .flow_service()
        .patch::<Flow>("f", etag, &ops)
        .await
        .expect("done");
    assert_eq!(made.etag.as_deref(), Some(etag));
    let seen = server.seen().remove(0);
    assert_eq!(seen.target(), "PATCH /data/foundation/flowservice/flows/f");
    assert_eq!(seen.header("if-match"), etag);
    assert_eq!(
        seen.body,
        r#"[{"op":"replace","path":"/name","value":"new"}]"#
    );
}

#[tokio::test]
async fn every_call_carries_credentials_organisation_and_sandbox() {
    let server = Server::start([no_flows()]).await;
    let adobe = server.adobe();
    read(&adobe).await.expect("succeeds");
    read(&adobe).await.expect("succeeds");
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(seen[0].header("x-api-key"), "client");
    assert_eq!(
        seen[0].header("x-gw-ims-org-id"),
        "0123456789ABCDEF@AdobeOrg"
    );
    assert_eq!(seen[0].header("x-sandbox-name"), "prod");
    assert_eq!(seen[0].header("x-request-id").len(), 36);
    assert_ne!(
        seen[0].header("x-request-id"),
        seen[1].header("x-request-id")
    );
    assert!(seen[0].header("user-agent").starts_with("aep-operator/"));
}

#[tokio::test]
async fn an_unreadable_answer_names_the_field_but_not_its_value() {
    let server = Server::start([Reply::Json(200, json!({"items": 4711}))]).await;
    let error = read(&server.adobe()).await.expect_err("unreadable");
    assert_eq!(*error.class(), Class::Unreadable);
    assert_eq!(
        error.to_string(),
        "Flow Service: cannot read field `items`: expected a sequence"
    );
}

#[tokio::test]
async fn secrets_that_adobe_repeats_are_redacted() {
    let words = format!("bad value hunter2-canary with {TOKEN} and {SECRET}");
    let server = Server::start([Reply::Json(400, json!({"errorMessage": words}))]).await;
    let params = json!({"host": "h", "password": "hunter2-canary"});
    let Value::Object(params) = params else {
        unreachable!()
    };
    let auth = Auth {
        spec_name: "Basic".into(),
        params,
    };
    let body = NewConnection {
        name: "c".into(),
        description: None,
        auth: Some(auth),
        connection_spec: SpecRef {
            id: "s".into(),
            version: None,
        },
    };
    let adobe = server.adobe();
    let created = adobe
        .flow_service()
        .create::<Connection>(&body)
        .await
        .expect_err("refused");
    let ops = [PatchOp::replace(
        "/auth/params",
        json!({"password": "hunter2-canary"}),
    )];
    let patched = adobe
        .flow_service()
        .patch::<Connection>("c", "\"1\"", &ops)
        .await
        .expect_err("refused");
    for shown in [
        format!("{created} {created:?}"),
        format!("{patched} {patched:?}"),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("bad value *** with *** and ***"), "{shown}");
    }
    assert!(!format!("{body:?} {ops:?}").contains("canary"));
}

#[test]
fn calls_can_be_made_from_any_task() {
    fn is_send<T: Send>(_: &T) {}
    async fn generic<E: crate::adobe::FlowEntity>(adobe: Adobe) {
        drop(adobe.flow_service().list::<E>(&[]).await);
        drop(adobe.flow_service().get::<E>("id").await);
    }
    fn of_any_type<E: crate::adobe::FlowEntity>(adobe: &Adobe) {
        is_send(&generic::<E>(adobe.clone()));
    }
    let adobe = pool().open(settings("http://localhost", oauth()));
    of_any_type::<Flow>(&adobe);
    is_send(&adobe.schema_registry().descriptors(&[]));
    is_send(&adobe.catalog().list(None, None));
    is_send(&adobe.data_prep().list(None));
}

#[test]
fn an_id_cannot_lead_elsewhere() {
    let url = |id: &str| {
        let call = Call::new(Service::FlowService, Method::Delete, "/flows/{id}").id(id);
        call.url("https://platform.adobe.io/").map(String::from)
    };
    for id in ["", ".", ".."] {
        assert_eq!(*url(id).expect_err("refused").class(), Class::Rejected);
    }
    assert_eq!(
        url("../a?b#c d").expect("a url"),
        "https://platform.adobe.io/data/foundation/flowservice/flows/..%2Fa%3Fb%23c%20d"
    );
}

/// A gate of one handle.
fn gate(limits: Limits) -> Share {
    Share::new(Arc::new(Gate::new(RetryPolicy::default())), limits)
}

fn limits(requests_per_second: u32, burst: u32, max_concurrent_requests: u32) -> Limits {
    Limits {
        requests_per_second,
        burst,
        max_concurrent_requests,
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_never_exceeded() {
    let gate = gate(limits(20, 40, 8));
    let started = Instant::now();
    let mut admitted = Vec::new();
    for _ in 0..200 {
        drop(
            gate.admit(Service::Catalog, started)
                .await
                .expect("admitted"),
        );
        admitted.push(started.elapsed());
    }
    for (index, from) in admitted.iter().enumerate() {
        let window = |limit: Duration| {
            admitted[index..]
                .iter()
                .filter(|at| at.saturating_sub(*from) < limit)
                .count()
        };
        assert!(window(Duration::from_secs(1)) <= 40 + 20, "from {from:?}");
        assert!(window(Duration::from_secs(5)) <= 40 + 100, "from {from:?}");
    }
    // 40 at once, then 160 at 20 per second.
    assert!(started.elapsed() >= Duration::from_millis(7950));
    assert!(started.elapsed() <= Duration::from_millis(8300));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_the_rate_limit_are_served_in_turn() {
    let gate = gate(limits(20, 1, 8));
    let served = [const { AtomicUsize::new(0) }; 4];
    // In one task, and so polled in the same order every time.
    let callers = served.iter().map(|count| async {
        loop {
            let admitted = gate.admit(Service::Catalog, Instant::now()).await;
            drop(admitted.expect("admitted"));
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let callers = futures::future::join_all(callers);
    let ended = tokio::time::timeout(Duration::from_secs(10), callers).await;
    assert!(ended.is_err());
    let served = served.map(|count| count.load(Ordering::SeqCst));
    assert!(served.iter().all(|it| (49..=51).contains(it)), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_than_allowed_are_in_flight() {
    let gate = gate(limits(10_000, 10_000, 3));
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = (0..50).map(|_| async {
        let _permit = gate
            .admit(Service::Catalog, Instant::now())
            .await
            .expect("admitted");
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        running.fetch_sub(1, Ordering::SeqCst);
    });
    futures::future::join_all(work).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

/// Takes so many rights to send, one after the other, and returns how long that took.
async fn time_of(count: u32, gate: &Gate) -> Duration {
    let started = Instant::now();
    for _ in 0..count {
        drop(
            gate.admit(Service::Catalog, started)
                .await
                .expect("admitted"),
        );
    }
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn of_the_limits_of_several_handles_the_strictest_apply_as_long_as_their_handle_lives() {
    let strict = gate(limits(10, 20, 2));
    let fast = Share::new(strict.gate(), limits(100, 1, 8));
    // The rate and the concurrency of the one, the burst of the other.
    assert!(time_of(21, &fast).await >= Duration::from_secs(2));
    assert_eq!(fast.free_slots(), 2);
    drop(strict);
    let time = time_of(21, &fast).await;
    assert!(time < Duration::from_millis(400), "{time:?}");
    assert_eq!(fast.free_slots(), 8);
    // A change does not allow for another burst.
    let other = Share::new(fast.gate(), limits(100, 1, 8));
    assert!(time_of(11, &other).await >= Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_becomes_free_is_taken_by_who_waits_for_it() {
    let gate = gate(limits(100, 100, 1));
    let admitted = || gate.admit(Service::Catalog, Instant::now());
    let first = admitted().await.expect("admitted");
    let (second, third) = (admitted(), admitted());
    tokio::pin!(second, third);
    assert!(futures::poll!(&mut second).is_pending());
    assert!(futures::poll!(&mut third).is_pending());
    drop(first);
    // Whoever gives up does not take the slot with it.
    assert!(futures::poll!(&mut third).is_pending());
    second.set(admitted());
    drop(third.await.expect("admitted"));
    drop(second.await.expect("admitted"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_out_a_pause_holds_no_permit() {
    let gate = gate(limits(100, 100, 1));
    gate.pause_for(Some(Duration::from_secs(2)));
    let started = Instant::now();
    let waiting = gate.admit(Service::Catalog, started);
    tokio::pin!(waiting);
    assert!(futures::poll!(&mut waiting).is_pending());
    assert_eq!(gate.free_slots(), 1);
    drop(waiting.await.expect("admitted"));
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn repeated_throttling_doubles_the_pause_and_success_forgets_it() {
    let gate = gate(limits(100, 100, 8));
    let mut waits = Vec::new();
    for _ in 0..9 {
        let wait = gate.pause_for(None);
        // Those that were under way together count once.
        assert!(gate.pause_for(None) <= wait.mul_f64(1.5));
        waits.push(wait);
        tokio::time::advance(wait * 2).await;
    }
    assert!(waits[0] >= Duration::from_millis(800) && waits[0] < Duration::from_millis(1200));
    assert!(waits[3] >= Duration::from_millis(6400));
    assert!(waits[8] <= Duration::from_secs(72));
    gate.reset();
    assert!(gate.pause_for(None) < Duration::from_millis(1200));
}

#[tokio::test(start_paused = true)]
async fn a_shorter_pause_does_not_end_a_longer_one() {
    let gate = gate(limits(100, 100, 8));
    gate.pause_for(Some(Duration::from_secs(60)));
    assert!(gate.pause_for(Some(Duration::from_secs(1))) > Duration::from_secs(59));
    // Whatever Adobe says, a pause ends.
    assert!(gate.pause_for(Some(Duration::from_secs(100_000))) <= Duration::from_secs(600));
}
