//! Connection specs as documents, and the rules that follow from them.

use serde_json::{Map, Value, json};

use super::page::{self, Listing, allow_query};
use super::problem::Problem;
use super::{Outcome, entity, explore};
use crate::connectors::{Connector, Reads};
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::world::Context;

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
pub(super) fn find<'c>(id: &str, cx: &Context<'c>) -> Option<&'c Connector> {
    cx.connectors.iter().find(|it| it.id == id)
}

/// Answers one request below `/connectionSpecs`.
pub(super) fn answer(request: &Request, rest: &[&str], cx: &Context<'_>) -> Outcome {
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let connectors = cx.connectors.iter();
            let documents: Vec<Value> = connectors.map(|it| document(it, cx.profile)).collect();
            page::list(request, LISTING, documents.iter(), cx.profile, Value::clone)
        }
        ("GET", [id]) => {
            allow_query(request, &["property"])?;
            let spec = find(id, cx).ok_or_else(|| Problem::not_found("connectionSpecs", id))?;
            Ok(entity::one(&document(spec, cx.profile)))
        }
        ("GET", [id, "explore"]) => match find(id, cx) {
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
        "passphrase",
        "secret",
        "token",
        "key",
        "credential",
        "connectionstring",
        "sasuri",
        "jwt",
    ];
    // These only say whose secret it is, or where tokens are to be had.
    let known = ["accesskeyid", "saskeyname", "accesstokenurl"];
    words.iter().any(|word| param.contains(word)) && !known.contains(&param.as_str())
}

/// Whether these credentials have the form that the connector wants.
pub(super) fn check_auth(spec: &Connector, auth: &Value) -> Result<(), Problem> {
    let name = auth["specName"].as_str().unwrap_or_default();
    let params = spec.auth.get(name).ok_or_else(|| {
        let text =
            format!("The authentication spec name {name} is not valid for this connection spec.");
        Problem::bad(1415, text)
    })?;
    let missing = params
        .iter()
        .find(|param| !param.ends_with('?') && auth["params"][param.as_str()].is_null());
    missing.map_or(Ok(()), |param| {
        let text = format!("The authentication parameter {param} is missing.");
        Err(Problem::provider(1304, &text))
    })
}

fn document(spec: &Connector, profile: Profile) -> Value {
    let auth: Vec<Value> = spec
        .auth
        .iter()
        .map(|(name, params)| auth_document(name, params))
        .collect();
    let (category, label) = (&spec.category, &spec.label);
    let mut document = json!({
        "id": spec.id, "name": spec.name(profile), "version": "1.0",
        "providerId": if spec.reads.is_streaming() { STREAMING_PROVIDER } else { BATCH_PROVIDER },
        "authSpec": auth,
        "attributes": { "category": category, "connectorName": label, "isSource": spec.reads != Reads::Lake,
            "uiAttributes": { "label": label } },
    });
    if spec.reads == Reads::Lake {
        document["targetSpec"] =
            json!({ "name": "DataSet", "type": "DataSet", "spec": schema(&["dataSetId"]) });
        return document;
    }
    let params = match spec.reads {
        _ if !spec.params.is_empty() => schema(&spec.params),
        Reads::Table => schema(&["tableName", "columns?", "filters?"]),
        Reads::Files => schema(&["path", "type?", "recursive?"]),
        _ => schema::<&str>(&[]),
    };
    document["sourceSpec"] = json!({ "spec": params, "attributes": {
        "uiAttributes": { "isSource": true, "category": category, "label": label } } });
    let explore = if spec.reads == Reads::Files {
        "FileSystem"
    } else {
        "Tabular"
    };
    if !spec.reads.is_streaming() {
        document["exploreSpec"] = json!({ "name": explore, "type": explore });
    }
    document
}

fn auth_document(name: &str, params: &[String]) -> Value {
    json!({ "name": name, "type": name.replace(' ', ""), "spec": schema(params) })
}

/// A JSON Schema of parameters, `?` behind those that may be left out.
fn schema<S: AsRef<str>>(params: &[S]) -> Value {
    let mut properties = Map::new();
    for param in params {
        let name = param.as_ref().trim_end_matches('?');
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
    let required: Vec<&str> = params
        .iter()
        .map(AsRef::as_ref)
        .filter(|param| !param.ends_with('?'))
        .collect();
    json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties, "required": required })
}
