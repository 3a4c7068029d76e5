//! Source and target connections: what is read and where it is written.

use serde_json::{Map, Value, json};

use super::connections::spec_of;
use super::entity::{self, collection};
use super::page::{self, Listing, allow_query};
use super::patch::{check_etag, patched, within};
use super::problem::Problem;
use super::{Outcome, operations, references};
use crate::connectors::{Connector, DATA_LAKE, Reads};
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::{Context, Sandbox};

const FIELDS: &[&str] = &[
    "id",
    "name",
    "description",
    "baseConnectionId",
    "connectionSpec",
    "data",
    "params",
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
    "inheritedAttributes",
];
pub(super) const SOURCES: Listing = Listing {
    resource: "sourceConnections",
    fields: FIELDS,
    paged: true,
};
pub(super) const TARGETS: Listing = Listing {
    resource: "targetConnections",
    fields: FIELDS,
    paged: true,
};

/// Answers one request below `/sourceConnections` or `/targetConnections`.
pub(super) fn answer(
    request: &Request,
    listing: Listing,
    rest: &[&str],
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    let resource = listing.resource;
    match (request.method.as_str(), rest) {
        ("GET", []) => page::list(
            request,
            listing,
            entity::listed(sandbox, resource, cx),
            cx.profile,
            Value::clone,
        ),
        ("POST", []) => create(request, resource, sandbox, cx),
        ("GET", [id]) => Ok(entity::one(entity::get(sandbox, resource, id)?)),
        ("PATCH", [id]) => update(request, resource, id, sandbox, cx),
        ("DELETE", [id]) => delete(resource, id, sandbox, cx),
        ("POST", [id, "action"]) => act(request, resource, id, sandbox, cx),
        _ => Ok(Answer::html_not_found()),
    }
}

fn create(
    request: &Request,
    resource: &'static str,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    allow_query(request, &["mode"])?;
    let body = entity::body(request)?;
    let spec = spec_of(body, cx)?;
    if let Some(base) = body.get("baseConnectionId").and_then(Value::as_str) {
        entity::get(sandbox, "connections", base)?;
    }
    let draft = entity::is_draft(request);
    if resource == SOURCES.resource {
        check_source(body, spec, draft, cx.profile)?;
    } else {
        if body.get("data").is_none() && cx.profile == Profile::Strict {
            return Err(Problem::provider(1318, "data is missing."));
        }
        if !draft {
            check_data_set(body.get("params"), &spec.id, sandbox)?;
        }
    }
    let mut object = entity::pick(
        body,
        &[
            "name",
            "description",
            "baseConnectionId",
            "connectionSpec",
            "data",
            "params",
        ],
    );
    if let Some(base) = references::base_of(sandbox, &Value::Object(object.clone())) {
        object.insert(
            "inheritedAttributes".to_owned(),
            json!({ "baseConnection": base }),
        );
    }
    let state = if draft { "draft" } else { "enabled" };
    let id = operations::create(resource, object, (state, state), sandbox, cx);
    Ok(entity::changed(201, resource, &id, sandbox))
}

fn check_source(
    body: &Map<String, Value>,
    spec: &Connector,
    draft: bool,
    profile: Profile,
) -> Result<(), Problem> {
    let has_base = body.get("baseConnectionId").is_some_and(|id| !id.is_null());
    if has_base && spec.auth.is_empty() && spec.reads != Reads::Lake {
        return Err(Problem::provider(
            1332,
            "This source takes no base connection.",
        ));
    }
    if !has_base && !spec.auth.is_empty() && !draft {
        return Err(Problem::provider(1338, "The connection id is null."));
    }
    let Some(data) = body.get("data").filter(|data| !data.is_null()) else {
        let optional = draft || spec.reads.is_streaming();
        return if optional {
            Ok(())
        } else {
            Err(Problem::provider(1318, "data is missing."))
        };
    };
    check_data(data, profile)
}

/// The data lake is written to through a data set that exists. The code is documented for flows that lack one; that
/// Flow Service asks Catalog about a target connection is documented, too, but not what it says then.
fn check_data_set(params: Option<&Value>, spec: &str, sandbox: &Sandbox) -> Result<(), Problem> {
    let id = params.and_then(|params| params["dataSetId"].as_str());
    let exists = |id| sandbox.data_sets.get(id).is_some();
    if id.map_or(spec != DATA_LAKE, exists) {
        return Ok(());
    }
    let text = format!("The data set {id:?} of the target connection is not found.");
    Err(Problem::provider(1325, &text))
}

fn check_data(data: &Value, profile: Profile) -> Result<(), Problem> {
    let formats = ["tabular", "delimited", "json", "parquet", "parquet_xdm"];
    let format = data["format"].as_str().unwrap_or("tabular");
    let lower = format.to_lowercase();
    let spelled = if profile == Profile::Lenient {
        lower.as_str()
    } else {
        format
    };
    if !formats.contains(&spelled) {
        return Err(Problem::provider(1327, "The data format is not supported."));
    }
    let delimiters = [
        &data["properties"]["columnDelimiter"],
        &data["columnDelimiter"],
    ];
    if delimiters.iter().any(|delimiter| {
        delimiter
            .as_str()
            .is_some_and(|text| text.chars().count() != 1)
    }) {
        return Err(Problem::provider(
            1331,
            "The column delimiter must be a single character.",
        ));
    }
    Ok(())
}

fn update(
    request: &Request,
    resource: &'static str,
    id: &str,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    allow_query(request, &[])?;
    let object = entity::get(sandbox, resource, id)?;
    check_etag(request, object, cx.profile, true)?;
    entity::check_settled(object, "update")?;
    let (changed, _) = patched(object, request, |path| {
        if within(path, "/connectionSpec") {
            return Err(Problem::bad(1414, "The connection spec cannot be changed."));
        }
        let known = ["/name", "/description", "/params", "/data"]
            .iter()
            .any(|member| within(path, member));
        if known {
            Ok(())
        } else {
            Err(Problem::bad(
                1455,
                format!("The path {path} cannot be patched."),
            ))
        }
    })?;
    let moved = resource == TARGETS.resource && changed["params"] != object["params"];
    if moved && object["state"] != "draft" {
        let spec = object["connectionSpec"]["id"].as_str().unwrap_or_default();
        check_data_set(changed.get("params"), spec, sandbox)?;
    }
    entity::store(resource, id, changed, sandbox, cx);
    operations::finish_later(resource, id, None, sandbox, cx);
    Ok(entity::changed(200, resource, id, sandbox))
}

fn delete(resource: &'static str, id: &str, sandbox: &mut Sandbox, cx: &Context<'_>) -> Outcome {
    entity::check_settled(entity::get(sandbox, resource, id)?, "delete")?;
    let flows = references::flows_of_end(sandbox, id);
    if !flows.is_empty() {
        return Err(Problem::bad(
            1447,
            format!(
                "Found active flows containing id {id}: {}.",
                flows.join(", ")
            ),
        ));
    }
    collection(sandbox, resource).remove(id, cx.now_ms);
    Ok(Answer::empty(204))
}

fn act(
    request: &Request,
    resource: &'static str,
    id: &str,
    sandbox: &mut Sandbox,
    cx: &mut Context<'_>,
) -> Outcome {
    let object = entity::get(sandbox, resource, id)?;
    check_etag(request, object, cx.profile, false)?;
    if entity::action(request)? != "publish" || object["state"] != "draft" {
        return Err(Problem::bad(
            1422,
            "The action cannot be applied in the current state.",
        ));
    }
    let base = object["baseConnectionId"]
        .as_str()
        .and_then(|id| entity::get(sandbox, "connections", id).ok());
    if base.is_some_and(|base| base["state"] == "draft") {
        return Err(Problem::bad(
            1422,
            "The base connection is a draft: publish it first.",
        ));
    }
    if resource == TARGETS.resource {
        let spec = object["connectionSpec"]["id"].as_str().unwrap_or_default();
        check_data_set(object.get("params"), spec, sandbox)?;
    }
    let mut published = object.clone();
    published["state"] = json!("enabled");
    entity::store(resource, id, published, sandbox, cx);
    operations::finish_later(resource, id, None, sandbox, cx);
    Ok(entity::changed(200, resource, id, sandbox))
}
