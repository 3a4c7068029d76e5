//! Base connections: where a source is and how to sign in.

use serde_json::{Map, Value, json};

use super::entity::{self, collection};
use super::page::{self, Listing, allow_query};
use super::patch::{check_etag, patched, within};
use super::problem::Problem;
use super::{Outcome, connection_specs as specs, operations, references};
use crate::connectors::{Connector, HTTP_STREAMING};
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

pub(super) const LISTING: Listing = Listing {
    resource: "connections",
    fields: &[
        "id",
        "name",
        "description",
        "connectionSpec",
        "auth",
        "state",
        "createdAt",
        "updatedAt",
        "createdBy",
        "updatedBy",
        "createdClient",
        "updatedClient",
        "sandboxId",
        "sandboxName",
        "imsOrgId",
        "version",
        "etag",
    ],
    paged: true,
};
const RESOURCE: &str = LISTING.resource;

/// Answers one request below `/connections`.
pub(super) fn answer(
    request: &Request,
    rest: &[&str],
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    match (request.method.as_str(), rest) {
        ("GET", []) => page::list(
            request,
            LISTING,
            entity::listed(sandbox, RESOURCE, cx),
            cx.profile,
            |o| masked(o, cx.profile),
        ),
        ("POST", []) => create(request, sandbox, cx),
        ("GET", [id]) => Ok(entity::one(&masked(
            entity::get(sandbox, RESOURCE, id)?,
            cx.profile,
        ))),
        ("PATCH", [id]) => update(request, id, sandbox, cx),
        ("DELETE", [id]) => delete(id, sandbox, cx),
        ("POST", [id, "action"]) => act(request, id, sandbox, cx),
        ("GET", [id, "test"]) => Ok(Answer::json(
            200,
            json!({ "result": works(entity::get(sandbox, RESOURCE, id)?) }),
        )),
        ("GET", [id, "explore"]) => {
            entity::get(sandbox, RESOURCE, id)?;
            super::explore::answer(request)
        }
        _ => Ok(Answer::html_not_found()),
    }
}

fn create(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    allow_query(request, &["mode"])?;
    let body = entity::body(request)?;
    let draft = entity::is_draft(request);
    check(body, draft, cx)?;
    let mut object = entity::pick(body, &["name", "description", "auth", "connectionSpec"]);
    if let Some(params) = object
        .get_mut("auth")
        .and_then(|auth| auth.get_mut("params")?.as_object_mut())
    {
        add_outputs(&body["connectionSpec"]["id"], params, cx);
    }
    let state = if draft { "draft" } else { "enabled" };
    let id = operations::create(RESOURCE, object, (state, state), sandbox, cx);
    Ok(entity::changed(201, RESOURCE, &id, sandbox))
}

fn check(body: &Map<String, Value>, draft: bool, cx: &Context<'_>) -> Result<(), Problem> {
    let spec = spec_of(body, cx)?;
    match body.get("auth").filter(|auth| !auth.is_null()) {
        Some(auth) => specs::check_auth(spec, auth),
        None if spec.auth.is_empty() || draft => Ok(()),
        None => Err(Problem::provider(
            1302,
            "The authentication of this connection is missing.",
        )),
    }
}

/// The connection spec that a body names.
pub(super) fn spec_of<'c>(
    body: &Map<String, Value>,
    cx: &Context<'c>,
) -> Result<&'c Connector, Problem> {
    let named = body.get("connectionSpec").unwrap_or(&Value::Null);
    let spec = named["id"].as_str().and_then(|id| specs::find(id, cx));
    let spec = spec.ok_or_else(|| {
        Problem::bad(
            1413,
            "The connection spec id is not valid. Provide a valid spec id.",
        )
    })?;
    if named["version"].is_null() && cx.profile == Profile::Strict {
        return Err(Problem::new(
            422,
            1413,
            "connectionSpec.version is missing.",
        ));
    }
    Ok(spec)
}

/// What the streaming inlet adds to what it was sent.
fn add_outputs(spec: &Value, params: &mut Map<String, Value>, cx: &mut Context<'_>) {
    if spec != HTTP_STREAMING {
        return;
    }
    let inlet = format!("{}{}", cx.ids.hex(32), cx.ids.hex(32));
    params.insert(
        "inletUrl".to_owned(),
        json!(format!("https://dcs.adobedc.net/collection/{inlet}")),
    );
    params.insert("inletId".to_owned(), json!(inlet));
    params
        .entry("authenticationRequired")
        .or_insert(json!(false));
    params.entry("sourceId").or_insert(json!(cx.ids.hex(12)));
    params.entry("name").or_insert(json!("inlet"));
}

/// What a caller may see: secrets are never shown.
fn masked(object: &Value, profile: Profile) -> Value {
    let mut shown = object.clone();
    if shown["state"] == "initializing" {
        shown["etag"].take();
    }
    let params = shown.pointer_mut("/auth/params");
    if let Some(params) = params.and_then(Value::as_object_mut) {
        match profile {
            Profile::Strict => params.retain(|name, _| !specs::is_secret(name)),
            Profile::Lenient => {
                let secrets = params.iter_mut().filter(|(name, _)| specs::is_secret(name));
                secrets.for_each(|(_, value)| *value = json!("********"));
            }
        }
    }
    shown
}

/// A parameter with the word "invalid" in it stands for credentials that the source refuses.
fn works(connection: &Value) -> bool {
    let params = connection["auth"]["params"].as_object();
    !params
        .into_iter()
        .flatten()
        .any(|(_, value)| value.as_str().is_some_and(|text| text.contains("invalid")))
}

fn update(request: &Request, id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    allow_query(request, &[])?;
    let object = entity::get(sandbox, RESOURCE, id)?;
    check_etag(request, object, cx.profile, true)?;
    entity::check_settled(object, "update")?;
    let (changed, _) = patched(object, request, |path| {
        if within(path, "/connectionSpec") {
            return Err(Problem::bad(
                1414,
                "The connection spec of a connection cannot be changed.",
            ));
        }
        let known =
            within(path, "/name") || within(path, "/description") || within(path, "/auth/params");
        if known {
            Ok(())
        } else {
            Err(Problem::bad(
                1455,
                format!("The path {path} cannot be patched."),
            ))
        }
    })?;
    entity::store(RESOURCE, id, changed, sandbox, cx);
    operations::finish_later(RESOURCE, id, None, sandbox, cx);
    Ok(entity::changed(200, RESOURCE, id, sandbox))
}

fn delete(id: &str, sandbox: &mut Sandbox, cx: &Context<'_>) -> Outcome {
    entity::check_settled(entity::get(sandbox, RESOURCE, id)?, "delete")?;
    let flows = references::flows_of_connection(sandbox, id);
    if !flows.is_empty() {
        let text = format!(
            "The base connection {id} is used by the flows {}. Delete these flows first.",
            flows.join(", ")
        );
        return Err(Problem::bad(1418, text));
    }
    collection(sandbox, RESOURCE).remove(id, cx.now_ms);
    Ok(Answer::empty(204))
}

fn act(request: &Request, id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Outcome {
    let object = entity::get(sandbox, RESOURCE, id)?;
    check_etag(request, object, cx.profile, false)?;
    if entity::action(request)? != "publish" || object["state"] != "draft" {
        return Err(Problem::bad(
            1422,
            "The action cannot be applied in the current state.",
        ));
    }
    check(object.as_object().unwrap_or(&Map::new()), false, cx)?;
    let mut published = object.clone();
    published["state"] = json!("enabled");
    entity::store(RESOURCE, id, published, sandbox, cx);
    operations::finish_later(RESOURCE, id, None, sandbox, cx);
    Ok(entity::changed(200, RESOURCE, id, sandbox))
}
