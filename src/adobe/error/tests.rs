use serde_json::json;

use super::{Class, Refusal};
use crate::adobe::{Redactor, Service};

fn refusal(service: Service, status: u16, body: &str) -> super::Error {
    redacted(service, status, body, &[])
}

fn redacted(service: Service, status: u16, body: &str, secrets: &[&str]) -> super::Error {
    let refusal = Refusal {
        service,
        deleting: false,
        fixed_token: false,
        status,
        body: body.as_bytes(),
        request_id: None,
        retry_after: None,
    };
    refusal.into_error(&Redactor::default(), secrets)
}

fn problem(code: &str) -> String {
    json!({"type": format!("https://ns.adobe.com/aep/errors/{code}"), "title": "Some title",
        "report": {"detailed-message": "Some detail."}, "errorMessage": "Some detail."})
    .to_string()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_documented_refusal_has_its_class() {
    use Class::{
        Busy, CredentialsRejected, InUse, NotFound, OrganisationMismatch, PermissionDenied,
        Rejected, SandboxUnknown, Stale, Throttled, TokenRefused, Unavailable, Unreadable,
    };
    use Service::{Catalog, DataPrep, FlowService, Ims, Sandboxes, SchemaRegistry};
    let gateway = |code: &str| json!({"error_code": code, "message": "words"}).to_string();
    let table = [
        (FlowService, 403, gateway("403010"), TokenRefused),
        (FlowService, 401, gateway("401013"), TokenRefused),
        (Catalog, 403, gateway("403000"), TokenRefused),
        (Catalog, 403, gateway("403003"), TokenRefused),
        (Catalog, 400, gateway("400003"), OrganisationMismatch),
        (Catalog, 403, gateway("403025"), OrganisationMismatch),
        (Catalog, 429, gateway("429050"), Throttled),
        (Catalog, 404, gateway("404000"), Unreadable),
        (
            FlowService,
            401,
            problem("FLOW-2000-401"),
            OrganisationMismatch,
        ),
        (FlowService, 404, problem("FLOW-1439-404"), NotFound),
        (FlowService, 404, problem("FLOW-2100-404"), SandboxUnknown),
        (FlowService, 404, problem("FLOW-2106-404"), SandboxUnknown),
        (FlowService, 403, problem("FLOW-2120-403"), PermissionDenied),
        (FlowService, 412, problem("FLOW-1404-412"), Stale),
        (
            FlowService,
            412,
            json!({"errorMessage": "Supplied version"}).to_string(),
            Stale,
        ),
        (FlowService, 409, "{}".into(), Stale),
        (FlowService, 400, problem("FLOW-1403-400"), Rejected),
        (FlowService, 400, problem("FLOW-1418-400"), InUse),
        (FlowService, 400, problem("FLOW-1447-400"), InUse),
        (FlowService, 400, problem("FLOW-1420-400"), Busy),
        (FlowService, 400, problem("FLOW-1457-400"), Busy),
        (
            FlowService,
            400,
            json!({"message": "Please provide a valid spec id"}).to_string(),
            Rejected,
        ),
        (
            FlowService,
            404,
            json!({"errorMessage": "not found"}).to_string(),
            NotFound,
        ),
        (FlowService, 500, problem("FLOW-1400-500"), Unavailable),
        (FlowService, 408, problem("FLOW-1006-408"), Unavailable),
        (FlowService, 503, String::new(), Unavailable),
        (FlowService, 403, String::new(), PermissionDenied),
        (FlowService, 404, String::new(), Unreadable),
        (
            FlowService,
            404,
            "<html><body>404</body></html>".into(),
            Unreadable,
        ),
        (FlowService, 302, String::new(), Unreadable),
        (SchemaRegistry, 404, problem("XDM-1012-404"), NotFound),
        (SchemaRegistry, 400, problem("XDM-1006-400"), Rejected),
        (
            SchemaRegistry,
            406,
            json!({"type": "/placeholder/type/uri", "status": 406,
            "title": "NotAcceptableError", "detail": "Accept"})
            .to_string(),
            Rejected,
        ),
        (SchemaRegistry, 422, problem("XDM-1406-422"), Rejected),
        (
            Catalog,
            404,
            json!({"title": "NotFoundError", "detail": "DataSet not found."}).to_string(),
            NotFound,
        ),
        (
            Catalog,
            403,
            json!({"title": "ForbiddenError"}).to_string(),
            PermissionDenied,
        ),
        (DataPrep, 400, String::new(), Rejected),
        (
            Sandboxes,
            403,
            json!({"status": 403, "title": "no",
            "type": "http://ns.adobe.com/aep/errors/SMS-2010-403"})
            .to_string(),
            PermissionDenied,
        ),
        (
            Ims,
            400,
            json!({"error": "invalid_client"}).to_string(),
            CredentialsRejected,
        ),
        (
            Ims,
            401,
            json!({"error": "invalid_scope"}).to_string(),
            CredentialsRejected,
        ),
        (Ims, 404, "<html>".into(), Unreadable),
        (Ims, 429, String::new(), Throttled),
        (Ims, 502, "<html>".into(), Unavailable),
    ];
    for (service, status, body, class) in table {
        let error = refusal(service, status, &body);
        assert_eq!(*error.class(), class, "{service} {status} {body}");
        assert_eq!(error.status(), Some(status));
    }
}

#[test]
fn a_taken_title_names_its_owner_in_both_forms() {
    let id = "https://ns.adobe.com/acme/classes/0123abcd";
    let detail =
        format!("Object titles must be unique. An object {id} already exists with the same title.");
    let today = json!({"type": "http://ns.adobe.com/aep/errors/XDM-1521-400", "status": 400,
        "title": "Title not unique", "report": {"registryRequestId": "x"}, "detail": detail});
    let older = json!({"type": "/placeholder/type/uri", "status": 400, "title": "BadRequestError",
        "detail": format!("Title must be unique. An object {id} already exists with the same title.")});
    for body in [today, older] {
        let error = refusal(Service::SchemaRegistry, 400, &body.to_string());
        assert_eq!(*error.class(), Class::TitleTaken { id: id.into() });
    }
}

#[test]
fn a_refused_deletion_is_an_object_in_use() {
    for (status, body) in [(400, "{\"title\":\"no\"}"), (409, "{}"), (422, "{}")] {
        let refusal = Refusal {
            service: Service::SchemaRegistry,
            deleting: true,
            fixed_token: false,
            status,
            body: body.as_bytes(),
            request_id: None,
            retry_after: None,
        };
        assert_eq!(
            *refusal.into_error(&Redactor::default(), &[]).class(),
            Class::InUse,
            "{status}"
        );
    }
}

#[test]
fn the_text_repeats_title_detail_and_code() {
    let error = refusal(Service::FlowService, 400, &problem("FLOW-1455-400"));
    assert_eq!(
        error.to_string(),
        "Flow Service: Some title: Some detail (FLOW-1455-400)"
    );
    assert_eq!(
        (error.code(), error.message()),
        (Some("FLOW-1455-400"), "Some title: Some detail")
    );
    let page = refusal(Service::Catalog, 404, "<html>request 12345678</html>");
    assert_eq!(
        page.to_string(),
        "Catalog: an HTML page instead of an answer, status 404"
    );
}

#[test]
fn nothing_that_differs_per_attempt_gets_into_the_text() {
    let text = |id: &str| {
        let body = json!({"title": "Oops", "status": 500,
            "report": {"request-id": id, "detailed-message": format!("see request {id}")}});
        let error = refusal(Service::FlowService, 500, &body.to_string());
        assert_eq!(error.request_id(), Some(id));
        error.to_string()
    };
    assert_eq!(text("11111111-2222"), text("33333333-4444"));
}

#[test]
fn a_secret_is_redacted_even_where_the_answer_quotes_it() {
    let secret = "two\nlines \"s3cr3t\"";
    let quoted = json!({ "password": secret }).to_string();
    let body = json!({"title": "Oops", "status": 400, "report": {"detailed-message": quoted}});
    let error = redacted(Service::FlowService, 400, &body.to_string(), &[secret]);
    let text = error.to_string();
    assert!(text.contains("***") && !text.contains("s3cr3t"), "{text}");
}

#[test]
fn a_long_answer_is_cut_at_a_character() {
    let error = refusal(Service::DataPrep, 400, &"ä".repeat(2000));
    assert_eq!(error.message().chars().count(), 501);
}
