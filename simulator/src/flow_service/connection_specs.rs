//! Connection specs as documents, and the rules that follow from them.

use serde_json::{Map, Value, json};

use super::connectors::{ALL, ANY};
pub(super) use super::connectors::{DATA_LAKE, HTTP_STREAMING, LANDING_ZONE, Reads, Spec};
use super::page::{self, Listing, allow_query};
use super::problem::Problem;
use super::{Outcome, entity, explore};
use crate::http::{Answer, Request};
use crate::world::Profile;

pub(super) const BATCH_PROVIDER: &str = "0ed90a81-07f4-4586-8190-b40eccef1c5a";
pub(super) const STREAMING_PROVIDER: &str = "521eee4d-8cbe-4906-bb48-fb6bd4450033";
const LISTING: Listing = Listing {
    resource: "connectionSpecs",
    fields: &[
        "id",
        "name",
        "providerId",
        "version",
        "attributes",
        "authSpec",
        "sourceSpec",
        "targetSpec",
        "exploreSpec",
        "permissionsInfo",
    ],
    paged: false,
};

/// The connector with this id.
pub(super) fn find(id: &str) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.id == id)
}

/// Answers one request below `/connectionSpecs`.
pub(super) fn answer(request: &Request, rest: &[&str], profile: Profile) -> Outcome {
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let documents: Vec<Value> = ALL.iter().map(document).collect();
            page::list(request, LISTING, documents.iter(), profile, Value::clone)
        }
        ("GET", [id]) => {
            allow_query(request, &["property"])?;
            let spec = find(id).ok_or_else(|| Problem::not_found("connectionSpecs", id))?;
            Ok(entity::one(&document(spec)))
        }
        ("GET", [id, "explore"]) => match find(id) {
            Some(_) => explore::answer(request),
            None => Err(Problem::not_found("connectionSpecs", id)),
        },
        ("POST" | "PUT", _) => Err(Problem::bad(
            1426,
            "This token may not write connection specs.",
        )),
        _ => Ok(Answer::html_not_found()),
    }
}

/// Whether a parameter of this name is never shown again.
pub(super) fn is_secret(param: &str) -> bool {
    let param = param.to_lowercase();
    let words = [
        "password",
        "secret",
        "token",
        "connectionstring",
        "accesskey",
        "sshkey",
        "privatekey",
        "sasuri",
    ];
    words.iter().any(|word| param.contains(word))
}

/// Whether these credentials have the form that the connector wants.
pub(super) fn check_auth(spec: &Spec, auth: &Value, profile: Profile) -> Result<(), Problem> {
    let name = auth["specName"].as_str().unwrap_or_default();
    let any = std::ptr::eq(spec.auth, ANY) && profile == Profile::Lenient && !name.is_empty();
    let Some(wanted) = spec.auth.iter().find(|auth| auth.name == name) else {
        let text =
            format!("The authentication spec name {name} is not valid for this connection spec.");
        return if any {
            Ok(())
        } else {
            Err(Problem::bad(1415, text))
        };
    };
    let missing = wanted
        .params
        .iter()
        .find(|param| !param.ends_with('?') && auth["params"][**param].is_null());
    match missing {
        Some(param) => Err(Problem::provider(
            1304,
            &format!("The authentication parameter {param} is missing."),
        )),
        None => Ok(()),
    }
}

fn document(spec: &Spec) -> Value {
    let stream = spec.reads == Reads::Stream;
    let auth: Vec<Value> = spec
        .auth
        .iter()
        .map(|auth| auth_document(auth.name, auth.params))
        .collect();
    let mut document = json!({
        "id": spec.id, "name": spec.name, "version": "1.0",
        "providerId": if stream { STREAMING_PROVIDER } else { BATCH_PROVIDER },
        "authSpec": auth,
        "attributes": { "category": spec.category, "connectorName": spec.label, "isSource": spec.reads != Reads::Lake,
            "uiAttributes": { "label": spec.label } },
    });
    if spec.reads == Reads::Lake {
        document["targetSpec"] =
            json!({ "name": "DataSet", "type": "DataSet", "spec": schema(&["dataSetId"]) });
        return document;
    }
    let params: &[&str] = match spec.reads {
        Reads::Table => &["tableName", "columns?", "filters?"],
        Reads::Files => &["path", "type?", "recursive?"],
        _ => &[],
    };
    document["sourceSpec"] = json!({ "spec": schema(params), "attributes": {
        "uiAttributes": { "isSource": true, "category": spec.category, "label": spec.label } } });
    let explore = if spec.reads == Reads::Files {
        "FileSystem"
    } else {
        "Tabular"
    };
    if !stream {
        document["exploreSpec"] = json!({ "name": explore, "type": explore });
    }
    document
}

fn auth_document(name: &str, params: &[&str]) -> Value {
    json!({ "name": name, "type": name.replace(' ', ""), "spec": schema(params) })
}

/// A JSON Schema of parameters, `?` behind those that may be left out.
fn schema(params: &[&str]) -> Value {
    let mut properties = Map::new();
    for param in params {
        let name = param.trim_end_matches('?');
        let mut property = match name {
            "columns" => json!({ "type": "array", "items": { "type": "object" } }),
            "filters" => json!({ "type": "object" }),
            "recursive" | "authenticationRequired" => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        if is_secret(name) {
            property["format"] = json!("password");
        }
        properties.insert(name.to_owned(), property);
    }
    let required: Vec<&&str> = params
        .iter()
        .filter(|param| !param.ends_with('?'))
        .collect();
    json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties, "required": required })
}
