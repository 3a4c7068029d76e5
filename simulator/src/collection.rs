//! A set of stored objects whose listings may lag behind, as Adobe's do.

use indexmap::IndexMap;
use serde_json::Value;

#[derive(Clone, Debug)]
struct Entry {
    object: Value,
    created_ms: i64,
    deleted_ms: Option<i64>,
}

/// Objects by id, in order of creation. Reads by id are always current; listings may lag.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    entries: IndexMap<String, Entry>,
}

impl Collection {
    /// The live object of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Value> {
        self.entries
            .get(id)
            .filter(|e| e.deleted_ms.is_none())
            .map(|e| &e.object)
    }

    /// The object of this id as it was when it was deleted.
    #[must_use]
    pub fn deleted(&self, id: &str) -> Option<&Value> {
        self.entries
            .get(id)
            .filter(|e| e.deleted_ms.is_some())
            .map(|e| &e.object)
    }

    /// The live object of this id, to change.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.entries
            .get_mut(id)
            .filter(|e| e.deleted_ms.is_none())
            .map(|e| &mut e.object)
    }

    /// Stores a new object.
    pub fn insert(&mut self, id: impl Into<String>, object: Value, now_ms: i64) {
        self.entries.insert(
            id.into(),
            Entry {
                object,
                created_ms: now_ms,
                deleted_ms: None,
            },
        );
    }

    /// Deletes an object; listings may show it for a while. `false` if there is none.
    pub fn remove(&mut self, id: &str, now_ms: i64) -> bool {
        match self.entries.get_mut(id).filter(|e| e.deleted_ms.is_none()) {
            Some(entry) => {
                entry.deleted_ms = Some(now_ms);
                true
            }
            None => false,
        }
    }

    /// Every live object with its id, whatever listings say.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries
            .iter()
            .filter(|(_, e)| e.deleted_ms.is_none())
            .map(|(id, e)| (id.as_str(), &e.object))
    }

    /// What a listing shows now if listings lag by `lag_ms`: without the newest objects, with the ones just deleted.
    pub fn listed(&self, now_ms: i64, lag_ms: i64) -> impl Iterator<Item = (&str, &Value)> {
        let seen = now_ms - lag_ms;
        self.entries
            .iter()
            .filter(move |(_, e)| e.created_ms <= seen && e.deleted_ms.is_none_or(|at| at > seen))
            .map(|(id, e)| (id.as_str(), &e.object))
    }

    /// How many live objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no live object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
