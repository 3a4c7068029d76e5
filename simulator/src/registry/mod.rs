//! Schema Registry: schemas, classes, field groups, data types, descriptors and unions.

mod accept;
mod breaking;
mod build;
mod checks;
mod descriptors;
mod errors;
pub(crate) mod filter;
mod kind;
mod listing;
mod read;
pub(crate) mod resolve;
mod standard;
mod stats;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod union;
mod usage;
mod view;
mod write;

use serde_json::{Map, Value};

use crate::http::{Answer, Request};
use crate::world::{Context, Sandbox};
use kind::Kind;

/// Answers one request to Schema Registry.
#[must_use]
pub fn answer(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Answer {
    route(request, sandbox, cx).unwrap_or_else(|refusal| refusal)
}

/// An answer of the registry with its refusals as they were in 2020.
#[must_use]
pub fn old_style(answer: Answer, request: &Request) -> Answer {
    accept::old_style(answer, request.header("accept").unwrap_or_default())
}

fn route(request: &Request, sandbox: &mut Sandbox, cx: &mut Context<'_>) -> Result<Answer, Answer> {
    let method = request.method.as_str();
    match (method, request.segments().as_slice()) {
        ("GET", ["stats"]) => Ok(stats::answer(sandbox, cx)),
        ("GET", ["tenant", "unions"]) => union::list(request, sandbox, cx),
        ("GET", ["tenant", "unions", id]) => union::look_up(id, request, sandbox, cx),
        (_, [container @ ("tenant" | "global"), "descriptors", rest @ ..]) => {
            descriptors::route(*container == "tenant", rest, request, sandbox, cx)
        }
        (_, [container @ ("tenant" | "global"), word, rest @ ..]) => {
            let Some(kind) = Kind::of_path(word) else {
                return Ok(Answer::html_not_found());
            };
            let tenant = *container == "tenant";
            match (method, rest, tenant) {
                ("GET", [], _) => read::list(kind, tenant, request, sandbox, cx),
                ("GET", [id], _) => read::look_up(kind, tenant, id, request, sandbox, cx),
                (_, _, true) if kind != Kind::Behavior => {
                    write::route(kind, rest, request, sandbox, cx)
                }
                _ => Ok(Answer::html_not_found()),
            }
        }
        _ => Ok(Answer::html_not_found()),
    }
}

/// The tenant's schema of this `$id` or `meta:altId`.
#[must_use]
pub fn find_schema<'a>(sandbox: &'a Sandbox, any_id: &str) -> Option<&'a Value> {
    sandbox.registry.get("schemas")?.get(&alt_id(any_id))
}

/// Every field of a schema or union, references resolved; `None` if there is no such schema.
#[must_use]
pub fn schema_fields(sandbox: &Sandbox, any_id: &str) -> Option<Map<String, Value>> {
    if let Some(union) = union::find(sandbox, any_id) {
        return Some(resolve::properties(sandbox, &union));
    }
    find_schema(sandbox, any_id).map(|schema| resolve::properties(sandbox, schema))
}

/// Whether a schema (or, trivially, a union) takes part in Real-Time Customer Profile.
#[must_use]
pub fn is_union_enabled(sandbox: &Sandbox, any_id: &str) -> bool {
    union::find(sandbox, any_id).is_some()
        || find_schema(sandbox, any_id).is_some_and(union::is_enabled)
}

/// The `meta:altId` that belongs to an `$id`; an alternate id stays what it is. What Adobe makes of ids on other hosts than
/// its own is not known: here they are their own alternates.
#[must_use]
pub fn alt_id(any_id: &str) -> String {
    match any_id.strip_prefix("https://ns.adobe.com/") {
        Some(path) => format!("_{}", path.replace('/', ".")),
        None => any_id.to_owned(),
    }
}

/// The resource of this id: the tenant's own or one of Adobe's.
fn find<'a>(sandbox: &'a Sandbox, any_id: &str) -> Option<&'a Value> {
    let alt = alt_id(any_id);
    Kind::OF_TENANT
        .iter()
        .filter_map(|kind| sandbox.registry.get(kind.collection()))
        .find_map(|collection| collection.get(&alt))
        .or_else(|| standard::find(&alt))
}

/// A string member, or nothing.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The strings of an array member.
fn texts<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    object
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
