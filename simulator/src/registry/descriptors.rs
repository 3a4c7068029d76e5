//! Descriptors: what fields mean, such as identities and relationships.

mod rules;

use serde_json::{Map, Value, json};

use super::accept::{self, DescriptorView};
use super::errors::{in_use, not_found};
use super::filter::Filter;
use super::{find_schema, listing, text, union};
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

const NOT_FOUND: &str = "XDM-1014-404";

/// Answers one request below `/{container}/descriptors`; Adobe's own container has none.
pub(super) fn route(
    tenant: bool,
    rest: &[&str],
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    match (request.method.as_str(), rest, tenant) {
        ("GET", [], _) => list(tenant, request, sandbox, cx),
        ("GET", [id], true) => {
            accept::descriptor_lookup(request, cx)?;
            Ok(Answer::json(200, existing(id, sandbox, cx)?))
        }
        ("POST", [], true) => create(request, sandbox, cx),
        ("PUT", [id], true) => replace(id, request, sandbox, cx),
        ("DELETE", [id], true) => delete(id, sandbox, cx),
        ("GET", [id], false) => Err(not_found(cx, NOT_FOUND, id, "1")),
        _ => Ok(Answer::html_not_found()),
    }
}

fn existing(id: &str, sandbox: &Sandbox, cx: &mut Context<'_>) -> Result<Value, Answer> {
    let found = sandbox.registry.get("descriptors").and_then(|c| c.get(id));
    found
        .cloned()
        .ok_or_else(|| not_found(cx, NOT_FOUND, id, "1"))
}

fn list(
    tenant: bool,
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let view = accept::descriptor_list(request, cx)?;
    // Clients repeat the parameter or join expressions with a comma; both mean AND.
    let filters: Vec<_> = request
        .queries("property")
        .flat_map(|p| p.split(','))
        .map(Filter::parse)
        .collect();
    let collection = sandbox.registry.get("descriptors").filter(|_| tenant);
    let items: Vec<_> = collection
        .into_iter()
        .flat_map(|c| c.listed(cx.now_ms, cx.list_lag_ms))
        .map(|(_, descriptor)| descriptor)
        .filter(|descriptor| filters.iter().all(|f| f.matches(descriptor)))
        .collect();
    if view.paged {
        let mut unfiltered = request.clone();
        unfiltered.query.retain(|(name, _)| name != "property");
        let page = listing::page(&unfiltered, items, "@id", |d| shown(d, view));
        return Ok(Answer::json(200, page));
    }
    let mut groups = Map::new();
    for descriptor in items {
        let group = groups
            .entry(text(descriptor, "@type"))
            .or_insert_with(|| json!([]));
        if let Some(group) = group.as_array_mut() {
            group.push(shown(descriptor, view));
        }
    }
    Ok(Answer::json(200, groups.into()))
}

fn shown(descriptor: &Value, view: DescriptorView) -> Value {
    let id = text(descriptor, "@id");
    match (view.ids, view.links) {
        (true, _) => json!(id),
        (_, true) => json!(format!("/tenant/descriptors/{id}")),
        _ => descriptor.clone(),
    }
}

fn create(
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let id = cx.ids.hex(40);
    let descriptor = completed(&id, request, None, sandbox, cx)?;
    let all = sandbox.registry.entry("descriptors").or_default();
    all.insert(id, descriptor.clone(), cx.now_ms);
    Ok(Answer::json(201, descriptor))
}

/// The guide shows 201 with the id, the specification 200 with the object.
fn replace(
    id: &str,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let old = existing(id, sandbox, cx)?;
    let descriptor = completed(id, request, Some(&old), sandbox, cx)?;
    let all = sandbox.registry.entry("descriptors").or_default();
    if let Some(stored) = all.get_mut(id) {
        stored.clone_from(&descriptor);
    }
    Ok(match cx.profile {
        Profile::Lenient => Answer::json(201, json!({ "@id": id })),
        Profile::Strict => Answer::json(200, descriptor),
    })
}

fn delete(id: &str, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Result<Answer, Answer> {
    let descriptor = existing(id, sandbox, cx)?;
    let primary = descriptor["xdm:isPrimary"] == json!(true);
    let schema = find_schema(sandbox, text(&descriptor, "xdm:sourceSchema"));
    if primary && schema.is_some_and(union::is_enabled) {
        return Err(in_use(
            cx,
            "The primary identity of a schema that is enabled for Profile cannot be removed",
        ));
    }
    sandbox
        .registry
        .entry("descriptors")
        .or_default()
        .remove(id, cx.now_ms);
    Ok(Answer::empty(204))
}

/// The checked descriptor with everything the server adds.
fn completed(
    id: &str,
    request: &Request,
    old: Option<&Value>,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Value, Answer> {
    let mut descriptor = request.body.clone().unwrap_or_default();
    rules::check(&mut descriptor, id, sandbox, cx)?;
    let schema = super::find(sandbox, text(&descriptor, "xdm:sourceSchema"));
    let inherited = |key: &str| schema.and_then(|s| s.get(key)).cloned().unwrap_or_default();
    let server = json!({
        "@id": id,
        "imsOrg": cx.ims_org,
        "version": "1",
        "meta:containerId": "tenant",
        "meta:sandboxId": inherited("meta:sandboxId"),
        "meta:sandboxType": inherited("meta:sandboxType"),
    });
    for (key, value) in server.as_object().into_iter().flatten() {
        descriptor[key] = value.clone();
    }
    super::build::stamp(&mut descriptor, old, cx);
    Ok(descriptor)
}
