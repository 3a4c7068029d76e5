//! Identity Service: the namespaces that identities belong to, Adobe's own and those of a sandbox.

mod errors;
mod standard;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

/// What a namespace may identify; shown in upper case.
const ID_TYPES: [&str; 7] = [
    "COOKIE",
    "CROSS_DEVICE",
    "DEVICE",
    "EMAIL",
    "MOBILE",
    "NON_PEOPLE",
    "PHONE",
];

/// The ids of a sandbox's own namespaces count up from here, beyond all of Adobe's.
const FIRST_ID: u64 = 10_000_000;

/// Answers one request to Identity Service.
#[must_use]
pub fn answer(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Answer {
    route(request, sandbox, cx).unwrap_or_else(|refusal| refusal)
}

fn route(request: &Request, sandbox: &mut Sandbox, cx: &Context<'_>) -> Result<Answer, Answer> {
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["identities"]) => {
            let own = sandbox.namespaces.listed(cx.now_ms, cx.list_lag_ms);
            let all = standard::all(cx.profile).chain(own.map(|(_, namespace)| namespace.clone()));
            Ok(Answer::json(200, all.collect()))
        }
        ("GET", ["identities", id]) => {
            let found = all(sandbox, cx.profile).find(|namespace| has_id(namespace, id));
            found
                .map(|namespace| Answer::json(200, namespace))
                .ok_or_else(|| errors::not_found(cx))
        }
        ("POST", ["identities"]) => create(request, sandbox, cx),
        ("PUT", ["identities", id]) => put(id, request, sandbox, cx),
        _ => Ok(Answer::html_not_found()),
    }
}

/// The canonical code of a namespace, given by code in any case or by id; `None` if it does not exist.
pub(crate) fn canonical(sandbox: &Sandbox, given: &str, profile: Profile) -> Option<String> {
    let named = |namespace: &Value| {
        text(namespace, "code").eq_ignore_ascii_case(given) || has_id(namespace, given)
    };
    all(sandbox, profile)
        .find(named)
        .map(|namespace| text(&namespace, "code").to_owned())
}

fn all(sandbox: &Sandbox, profile: Profile) -> impl Iterator<Item = Value> {
    let own = sandbox.namespaces.iter();
    standard::all(profile).chain(own.map(|(_, namespace)| namespace.clone()))
}

fn next_id(sandbox: &Sandbox) -> u64 {
    let ids = sandbox
        .namespaces
        .iter()
        .filter_map(|(id, _)| id.parse::<u64>().ok());
    ids.max().map_or(FIRST_ID, |id| id + 1)
}

fn has_id(namespace: &Value, id: &str) -> bool {
    namespace["id"].as_u64() == id.parse().ok()
}

fn create(request: &Request, sandbox: &mut Sandbox, cx: &Context<'_>) -> Result<Answer, Answer> {
    let body = request.body.clone().unwrap_or_default();
    let (name, code) = (text(&body, "name"), text(&body, "code"));
    let id_type = text(&body, "idType").to_uppercase();
    if name.is_empty() || code.is_empty() || !ID_TYPES.contains(&id_type.as_str()) {
        let detail = format!("A namespace needs a name, a code and an idType of {ID_TYPES:?}");
        return Err(errors::invalid(cx, &detail));
    }
    if canonical(sandbox, code, cx.profile).is_some() {
        return Err(errors::conflict(cx, code));
    }
    let id = next_id(sandbox);
    let namespace = json!({
        "id": id, "code": code, "name": name, "idType": id_type, "description": text(&body, "description"),
        "status": "ACTIVE", "custom": true, "createTime": cx.now_ms, "updateTime": cx.now_ms,
    });
    sandbox
        .namespaces
        .insert(id.to_string(), namespace.clone(), cx.now_ms);
    Ok(Answer::json(200, namespace))
}

/// Changes name and description. Code and `idType` are what identities are stored under, so they stay.
fn put(
    id: &str,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let body = request.body.clone().unwrap_or_default();
    let namespace = sandbox.namespaces.get_mut(id);
    let namespace = namespace.ok_or_else(|| errors::not_found(cx))?;
    let differs = |key: &str| {
        !text(&body, key).is_empty() && !text(&body, key).eq_ignore_ascii_case(text(namespace, key))
    };
    if differs("code") || differs("idType") {
        return Err(errors::invalid(
            cx,
            "code and idType are non editable fields",
        ));
    }
    for key in ["name", "description"] {
        if let Some(value) = body.get(key) {
            namespace[key] = value.clone();
        }
    }
    namespace["updateTime"] = json!(cx.now_ms);
    Ok(Answer::json(200, namespace.clone()))
}

/// A string member, or nothing.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}
