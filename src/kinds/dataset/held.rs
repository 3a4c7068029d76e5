//! A dataset as Catalog holds it.

use std::collections::BTreeMap;

use super::{ENABLED, IDENTITY, OWNER, PROFILE};
use crate::adobe::DataSet;
use crate::engine::{self, Mark};

/// A dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub(super) id: String,
    pub(super) mark: Option<Mark>,
    pub(super) created: Option<i64>,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) schema_id: String,
    pub(super) content_type: String,
    pub(super) profile: bool,
    pub(super) identity: bool,
    pub(super) error_diagnostics: Option<bool>,
    /// Whether there is a map of tags to which a tag can be added.
    pub(super) tagged: bool,
}

impl engine::Held for Held {
    type Memory = ();

    fn id(&self) -> &str {
        &self.id
    }

    fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    fn created(&self) -> Option<i64> {
        self.created
    }

    fn uses(&self) -> Vec<&str> {
        vec![&self.schema_id]
    }
}

impl From<DataSet> for Held {
    fn from(found: DataSet) -> Self {
        let schema = found.schema_ref.unwrap_or_default();
        let owner = found.tags.get(OWNER).into_iter().flatten();
        let mut marks = owner.filter_map(|value| Mark::read_tag(value));
        Self {
            mark: marks.next(),
            profile: is_enabled(&found.tags, PROFILE),
            identity: is_enabled(&found.tags, IDENTITY),
            tagged: !found.tags.is_empty(),
            id: found.id,
            created: found.created,
            name: found.name.unwrap_or_default(),
            description: found.description.unwrap_or_default(),
            schema_id: schema.id,
            content_type: schema.content_type,
            error_diagnostics: found.enable_error_diagnostics,
        }
    }
}

/// Adobe appends `enabledAt:` to the values, and samples write a space after the colon.
fn is_enabled(tags: &BTreeMap<String, Vec<String>>, key: &str) -> bool {
    let mut values = tags.get(key).into_iter().flatten();
    values.any(|value| compact(value) == ENABLED)
}

/// A text without spaces, in lower case.
pub(super) fn compact(text: &str) -> String {
    let kept = text.chars().filter(|it| !it.is_whitespace());
    kept.collect::<String>().to_ascii_lowercase()
}
