//! What handles of one pool share, and what they do not.

use std::time::Duration;

use serde_json::json;

use super::{Reply, Server, issued, oauth, pool, settings};
use crate::adobe::{Adobe, Class, Credentials, Flow, Settings};

const CLIENT: [&str; 1] = ["openid"];

fn client(client_id: &str, secret: &str, scopes: &[&str]) -> Credentials {
    Credentials::OAuth {
        client_id: client_id.into(),
        client_secret: secret.to_owned().into(),
        scopes: scopes.iter().map(|it| (*it).to_owned()).collect(),
    }
}

async fn read(adobe: &Adobe) -> crate::adobe::Result<Vec<Flow>> {
    let found = adobe.flow_service().list::<Flow>(&[]).await?;
    Ok(found.items)
}

/// A server that issues a token of its own at each request.
async fn server() -> Server {
    let tokens = (1..20).map(|it| Reply::Json(200, issued(&format!("token-{it}"), 86_399)));
    let server = Server::start([Reply::Json(200, json!({"items": []}))]).await;
    server.tokens(tokens)
}

/// The settings of another handle, which differ from the first one's as told.
fn other(server: &Server, change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = settings(&server.url, client("client", "s3cr3t", &CLIENT));
    change(&mut settings);
    settings
}

#[tokio::test]
async fn handles_with_the_same_credentials_use_one_token_in_every_sandbox() {
    let (server, pool) = (server().await, pool());
    let sandboxes = ["prod", "prod", "stage"];
    let all = sandboxes.map(|name| pool.open(other(&server, |it| it.sandbox_name = name.into())));
    for adobe in &all {
        read(adobe).await.expect("succeeds");
    }
    assert_eq!(server.token_requests().len(), 1);
    assert_eq!(pool.in_use(), (1, 2));
}

#[tokio::test]
async fn handles_with_other_credentials_never_use_the_same_token() {
    let (server, pool) = (server().await, pool());
    let credentials = [
        client("client", "s3cr3t", &CLIENT),
        client("client", "another", &CLIENT),
        client("other", "s3cr3t", &CLIENT),
        client("client", "s3cr3t", &["openid", "session"]),
        client("client", "s3cr3t", &["openidsession"]),
        client("clients3cr3t", "", &CLIENT),
    ];
    let mut all: Vec<_> = credentials
        .into_iter()
        .map(|credentials| other(&server, |it| it.credentials = credentials))
        .collect();
    all.push(other(&server, |it| it.ims_org_id = "OTHER@AdobeOrg".into()));
    let all: Vec<_> = all.into_iter().map(|it| pool.open(it)).collect();
    for adobe in all.iter().chain(&all) {
        read(adobe).await.expect("succeeds");
    }
    assert_eq!(server.token_requests().len(), all.len());
    let seen = server.seen();
    let used = seen.iter().map(|it| it.header("authorization").to_owned());
    let used: Vec<_> = used.collect();
    let (first, second) = used.split_at(all.len());
    assert_eq!(first, second);
    let different: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(different.len(), all.len(), "{used:?}");
}

#[tokio::test]
async fn a_pause_holds_back_all_handles_on_the_sandbox_and_none_on_another() {
    let throttled = Reply::With(429, "retry-after", "38".into(), json!({}));
    let server = Server::start([throttled, Reply::Json(200, json!({"items": []}))]).await;
    let pool = pool();
    let first = pool.open(other(&server, |_| {}));
    // Another secret of the same client is still the same client.
    let same = pool.open(other(&server, |it| {
        it.credentials = client("client", "next", &CLIENT);
    }));
    let stage = pool.open(other(&server, |it| it.sandbox_name = "stage".into()));
    read(&first).await.expect_err("throttled");
    let held_back = read(&same).await.expect_err("held back");
    assert_eq!(*held_back.class(), Class::Throttled);
    read(&stage).await.expect("another sandbox");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn ims_is_left_alone_by_all_handles_as_long_as_it_asks() {
    let throttled = Reply::With(429, "retry-after", "38".into(), json!({}));
    let server = Server::start([]).await.tokens([throttled]);
    let pool = pool();
    let sandboxes = ["prod", "stage", "dev"];
    let all = sandboxes.map(|name| pool.open(other(&server, |it| it.sandbox_name = name.into())));
    for adobe in &all {
        let error = read(adobe).await.expect_err("throttled");
        assert_eq!(*error.class(), Class::Throttled);
        assert!(error.retry_after() > Some(Duration::from_secs(30)));
    }
    assert_eq!(server.token_requests().len(), 1);
}

#[tokio::test]
async fn what_is_shared_goes_with_its_last_handle() {
    let (server, pool) = (server().await, pool());
    let adobe = pool.open(settings(&server.url, oauth()));
    for secret in ["first", "second", "third"] {
        let rotated = client("client", secret, &CLIENT);
        let rotated = pool.open(settings(&server.url, rotated));
        read(&rotated).await.expect("succeeds");
    }
    assert_eq!(pool.in_use(), (1, 1));
    drop(adobe);
    assert_eq!(pool.in_use(), (0, 0));
}
