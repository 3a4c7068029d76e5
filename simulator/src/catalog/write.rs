//! Creating, changing and deleting data sets.

use json_patch::Patch;
use serde_json::{Value, json};

use super::errors::{bad_request, not_found, precondition_failed};
use super::{batches, tags, text};
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::registry;
use crate::world::{Context, Sandbox};

/// Members that no client can change.
const READ_ONLY: [&str; 17] = [
    "id",
    "version",
    "imsOrg",
    "created",
    "updated",
    "createdClient",
    "createdUser",
    "updatedUser",
    "viewId",
    "basePath",
    "files",
    "state",
    "sandboxId",
    "lastBatchId",
    "lastBatchStatus",
    "lastSuccessfulBatch",
    "lastFailedBatch",
];

/// Answers `POST /dataSets`. Names are not unique: the same body makes another data set.
pub(super) fn create(
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let mut data_set = object(request)?.clone();
    if let Some(members) = data_set.as_object_mut() {
        members.retain(|key, _| !READ_ONLY.contains(&key.as_str()));
    }
    tags::normalise(&mut data_set, None, cx.now_ms);
    check(&data_set, sandbox)?;
    if is_dry_run(request) {
        return Ok(Answer::json(200, json!([])));
    }
    let id = cx.ids.hex(24);
    complete(&mut data_set, &id, cx);
    tags::add_platform_tags(&mut data_set);
    sandbox.data_sets.insert(id.as_str(), data_set, cx.now_ms);
    let location = format!("/data/foundation/catalog/dataSets/{id}");
    Ok(Answer::json(201, reference(&id)).with_header("Location", location))
}

/// Answers `PATCH`: JSON Patch for an array, otherwise a merge, of the top level or on `/v2` of every level.
pub(super) fn patch(
    id: &str,
    deep: bool,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let old = current(id, request, sandbox)?;
    let mut new = old.clone();
    match &request.body {
        Some(body @ Value::Array(_)) => {
            let patch: Patch = serde_json::from_value(body.clone())
                .map_err(|e| bad_request(&format!("The body is no JSON Patch: {e}")))?;
            json_patch::patch(&mut new, &patch)
                .map_err(|e| bad_request(&format!("The patch does not apply: {e}")))?;
        }
        Some(body @ Value::Object(_)) if deep => json_patch::merge(&mut new, body),
        Some(Value::Object(changes)) => {
            for (key, value) in changes {
                match new.as_object_mut() {
                    Some(members) if value.is_null() => drop(members.remove(key)),
                    _ => new[key] = value.clone(),
                }
            }
        }
        _ => {
            return Err(bad_request(
                "The body must be a JSON object or a JSON Patch array",
            ));
        }
    }
    store(id, &old, new, request, sandbox, cx)
}

/// Answers `PUT`; what a client cannot change may be in the body and is ignored.
pub(super) fn put(
    id: &str,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    let old = current(id, request, sandbox)?;
    let new = object(request)?.clone();
    store(id, &old, new, request, sandbox, cx)
}

/// Answers `DELETE`. Of a missing data set the guide says `200 []`; the live service answers 404.
pub(super) fn delete(
    id: &str,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Result<Answer, Answer> {
    batches::forget(id, cx.now_ms, sandbox);
    match (sandbox.data_sets.remove(id, cx.now_ms), cx.profile) {
        (true, _) => Ok(Answer::json(200, reference(id))),
        (false, Profile::Strict) => Ok(Answer::json(200, json!([]))),
        (false, Profile::Lenient) => Err(not_found()),
    }
}

/// One more change: the patch number of `version` grows and `updated` moves.
pub(super) fn touch(data_set: &mut Value, user: &str, now_ms: i64) {
    let version = text(data_set, "version");
    let next = match version.rsplit_once('.') {
        Some((head, patch)) => format!("{head}.{}", patch.parse::<u64>().unwrap_or(0) + 1),
        None => "1.0.0".to_owned(),
    };
    data_set["version"] = json!(next);
    data_set["updated"] = json!(now_ms);
    data_set["updatedUser"] = json!(user);
}

fn store(
    id: &str,
    old: &Value,
    mut new: Value,
    request: &Request,
    sandbox: &mut Sandbox,
    cx: &Context<'_>,
) -> Result<Answer, Answer> {
    for key in READ_ONLY {
        match (old.get(key), new.as_object_mut()) {
            (Some(value), _) => new[key] = value.clone(),
            (None, Some(members)) => drop(members.remove(key)),
            (None, None) => return Err(bad_request("A data set is a JSON object")),
        }
    }
    tags::normalise(&mut new, Some(old), cx.now_ms);
    check(&new, sandbox)?;
    if !is_dry_run(request) {
        touch(&mut new, &user(cx), cx.now_ms);
        if let Some(stored) = sandbox.data_sets.get_mut(id) {
            stored.clone_from(&new);
        }
    }
    Ok(Answer::json(200, reference(id)).with_header("E-Tag", text(&new, "version")))
}

/// The schema must exist, and must be enabled for Profile if the data set is.
fn check(data_set: &Value, sandbox: &Sandbox) -> Result<(), Answer> {
    let schema = data_set.pointer("/schemaRef/id").and_then(Value::as_str);
    let Some(schema) = schema else {
        return Err(bad_request("A data set needs schemaRef.id"));
    };
    if registry::schema_fields(sandbox, schema).is_none() {
        return Err(bad_request(&format!("The schema {schema} does not exist")));
    }
    let well_formed = |tags: &Value| {
        tags.as_object()
            .is_some_and(|t| t.values().all(Value::is_array))
    };
    if !data_set.get("tags").is_none_or(well_formed) {
        return Err(bad_request("Tags must be an object of arrays"));
    }
    if tags::is_profile_enabled(data_set) && !registry::is_union_enabled(sandbox, schema) {
        return Err(bad_request(
            "To enable profile datasets the schema should be valid",
        ));
    }
    Ok(())
}

/// Everything that the server adds to a new data set.
fn complete(data_set: &mut Value, id: &str, cx: &Context<'_>) {
    let view = u128::from_str_radix(id, 16)
        .unwrap_or_default()
        .wrapping_add(1);
    let server = json!({
        "version": "1.0.0",
        "imsOrg": cx.ims_org,
        "created": cx.now_ms,
        "updated": cx.now_ms,
        "createdClient": cx.client_id,
        "createdUser": user(cx),
        "updatedUser": user(cx),
        "viewId": format!("{view:024x}"),
        "files": format!("@/dataSetFiles?dataSetId={id}"),
        "state": "ACTIVE",
        "statsCache": {},
    });
    let defaults = json!({
        "enableErrorDiagnostics": false,
        "observableSchema": {},
        "fileDescription": { "persisted": true, "containerFormat": "parquet", "format": "parquet" },
        "classification": { "managedBy": "CUSTOMER" },
    });
    for (key, value) in server.as_object().into_iter().flatten() {
        data_set[key] = value.clone();
    }
    if let Some(members) = data_set.as_object_mut() {
        for (key, value) in defaults.as_object().into_iter().flatten() {
            members.entry(key).or_insert_with(|| value.clone());
        }
    }
}

/// The stored data set, if it still is the one the caller means by `If-Match`.
fn current(id: &str, request: &Request, sandbox: &Sandbox) -> Result<Value, Answer> {
    let data_set = sandbox.data_sets.get(id).ok_or_else(not_found)?;
    let version = text(data_set, "version");
    match request.header("if-match").map(|tag| tag.trim_matches('"')) {
        Some(tag) if tag != "*" && tag != version => Err(precondition_failed(version)),
        _ => Ok(data_set.clone()),
    }
}

fn object(request: &Request) -> Result<&Value, Answer> {
    let body = request.body.as_ref().filter(|b| b.is_object());
    body.ok_or_else(|| bad_request("The body must be a JSON object"))
}

fn is_dry_run(request: &Request) -> bool {
    request.header("pragma") == Some("validate-only")
}

fn reference(id: &str) -> Value {
    json!([format!("@/dataSets/{id}")])
}

fn user(cx: &Context<'_>) -> String {
    format!("{}@techacct.adobe.com", cx.client_id)
}
