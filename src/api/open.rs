//! Objects whose content Adobe defines, not this API.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A JSON object that is passed on as written: connector parameters, raw XDM.
pub type OpenObject = serde_json::Map<String, serde_json::Value>;

/// Schema of an [`OpenObject`]: the API server keeps whatever is in it.
pub(super) fn open_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}
