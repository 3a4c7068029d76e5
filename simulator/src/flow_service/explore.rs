//! What a source shows of itself: a few tables, the same for every connection.

use serde_json::{Value, json};

use super::Outcome;
use super::problem::Problem;
use crate::http::{Answer, Request};

const TABLES: &[&str] = &[
    "PayPal.Catalog_Products",
    "PayPal.Payments",
    "Accounts",
    "Contacts",
    "Orders",
];

/// Answers one request to explore a source.
pub(super) fn answer(request: &Request) -> Outcome {
    let kind = request
        .query("objectType")
        .unwrap_or_default()
        .to_lowercase();
    match kind.as_str() {
        "root" | "folder" => Ok(Answer::json(
            200,
            TABLES.iter().map(|name| entry(name)).collect(),
        )),
        "table" | "file" | "rest" => {
            let columns = [
                ("id", "string"),
                ("name", "string"),
                ("amount", "double"),
                ("updatedAt", "date-time"),
            ];
            let columns: Vec<Value> = columns
                .iter()
                .map(|(name, kind)| column(name, kind))
                .collect();
            Ok(Answer::json(
                200,
                json!({ "format": "flat", "schema": { "columns": columns } }),
            ))
        }
        _ => Err(Problem::provider(
            1336,
            "Exploring this kind of object is not supported.",
        )),
    }
}

fn entry(name: &str) -> Value {
    json!({ "type": "table", "name": name, "path": name, "canPreview": true, "canFetchSchema": true })
}

fn column(name: &str, kind: &str) -> Value {
    match kind {
        "date-time" => {
            json!({ "name": name, "type": "string", "meta:xdmType": kind, "xdm": { "type": "string", "format": kind } })
        }
        "double" => json!({ "name": name, "type": kind, "xdm": { "type": "number" } }),
        _ => json!({ "name": name, "type": kind, "xdm": { "type": kind } }),
    }
}
