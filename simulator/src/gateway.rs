//! What every call passes before a service sees it: token, api key, organisation, content type, sandbox.

use serde_json::{Value, json};

use crate::flow_service::Problem;
use crate::http::{Answer, Body};
use crate::ims::{self, Desk};
use crate::incoming::{Incoming, Payload, Service};
use crate::profile::Profile;
use crate::state::State;
use crate::world::Organisation;
use crate::{catalog, data_prep, flow_service, identity_service, registry, sandbox_service};

/// Answers one call.
pub(crate) fn answer(incoming: &Incoming, state: &mut State) -> Answer {
    match incoming.service {
        None => Answer::html_not_found(),
        Some(Service::Ims) => token(incoming, state),
        Some(service) => {
            let answer = checked(service, incoming, state).unwrap_or_else(|refused| refused);
            if state.settings.old_style_errors {
                old_style(answer, service, incoming)
            } else {
                answer
            }
        }
    }
}

fn token(incoming: &Incoming, state: &mut State) -> Answer {
    let now_ms = state.now_ms();
    let form = if let Payload::Form(form) = &incoming.payload {
        form.as_slice()
    } else {
        &[]
    };
    let mut desk = Desk {
        organisations: &state.organisations,
        tokens: &mut state.tokens,
        ids: &mut state.ids,
        profile: state.settings.profile,
        now_ms,
        lifetime_s: i64::try_from(state.settings.token_lifetime.as_secs())
            .unwrap_or(i64::MAX / 1000),
    };
    ims::answer(&incoming.request, form, &mut desk)
}

fn checked(service: Service, incoming: &Incoming, state: &mut State) -> Result<Answer, Answer> {
    let (organisation, client_id) = caller(incoming, state)?;
    let rated = format!("{organisation}/{}", incoming.sandbox);
    if !state.take_rate(&rated) {
        return Err(
            Answer::gateway(429, "429050", "Too many requests").with_header("retry-after", "1")
        );
    }
    content_type(incoming, state.settings.profile)?;
    let (organisation, mut cx) = state.enter(organisation, &client_id);
    if service == Service::Sandbox {
        return Ok(sandbox_service::answer(
            &incoming.request,
            organisation,
            &mut cx,
        ));
    }
    let name = sandbox_name(service, incoming, organisation, cx.profile)?;
    let sandbox = organisation
        .sandboxes
        .get_mut(&name)
        .filter(|sandbox| sandbox.about["state"] == "active");
    let sandbox = sandbox.ok_or_else(|| no_sandbox(service, incoming, &name))?;
    let request = &incoming.request;
    Ok(match service {
        Service::Flow => flow_service::answer(request, sandbox, &mut cx),
        Service::Registry => registry::answer(request, sandbox, &mut cx),
        Service::Catalog => catalog::answer(request, sandbox, &mut cx),
        Service::DataPrep => data_prep::answer(request, sandbox, &mut cx),
        Service::Identity => identity_service::answer(request, sandbox, &mut cx),
        Service::Ims | Service::Sandbox => Answer::html_not_found(),
    })
}

/// Who calls: the organisation's place in the world and the client id.
fn caller(incoming: &Incoming, state: &State) -> Result<(usize, String), Answer> {
    let header = |name: &str| {
        incoming
            .request
            .header(name)
            .filter(|value| !value.is_empty())
    };
    let Some(authorization) = header("authorization") else {
        return Err(Answer::gateway(403, "403010", "Oauth token is missing."));
    };
    let now_ms = state.now_ms();
    let token = authorization
        .strip_prefix("Bearer ")
        .and_then(|token| state.tokens.get(token));
    let Some(token) = token.filter(|token| token.expires_ms > now_ms) else {
        return Err(expired_token());
    };
    let Some(key) = header("x-api-key") else {
        return Err(Answer::gateway(403, "403000", "Api Key is required."));
    };
    if !state
        .organisations
        .iter()
        .any(|organisation| organisation.clients.contains_key(key))
    {
        return Err(Answer::gateway(403, "403003", "Api Key is invalid."));
    }
    let Some(ims_org) = header("x-gw-ims-org-id") else {
        return Err(Answer::gateway(
            400,
            "400003",
            "The header x-gw-ims-org-id is missing.",
        ));
    };
    let may = |o: &Organisation| o.ims_org == ims_org && o.clients.contains_key(&token.client_id);
    match state.organisations.iter().position(may) {
        Some(organisation) => Ok((organisation, token.client_id.clone())),
        None => Err(Answer::gateway(403, "403025", "Profile is not valid.")),
    }
}

/// The gateway's word for a token that has expired or was never one.
pub(crate) fn expired_token() -> Answer {
    Answer::gateway(401, "401013", "Oauth token is not valid.")
}

fn content_type(incoming: &Incoming, profile: Profile) -> Result<(), Answer> {
    let problem = |status: u16, detail: &str| {
        let body = json!({ "type": "/placeholder/type/uri", "status": status, "title": "BadRequestError", "detail": detail });
        Err(Answer::json(status, body))
    };
    match &incoming.payload {
        Payload::Absent | Payload::Json(_) => Ok(()),
        Payload::Malformed => problem(400, "The body is not valid JSON"),
        Payload::Form(_) | Payload::Other => {
            let status = if profile == Profile::Strict { 415 } else { 400 };
            problem(status, "A valid content-type must be specified")
        }
    }
}

/// The sandbox that the call is for: the default one if it does not say.
fn sandbox_name(
    service: Service,
    incoming: &Incoming,
    organisation: &Organisation,
    profile: Profile,
) -> Result<String, Answer> {
    if !incoming.sandbox.is_empty() {
        return Ok(incoming.sandbox.clone());
    }
    if profile == Profile::Strict {
        return Err(match service {
            Service::Flow => Problem::bad(2105, "The header x-sandbox-name is missing.")
                .answer(&incoming.request),
            _ => bad_request("The header x-sandbox-name is missing."),
        });
    }
    let default = organisation
        .sandboxes
        .iter()
        .find(|(_, sandbox)| sandbox.about["isDefault"] == true);
    Ok(default.map(|(name, _)| name.clone()).unwrap_or_default())
}

fn no_sandbox(service: Service, incoming: &Incoming, name: &str) -> Answer {
    let text = format!("The sandbox {name} is not found.");
    match service {
        Service::Flow => Problem::new(404, 2100, text).answer(&incoming.request),
        _ => bad_request(&text),
    }
}

fn bad_request(detail: &str) -> Answer {
    let body = json!({ "type": "/placeholder/type/uri", "status": 400, "title": "BadRequestError", "detail": detail });
    Answer::json(400, body)
}

/// The errors of Schema Registry and Flow Service as they were before they had codes.
fn old_style(mut answer: Answer, service: Service, incoming: &Incoming) -> Answer {
    if service == Service::Registry {
        return registry::old_style(answer, &incoming.request);
    }
    if let Body::Json(Value::Object(body)) = &mut answer.body
        && answer.status >= 400
        && body.contains_key("errorMessage")
    {
        body.retain(|name, _| name == "errorMessage" || name == "errorDetails");
    }
    answer
}
