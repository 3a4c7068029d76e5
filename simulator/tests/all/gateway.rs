//! Tokens, the gateway's checks and sandboxes.

use std::time::Duration;

use aep_simulator::Options;
use reqwest::Method;

use crate::client::{ORGANISATION, Rig, options, send};

#[tokio::test]
async fn a_call_without_authorization_is_forbidden() {
    let rig = Rig::lenient().await;
    let reply = send(rig.bare(Method::GET, "/flows")).await;
    assert_eq!(
        (reply.status, reply.body["error_code"].as_str()),
        (403, Some("403010"))
    );
}

#[tokio::test]
async fn a_garbage_token_and_an_expired_one_are_unauthorized() {
    let mut rig = Rig::with(Options {
        token_lifetime: Duration::from_secs(60),
        ..options()
    })
    .await;
    rig.simulator.advance(Duration::from_secs(61));
    let expired = rig.get("/flows").await;
    assert_eq!(
        (expired.status, expired.body["error_code"].as_str()),
        (401, Some("401013"))
    );
    rig.token = "garbage".to_owned();
    let garbage = rig.get("/flows").await;
    assert_eq!(
        (garbage.status, garbage.body["error_code"].as_str()),
        (401, Some("401013"))
    );
}

#[tokio::test]
async fn a_revoked_token_is_unauthorized_and_the_next_one_is_good() {
    let mut rig = Rig::lenient().await;
    rig.simulator.revoke_tokens();
    assert_eq!(rig.get("/flows").await.status, 401);
    let next = rig.sign_in("demo-secret").await;
    rig.token = next.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(rig.get("/flows").await.status, 200);
}

#[tokio::test]
async fn the_api_key_must_be_there_and_known() {
    let rig = Rig::lenient().await;
    let request = || {
        rig.bare(Method::GET, "/flows")
            .bearer_auth(&rig.token)
            .header("x-gw-ims-org-id", ORGANISATION)
    };
    let missing = send(request()).await;
    assert_eq!(
        (missing.status, missing.body["error_code"].as_str()),
        (403, Some("403000"))
    );
    let unknown = send(request().header("x-api-key", "nobody")).await;
    assert_eq!(
        (unknown.status, unknown.body["error_code"].as_str()),
        (403, Some("403003"))
    );
}

#[tokio::test]
async fn the_organisation_must_be_there_and_the_callers_own() {
    let rig = Rig::lenient().await;
    let request = || {
        rig.bare(Method::GET, "/flows")
            .bearer_auth(&rig.token)
            .header("x-api-key", "aep-operator-demo")
    };
    let missing = send(request()).await;
    assert_eq!(
        (missing.status, missing.body["error_code"].as_str()),
        (400, Some("400003"))
    );
    let foreign = send(request().header("x-gw-ims-org-id", "FEDCBA9876543210@AdobeOrg")).await;
    assert_eq!(
        (foreign.status, foreign.body["error_code"].as_str()),
        (403, Some("403025"))
    );
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    for (rig, status) in [(Rig::lenient().await, 400), (Rig::strict().await, 415)] {
        let plain = rig
            .request(Method::POST, "/connections")
            .header("content-type", "text/plain")
            .body("{}");
        let reply = send(plain).await;
        assert_eq!(
            (reply.status, reply.body["title"].as_str()),
            (status, Some("BadRequestError"))
        );
    }
}

#[tokio::test]
async fn an_unknown_sandbox_is_not_found() {
    let rig = Rig::lenient().await;
    let keyed = |sandbox: &str| {
        let request = rig
            .bare(Method::GET, "/flows")
            .bearer_auth(&rig.token)
            .header("x-api-key", "aep-operator-demo");
        request
            .header("x-gw-ims-org-id", ORGANISATION)
            .header("x-sandbox-name", sandbox)
    };
    assert_eq!(send(keyed("nowhere")).await.code(), (404, "FLOW-2100-404"));
    assert_eq!(send(keyed("creating")).await.code(), (404, "FLOW-2100-404"));
    rig.simulator
        .set_sandbox_state("creating", "active")
        .unwrap();
    assert_eq!(send(keyed("creating")).await.status, 200);
}

#[tokio::test]
async fn without_a_sandbox_header_the_default_sandbox_answers_and_the_letter_refuses() {
    for (rig, strict) in [(Rig::lenient().await, false), (Rig::strict().await, true)] {
        let request = rig
            .bare(Method::POST, "/connections")
            .bearer_auth(&rig.token);
        let request = request
            .header("x-api-key", "aep-operator-demo")
            .header("x-gw-ims-org-id", ORGANISATION);
        let reply = send(request.json(&crate::client::connection())).await;
        if strict {
            assert_eq!(reply.code(), (400, "FLOW-2105-400"));
        } else {
            assert_eq!(reply.status, 201);
            assert_eq!(rig.simulator.objects("prod", "connections").len(), 1);
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_an_invalid_client_until_it_is_rotated_in() {
    let rig = Rig::lenient().await;
    let wrong = rig.sign_in("new-secret").await;
    assert_eq!(
        (wrong.status, wrong.body["error"].as_str()),
        (400, Some("invalid_client"))
    );
    assert_eq!(
        wrong.body["error_description"],
        "invalid client_secret parameter"
    );
    rig.simulator
        .set_secrets(
            "aep-operator-demo",
            vec!["demo-secret".to_owned(), "new-secret".to_owned()],
        )
        .unwrap();
    let right = rig.sign_in("new-secret").await;
    assert_eq!(
        (right.status, right.body["token_type"].as_str()),
        (200, Some("bearer"))
    );
    assert_eq!(
        rig.get("/flows").await.status,
        200,
        "tokens outlive the secrets they were issued for"
    );
}

#[tokio::test]
async fn token_fields_may_come_in_the_query_and_the_body_wins() {
    let rig = Rig::lenient().await;
    let url = format!(
        "{}/ims/token/v2?grant_type=client_credentials&client_id=aep-operator-demo&client_secret=wrong&scope=openid",
        rig.simulator.url()
    );
    let reply = send(rig.http.post(url).form(&[("client_secret", "demo-secret")])).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_route_that_nobody_knows_is_answered_in_html() {
    let rig = Rig::lenient().await;
    let url = format!("{}/data/foundation/nothing", rig.simulator.url());
    let reply = send(rig.http.get(url)).await;
    assert_eq!(
        (
            reply.status,
            reply.headers["content-type"].to_str().unwrap()
        ),
        (404, "text/html")
    );
}

#[tokio::test]
async fn old_style_errors_lack_the_problem_document() {
    let rig = Rig::with(Options {
        old_style_errors: true,
        ..options()
    })
    .await;
    let reply = rig.get("/flows/none").await;
    assert_eq!(reply.status, 404);
    let members = reply.body.as_object().unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(members["errorDetails"], members["errorMessage"]);
}
