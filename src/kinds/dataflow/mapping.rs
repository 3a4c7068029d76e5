//! The mapping set that a dataflow uses.

use serde_json::{Map, Value};

use super::schedule::number;
use crate::api::Contract;
use crate::kinds::compare;

const ID: &str = "mappingId";
const VERSION: &str = "mappingVersion";

/// The mapping set that is wanted, in any version unless one is named.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    /// The field that names it.
    pub field: &'static str,
    pub id: String,
    pub version: Option<i64>,
}

/// One version of a mapping set, as Adobe holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mapping {
    pub id: String,
    pub version: i64,
    /// What else the step says, which a change must not lose.
    pub rest: Map<String, Value>,
}

impl Wanted {
    pub(super) fn is(&self, held: &Mapping) -> bool {
        self.id == held.id && self.version.is_none_or(|version| version == held.version)
    }

    /// What Adobe holds once the step was written over the one that is there.
    pub(super) fn over(&self, held: Option<&Mapping>) -> Mapping {
        Mapping {
            id: self.id.clone(),
            version: self.version.unwrap_or_default(),
            rest: held.map(|held| held.rest.clone()).unwrap_or_default(),
        }
    }
}

impl Mapping {
    pub(super) fn read(params: &Value) -> Option<Self> {
        let mut rest = params.as_object()?.clone();
        let id = rest.remove(ID)?.as_str()?.to_owned();
        let version = rest.remove(VERSION).as_ref().and_then(compare::integer);
        let version = version.unwrap_or_default();
        Some(Self { id, version, rest })
    }

    pub(super) fn params(&self, contract: Contract) -> Value {
        let mut params = self.rest.clone();
        params.insert(ID.into(), self.id.as_str().into());
        params.insert(VERSION.into(), number(self.version, contract));
        params.into()
    }
}
