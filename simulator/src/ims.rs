//! Adobe's Identity Management Service: access tokens for client credentials.

use std::collections::HashMap;

use serde_json::json;

use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::{Ids, Organisation};

/// A token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) client_id: String,
    pub(crate) expires_ms: i64,
}

/// The tokens issued and not revoked.
pub(crate) type Tokens = HashMap<String, Token>;

/// What issuing a token needs besides the request.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) organisations: &'a [Organisation],
    pub(crate) tokens: &'a mut Tokens,
    pub(crate) ids: &'a mut Ids,
    pub(crate) profile: Profile,
    pub(crate) now_ms: i64,
    pub(crate) lifetime_s: i64,
}

/// Answers one request to IMS; `form` is the decoded form body, which wins over the query.
pub(crate) fn answer(request: &Request, form: &[(String, String)], desk: &mut Desk<'_>) -> Answer {
    let known = matches!(request.segments().as_slice(), ["ims", "token", "v2" | "v3"]);
    if !known || request.method != "POST" {
        let jwt = matches!(request.segments().as_slice(), ["ims", "exchange", ..]);
        return if jwt {
            refusal(
                "unsupported_grant_type",
                "service account (JWT) credentials have ended",
            )
        } else {
            Answer::html_not_found()
        };
    }
    let field = |name: &str| {
        let from_form = form
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str());
        from_form
            .or_else(|| request.query(name))
            .unwrap_or_default()
    };
    if let Err(refused) = check(&field, desk) {
        return refused;
    }
    issue(field("client_id"), desk)
}

fn issue(client_id: &str, desk: &mut Desk<'_>) -> Answer {
    let token = format!(
        "eyJhbGciOiJub25lIn0.{}.{}",
        desk.ids.hex(48),
        desk.ids.hex(32)
    );
    let expires_ms = desk.now_ms + desk.lifetime_s * 1000;
    desk.tokens.insert(
        token.clone(),
        Token {
            client_id: client_id.to_owned(),
            expires_ms,
        },
    );
    Answer::json(
        200,
        json!({ "access_token": token, "token_type": "bearer", "expires_in": desk.lifetime_s }),
    )
}

fn check<'f>(field: &impl Fn(&str) -> &'f str, desk: &Desk<'_>) -> Result<(), Answer> {
    if field("grant_type") != "client_credentials" {
        return Err(refusal(
            "unsupported_grant_type",
            "grant_type must be client_credentials",
        ));
    }
    let secrets = desk
        .organisations
        .iter()
        .find_map(|o| o.clients.get(field("client_id")));
    let Some(secrets) = secrets else {
        return Err(refusal("invalid_client", "invalid client_id parameter"));
    };
    if !secrets
        .iter()
        .any(|secret| secret == field("client_secret"))
    {
        return Err(refusal("invalid_client", "invalid client_secret parameter"));
    }
    let mut scopes = field("scope")
        .split([',', ' '])
        .filter(|scope| !scope.is_empty());
    if scopes.clone().any(|scope| scope.contains("invalid"))
        || (desk.profile == Profile::Strict && scopes.next().is_none())
    {
        return Err(refusal("invalid_scope", "invalid scope parameter"));
    }
    Ok(())
}

fn refusal(error: &str, description: &str) -> Answer {
    Answer::json(
        400,
        json!({ "error": error, "error_description": description }),
    )
    .with_header("x-debug-id", "simulator")
}
