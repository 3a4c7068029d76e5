//! JSON Patch, as Flow Service, Schema Registry and Catalog take it.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One operation of a JSON Patch (RFC 6902). `Debug` shows no value that goes below `/auth`.
#[derive(Clone, PartialEq, Serialize)]
pub struct PatchOp {
    /// `add`, `replace` or `remove`.
    pub op: &'static str,
    /// A JSON pointer (RFC 6901): `/` inside a key is written `~1`, `~` is written `~0`.
    pub path: String,
    /// The new value; absent for `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

impl PatchOp {
    /// Sets what `path` names, whether or not it exists; appends where the path ends in `/-`.
    #[must_use]
    pub fn add(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            op: "add",
            path: path.into(),
            value: Some(value.into()),
        }
    }

    /// Sets what `path` names, which must exist.
    #[must_use]
    pub fn replace(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            op: "replace",
            path: path.into(),
            value: Some(value.into()),
        }
    }

    /// Removes what `path` names, which must exist.
    #[must_use]
    pub fn remove(path: impl Into<String>) -> Self {
        Self {
            op: "remove",
            path: path.into(),
            value: None,
        }
    }
}

impl fmt::Debug for PatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PatchOp");
        out.field("op", &self.op).field("path", &self.path);
        if self.path.starts_with("/auth") {
            return out.finish_non_exhaustive();
        }
        out.field("value", &self.value).finish()
    }
}
