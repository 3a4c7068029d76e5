//! Changes to stored objects: preconditions and JSON Patch.

use serde_json::Value;

use super::problem::Problem;
use crate::http::Request;
use crate::profile::Profile;

/// Compares `If-Match` with the object's etag.
pub(super) fn check_etag(
    request: &Request,
    object: &Value,
    profile: Profile,
    required: bool,
) -> Result<(), Problem> {
    let current = object["etag"].as_str().unwrap_or_default();
    let Some(sent) = request.header("if-match") else {
        return if required {
            Err(Problem::bad(1403, "The If-Match header is missing."))
        } else {
            Ok(())
        };
    };
    let unquoted_is_fine = profile == Profile::Lenient && format!("\"{sent}\"") == current;
    if sent == current || unquoted_is_fine {
        return Ok(());
    }
    let text = format!(
        "Supplied version=[{sent}] does not match the current version on entity=[{current}]"
    );
    Err(Problem::new(412, 1404, text))
}

/// The object after the patch in the request's body, and the patch as it was understood. `path` judges every path.
pub(super) fn patched(
    object: &Value,
    request: &Request,
    path: impl Fn(&str) -> Result<(), Problem>,
) -> Result<(Value, Vec<Value>), Problem> {
    let Some(body) = &request.body else {
        return Err(Problem::bad(1405, "The request body is empty."));
    };
    let Some(instructions) = body.as_array().filter(|list| !list.is_empty()) else {
        return Err(Problem::bad(
            1455,
            "The body of a patch is an array of instructions.",
        ));
    };
    let understood: Vec<Value> = instructions
        .iter()
        .map(|one| instruction(one, &path))
        .collect::<Result<_, _>>()?;
    let mut changed = object.clone();
    serde_json::from_value::<json_patch::Patch>(Value::Array(understood.clone()))
        .map_err(|error| error.to_string())
        .and_then(|patch| {
            json_patch::patch(&mut changed, &patch).map_err(|error| error.to_string())
        })
        .map_err(|error| Problem::bad(1455, format!("The patch cannot be applied: {error}.")))?;
    Ok((changed, understood))
}

fn instruction(one: &Value, path: impl Fn(&str) -> Result<(), Problem>) -> Result<Value, Problem> {
    let member = |name: &str| {
        one[name]
            .as_str()
            .ok_or_else(|| Problem::bad(1455, format!("A patch instruction lacks {name}.")))
    };
    let operation = member("op")?.to_lowercase();
    if !matches!(operation.as_str(), "add" | "replace" | "remove") {
        return Err(Problem::bad(
            1434,
            format!("The patch operation {operation} is not supported."),
        ));
    }
    path(member("path")?)?;
    if operation != "remove" && one.get("value").is_none() {
        return Err(Problem::bad(1455, "A patch instruction lacks value."));
    }
    let mut one = one.clone();
    one["op"] = Value::String(operation);
    Ok(one)
}

/// Whether a pointer names this member or something inside it.
pub(super) fn within(pointer: &str, member: &str) -> bool {
    pointer
        .strip_prefix(member)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
