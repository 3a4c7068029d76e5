//! Creating, reading, replacing and deleting mapping sets.

use serde_json::{Map, Value, json};

use super::errors::{invalid, not_found};
use super::model::Draft;
use super::validate;
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::registry;
use crate::world::{Context, Sandbox};

/// What the answer to a creation shows.
const SHORT_FORM: [&str; 6] = [
    "id",
    "version",
    "createdDate",
    "modifiedDate",
    "createdBy",
    "modifiedBy",
];

/// Answers `POST /mappingSets`, which looks at destinations only when asked to. The same body makes another set.
pub(super) fn create(
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let draft = Draft::read(request.body.as_ref())?;
    accept(&draft, request, sandbox, cx)?;
    let id = cx.ids.hex(32);
    let full = draft.full(&id, None, cx);
    let short: Map<_, _> = SHORT_FORM
        .iter()
        .map(|key| ((*key).to_owned(), full[*key].clone()))
        .collect();
    sandbox
        .mapping_sets
        .insert(id, json!({ "versions": [full] }), cx.now_ms);
    Ok(Answer::json(200, short.into()))
}

/// Answers `PUT`: always one version more, even without any change, and new row ids.
pub(super) fn replace(
    id: &str,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let latest = latest(sandbox.mapping_sets.get(id))
        .cloned()
        .ok_or_else(|| not_found("Mapping set"))?;
    let draft = Draft::read(request.body.as_ref())?;
    accept(&draft, request, sandbox, cx)?;
    let full = draft.full(id, Some(&latest), cx);
    let stored = sandbox
        .mapping_sets
        .get_mut(id)
        .and_then(|s| s["versions"].as_array_mut());
    if let Some(versions) = stored {
        versions.push(full.clone());
    }
    Ok(Answer::json(200, full))
}

/// Answers `GET /mappingSets/{id}`.
pub(super) fn look_up(
    id: &str,
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let mut set = version(id, request, sandbox, cx)?.clone();
    if request.query("expandSchema") == Some("true")
        && let Some(fields) =
            registry::schema_fields(sandbox, set["xdmSchema"].as_str().unwrap_or_default())
    {
        set["outputSchema"]["jsonSchema"] = json!({ "type": "object", "properties": fields });
    }
    Ok(Answer::json(200, set))
}

/// Answers `GET /mappingSets/{id}/mappings`.
pub(super) fn rows(
    id: &str,
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let set = version(id, request, sandbox, cx)?;
    let count = set["mappings"].as_array().map_or(0, Vec::len);
    let page = json!({ "count": count, "limit": count });
    Ok(Answer::json(
        200,
        json!({ "data": set["mappings"], "_page": page, "_links": {} }),
    ))
}

/// Answers `GET /mappingSets/{id}/mappings/{row}`.
pub(super) fn row(
    id: &str,
    row: &str,
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    let set = version(id, request, sandbox, cx)?;
    let found = set["mappings"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|m| m["id"] == row);
    found
        .map(|m| Answer::json(200, m.clone()))
        .ok_or_else(|| not_found("Mapping"))
}

/// Answers `DELETE`, which Adobe's Python client uses and no document describes: to the letter there is no such method.
pub(super) fn delete(id: &str, sandbox: &mut Sandbox, cx: &Context<'_>) -> Result<Answer, Answer> {
    if cx.profile == Profile::Strict {
        return Ok(Answer::empty(405));
    }
    if sandbox.mapping_sets.remove(id, cx.now_ms) {
        return Ok(Answer::empty(204));
    }
    Err(not_found("Mapping set"))
}

/// The newest version of a stored set.
pub(super) fn latest(stored: Option<&Value>) -> Option<&Value> {
    stored?["versions"].as_array()?.last()
}

/// The version asked for. Without one, clients take the answer for the newest; the specification's default is 0.
fn version<'a>(
    id: &str,
    request: &Request,
    sandbox: &'a Sandbox,
    cx: &Context<'_>,
) -> Result<&'a Value, Answer> {
    let stored = sandbox
        .mapping_sets
        .get(id)
        .ok_or_else(|| not_found("Mapping set"))?;
    let wanted = match (request.query("version"), cx.profile) {
        (None, Profile::Lenient) => {
            return latest(Some(stored)).ok_or_else(|| not_found("Version"));
        }
        (None, Profile::Strict) => 0,
        (Some(version), _) => version
            .parse()
            .map_err(|_| invalid("version must be a number"))?,
    };
    stored["versions"]
        .get::<usize>(wanted)
        .ok_or_else(|| not_found("Version"))
}

fn accept(
    draft: &Draft,
    request: &Request,
    sandbox: &Sandbox,
    cx: &Context<'_>,
) -> Result<(), Answer> {
    if cx.profile == Profile::Strict && registry::schema_fields(sandbox, &draft.schema).is_none() {
        return Err(invalid(&format!(
            "The schema {} does not exist",
            draft.schema
        )));
    }
    if request.query("validate") == Some("true") {
        return validate::require(draft, sandbox);
    }
    Ok(())
}
