//! The mapping set that a dataflow uses.

use serde_json::{Value, json};

use super::schedule::number;
use crate::api::Contract;
use crate::kinds::compare;

/// One version of a mapping set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mapping {
    pub id: String,
    pub version: i64,
}

impl Mapping {
    pub(super) fn read(params: &Value) -> Option<Self> {
        let id = params.get("mappingId")?.as_str()?.to_owned();
        let version = params.get("mappingVersion").and_then(compare::integer);
        let version = version.unwrap_or_default();
        Some(Self { id, version })
    }

    pub(super) fn params(&self, contract: Contract) -> Value {
        let version = number(self.version, contract);
        json!({"mappingId": self.id, "mappingVersion": version})
    }
}
