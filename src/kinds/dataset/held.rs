//! A dataset as Catalog holds it.

use std::collections::BTreeMap;

use super::{IDENTITY, OWNER, PROFILE};
use crate::adobe::DataSet;
use crate::engine::{self, Mark};

const ENABLED: &str = "enabled:true";
const DISABLED: &str = "enabled:false";

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
    pub(super) profile: Switch,
    pub(super) identity: Switch,
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
            profile: Switch::read(&found.tags, PROFILE),
            identity: Switch::read(&found.tags, IDENTITY),
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

/// A tag that switches something on, with whatever else its values say, such as `isUpsert:true`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Switch {
    pub on: bool,
    others: Vec<String>,
}

impl Switch {
    /// Adobe appends `enabledAt:` to the values, and samples write a space after the colon.
    fn read(tags: &BTreeMap<String, Vec<String>>, key: &str) -> Self {
        let values = tags.get(key).map_or(&[][..], Vec::as_slice);
        let own = |it: &&String| {
            let text = compact(it);
            text.starts_with("enabled:") || text.starts_with("enabledat:")
        };
        Self {
            on: values.iter().any(|value| compact(value) == ENABLED),
            others: values.iter().filter(|it| !own(it)).cloned().collect(),
        }
    }

    /// The same, on or off.
    pub(super) fn turned(&self, on: bool) -> Self {
        let others = self.others.clone();
        Self { on, others }
    }

    pub(super) fn values(&self) -> Vec<String> {
        let state = if self.on { ENABLED } else { DISABLED };
        let others = self.others.iter().cloned();
        std::iter::once(state.to_owned()).chain(others).collect()
    }
}

/// A text without spaces, in lower case.
pub(super) fn compact(text: &str) -> String {
    let kept = text.chars().filter(|it| !it.is_whitespace());
    kept.collect::<String>().to_ascii_lowercase()
}
