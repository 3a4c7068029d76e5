//! Listings and lookups of schemas, classes, field groups, data types and behaviors.

use serde_json::Value;

use super::accept;
use super::errors;
use super::kind::Kind;
use super::view::shown;
use super::{alt_id, listing, standard, union};
use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};

/// Lists one kind.
pub(super) fn list(
    kind: Kind,
    tenant: bool,
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let view = accept::list(request, cx)?;
    let items: Vec<&Value> = if tenant {
        let collection = sandbox.registry.get(kind.collection());
        collection
            .into_iter()
            .flat_map(|c| c.listed(cx.now_ms, cx.list_lag_ms))
            .map(|(_, object)| object)
            .collect()
    } else {
        standard::all(kind).collect()
    };
    let page = listing::page(request, items, "meta:altId", |item| {
        shown(sandbox, item, view)
    });
    Ok(Answer::json(200, page))
}

/// Looks one resource up; a schema's path also finds unions.
pub(super) fn look_up(
    kind: Kind,
    tenant: bool,
    id: &str,
    request: &Request,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let (view, major) = accept::lookup(request, cx)?;
    let alt = alt_id(id);
    let union = union::find(sandbox, id).filter(|_| kind == Kind::Schema && tenant);
    let found = if tenant {
        let stored = sandbox.registry.get(kind.collection());
        union.as_ref().or_else(|| stored.and_then(|c| c.get(&alt)))
    } else {
        standard::find(&alt).filter(|object| Kind::of(object) == Some(kind))
    };
    match found.filter(|_| major == "1") {
        Some(object) => Ok(Answer::json(200, shown(sandbox, object, view))),
        None => Err(errors::not_found(cx, kind.not_found_code(), id, &major)),
    }
}
