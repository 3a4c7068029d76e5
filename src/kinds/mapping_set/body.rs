//! A mapping set as it is written, and as Data Prep holds it then.

use serde_json::{Value, json};

use super::rows::{carry_over, complete, ordered, written};
use super::{Desired, Held};
use crate::adobe::Rest;
use crate::api::Contract;

const CONTENT_TYPE: &str = "application/vnd.adobe.xed-full+json;version=1";

/// A mapping set as it is written. A write replaces the whole of what Adobe holds, so it carries over what is not in the spec.
pub(super) fn body(desired: &Desired, held: Option<&Held>) -> Value {
    let rows = complete(&desired.rows, held.map_or(&[], |it| &it.rows));
    let rows = rows.iter().map(|row| written(row, desired.contract));
    let rows: Vec<_> = rows.collect();
    let name = name(desired, held);
    let mut body = match desired.contract {
        Contract::Current => json!({
            "name": name,
            "outputSchema": {
                "schemaRef": { "id": desired.schema_id, "contentType": content_type(desired, held) },
            },
            "mappings": rows,
        }),
        Contract::Legacy2020 => json!({
            "name": name,
            "xdmSchema": desired.schema_id,
            "xdmVersion": "1.0",
            "mappings": rows,
        }),
    };
    match held {
        Some(held) => carry_over(&mut body, &held.rest),
        // In a change, the id is in the path, and Adobe assigns the version.
        None if desired.contract == Contract::Legacy2020 => {
            body["version"] = 0.into();
            body["id"] = Value::Null;
        }
        None => {}
    }
    body
}

/// Whatever people called it, with the mark.
fn name(desired: &Desired, held: Option<&Held>) -> String {
    let held = held.filter(|it| !it.name.is_empty());
    held.map_or(desired.name.clone(), |it| desired.mark.sign_over(&it.name))
}

/// How the schema is used, which is nobody's wish as long as it is the same schema.
fn content_type(desired: &Desired, held: Option<&Held>) -> String {
    let held = held.filter(|it| it.schema_id.as_ref() == Some(&desired.schema_id));
    let content_type = held.and_then(|it| it.content_type.clone());
    content_type.unwrap_or_else(|| CONTENT_TYPE.into())
}

/// What Data Prep holds after a create.
pub(super) fn image(desired: &Desired, id: String, version: i64) -> Held {
    Held {
        id,
        mark: Some(desired.mark.clone()),
        created: None,
        version,
        name: desired.name.clone(),
        schema_id: Some(desired.schema_id.clone()),
        content_type: None,
        rows: ordered(complete(&desired.rows, &[])),
        rest: Rest::default(),
    }
}

/// What Data Prep holds after a change.
pub(super) fn changed(desired: &Desired, held: &Held, version: i64) -> Held {
    Held {
        mark: Some(desired.mark.clone()),
        version,
        name: name(desired, Some(held)),
        schema_id: Some(desired.schema_id.clone()),
        content_type: Some(content_type(desired, Some(held))),
        rows: ordered(complete(&desired.rows, &held.rows)),
        ..held.clone()
    }
}
