//! Who depends on a resource, which decides what may still be done to it.

use serde_json::Value;

use super::kind::Kind;
use super::{alt_id, find_schema, resolve, text, texts, union};
use crate::profile::Profile;
use crate::world::Sandbox;

/// The tenant's resources that refer to this one, by `$id`.
pub(super) fn dependants<'a>(sandbox: &'a Sandbox, id: &'a str) -> Vec<&'a str> {
    tenant_resources(sandbox)
        .filter(|other| text(other, "$id") != id)
        .filter(|other| {
            texts(other, "meta:extends").any(|e| e == id)
                || resolve::references(other).iter().any(|r| r == id)
        })
        .map(|other| text(other, "$id"))
        .collect()
}

/// The ids of the data sets that hold data of this schema.
pub(super) fn data_sets<'a>(sandbox: &'a Sandbox, schema_id: &str) -> Vec<&'a str> {
    of_schema(sandbox, schema_id).map(|(id, _)| id).collect()
}

/// Whether only additions may still be made to a resource: it is, or is part of, a schema in use.
pub(super) fn is_frozen(sandbox: &Sandbox, id: &str, profile: Profile) -> bool {
    schemas_over(sandbox, id).iter().any(|schema| {
        find_schema(sandbox, schema).is_some_and(union::is_enabled)
            || of_schema(sandbox, schema)
                .any(|(_, data_set)| profile == Profile::Strict || is_in_use(data_set))
    })
}

/// The schema itself, or every schema built on a resource, directly or through others.
fn schemas_over(sandbox: &Sandbox, id: &str) -> Vec<String> {
    let mut seen = vec![id.to_owned()];
    let mut at = 0;
    while at < seen.len() {
        for dependant in dependants(sandbox, &seen[at].clone()) {
            if !seen.iter().any(|s| s == dependant) {
                seen.push(dependant.to_owned());
            }
        }
        at += 1;
    }
    seen.retain(|id| find_schema(sandbox, id).is_some());
    seen
}

fn of_schema<'a>(
    sandbox: &'a Sandbox,
    schema_id: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let alt = alt_id(schema_id);
    sandbox.data_sets.iter().filter(move |(_, data_set)| {
        data_set
            .get("schemaRef")
            .is_some_and(|r| alt_id(text(r, "id")) == alt)
    })
}

/// A data set that received data or takes part in Profile.
fn is_in_use(data_set: &Value) -> bool {
    let enabled = data_set
        .pointer("/tags/unifiedProfile")
        .and_then(Value::as_array)
        .is_some_and(|values| values.iter().any(|v| v == "enabled:true"));
    enabled
        || data_set.get("lastSuccessfulBatch").is_some()
        || data_set.get("lastBatchId").is_some()
}

fn tenant_resources(sandbox: &Sandbox) -> impl Iterator<Item = &Value> {
    Kind::OF_TENANT
        .iter()
        .filter_map(|kind| sandbox.registry.get(kind.collection()))
        .flat_map(|collection| collection.iter().map(|(_, object)| object))
}
