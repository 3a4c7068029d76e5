use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Recorder, Reply, SECRET, Server, TOKEN, issued, oauth, pool, settings};
use crate::adobe::{Class, Credentials, Flow, Service};

fn no_flows() -> Reply {
    Reply::Json(200, json!({"items": []}))
}

fn unauthorised() -> Reply {
    Reply::Json(
        401,
        json!({"error_code": 401_013, "message": "Oauth token is not valid"}),
    )
}

#[tokio::test]
async fn a_hundred_calls_at_once_ask_for_one_token() {
    let server = Server::start([no_flows()]).await;
    let adobe = server.adobe();
    let calls = (0..100).map(|_| async { adobe.flow_service().list::<Flow>(&[]).await });
    futures::future::try_join_all(calls)
        .await
        .expect("all succeed");
    assert_eq!(server.token_requests().len(), 1);
    assert_eq!(server.seen().len(), 100);
}

#[tokio::test]
async fn a_token_request_keeps_everything_in_its_body() {
    let server = Server::start([no_flows()]).await;
    server
        .adobe()
        .flow_service()
        .list::<Flow>(&[])
        .await
        .expect("succeeds");
    let request = server.token_requests().remove(0);
    assert_eq!(request.target(), "POST /ims/token/v3");
    assert_eq!(
        request.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        request.body,
        format!(
            "grant_type=client_credentials&client_id=client&client_secret={SECRET}&scope=openid%2CAdobeID"
        )
    );
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_even_for_a_post() {
    let created = Reply::Json(201, json!({"id": "f", "etag": "\"1\""}));
    let server = Server::start([unauthorised(), created]).await.tokens([
        Reply::Json(200, issued("old", 86_399)),
        Reply::Json(200, issued("new", 86_399)),
    ]);
    let made = server
        .adobe()
        .flow_service()
        .create::<Flow>(&json!({}))
        .await
        .expect("created");
    assert_eq!(made.id, "f");
    let sent: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").to_owned())
        .collect();
    assert_eq!(sent, ["Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn tokens_that_are_lost_in_a_row_are_renewed_with_backoff() {
    let server = Server::start([unauthorised(), unauthorised(), no_flows()]).await;
    let started = Instant::now();
    let flows = server.adobe();
    flows
        .flow_service()
        .list::<Flow>(&[])
        .await
        .expect("succeeds");
    assert_eq!((server.seen().len(), server.token_requests().len()), (3, 3));
    // The first one is replaced at once.
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn who_refuses_every_token_is_not_hammered() {
    let server = Server::start([unauthorised()]).await;
    let adobe = server.adobe();
    let calls = (0..100).map(|_| async { adobe.flow_service().list::<Flow>(&[]).await });
    for outcome in futures::future::join_all(calls).await {
        let error = outcome.expect_err("refused");
        assert_eq!(*error.class(), Class::TokenRefused);
        assert_eq!(error.code(), Some("401013"));
        assert!(!error.is_ambiguous());
    }
    // At most as many as may be in flight, for each of the first tokens.
    let (calls, tokens) = (server.seen().len(), server.token_requests().len());
    assert!(calls <= 4 * 8 && tokens <= 4, "{calls} {tokens}");
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_has_expired_and_ims_is_never_asked() {
    let server = Server::start([unauthorised()]).await;
    let credentials = Credentials::Token {
        client_id: "client".into(),
        access_token: TOKEN.into(),
    };
    let settings = settings(&server.url, credentials);
    let adobe = pool().open(settings);
    let error = adobe
        .flow_service()
        .list::<Flow>(&[])
        .await
        .expect_err("refused");
    assert_eq!(*error.class(), Class::TokenExpired);
    assert_eq!((server.seen().len(), server.token_requests().len()), (1, 0));
}

#[tokio::test]
async fn rejected_credentials_are_not_hammered() {
    let refused = json!({"error": "invalid_client",
        "error_description": format!("invalid client_secret parameter {SECRET}")});
    let server = Server::start([no_flows()])
        .await
        .tokens([Reply::Json(400, refused)]);
    let adobe = server.adobe();
    let calls = (0..50).map(|_| async { adobe.flow_service().list::<Flow>(&[]).await });
    for outcome in futures::future::join_all(calls).await {
        let error = outcome.expect_err("refused");
        assert_eq!(*error.class(), Class::CredentialsRejected);
        assert_eq!(error.service(), Service::Ims);
        assert_eq!(
            error.to_string(),
            "Adobe IMS: invalid client_secret parameter *** (invalid_client)"
        );
    }
    assert_eq!((server.seen().len(), server.token_requests().len()), (0, 1));
}

#[tokio::test]
async fn a_failing_ims_does_not_make_an_unsent_post_ambiguous() {
    let server = Server::start([no_flows()])
        .await
        .tokens([Reply::Text(503, "")]);
    let error = server
        .adobe()
        .flow_service()
        .create::<Flow>(&json!({}))
        .await
        .expect_err("fails");
    assert_eq!(*error.class(), Class::Unavailable);
    assert!(!error.is_ambiguous());
    assert_eq!((server.seen().len(), server.token_requests().len()), (0, 3));
}

#[tokio::test]
async fn a_token_near_its_expiry_stays_in_use_while_its_renewal_fails() {
    let server = Server::start([no_flows()]).await.tokens([
        Reply::Json(200, issued("short", 3600)),
        Reply::Json(400, json!({"error": "invalid_client"})),
    ]);
    let adobe = server.adobe();
    adobe
        .flow_service()
        .list::<Flow>(&[])
        .await
        .expect("succeeds");
    // Only the clock of the token moves: no request is under way while it does.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3300)).await;
    tokio::time::resume();
    for _ in 0..3 {
        adobe
            .flow_service()
            .list::<Flow>(&[])
            .await
            .expect("succeeds on the old token");
    }
    assert_eq!(server.token_requests().len(), 2);
    assert!(
        server
            .seen()
            .iter()
            .all(|seen| seen.header("authorization") == "Bearer short")
    );
}

#[tokio::test]
async fn every_attempt_is_reported_token_requests_included() {
    let server = Server::start([Reply::Text(503, ""), no_flows()]).await;
    let notes = Arc::new(Recorder::default());
    let adobe = server.adobe().meter(notes.clone());
    adobe
        .flow_service()
        .list::<Flow>(&[])
        .await
        .expect("succeeds");
    let seen: Vec<_> = notes
        .0
        .lock()
        .expect("lock")
        .iter()
        .map(|attempt| {
            (
                attempt.service.label(),
                attempt.method,
                attempt.route,
                attempt.status,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("ims", "POST", "/ims/token/v3", Some(200)),
            ("flow_service", "GET", "/flows", Some(503)),
            ("flow_service", "GET", "/flows", Some(200)),
        ]
    );
}

#[test]
fn nothing_shows_a_secret() {
    let fixed = Credentials::Token {
        client_id: "c".into(),
        access_token: TOKEN.into(),
    };
    let adobe = pool().open(settings("http://localhost", oauth()));
    let shown = format!("{adobe:?} {:?} {fixed:?} {:?}", adobe.settings(), oauth());
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
    assert!(oauth().same_as(&oauth()));
    assert!(!oauth().same_as(&fixed));
}
