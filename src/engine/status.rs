//! The status that we write, and what others have written into it.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use crate::api::AepResource;
use crate::api::condition_types::{READY, RECONCILING, STALLED, SUSPENDED};

/// Which statuses of a custom resource are the operator's: the one that it wrote last, and the one that it is just writing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnStatus {
    version: u64,
    hashes: [Option<u64>; 2],
}

impl OwnStatus {
    /// The operator has written a status; the resource has this version since.
    pub(super) fn new(version: u64, hash: u64) -> Self {
        let hashes = [Some(hash); 2];
        Self { version, hashes }
    }

    /// The operator is about to write a status, which a watch may show before that is answered.
    pub(super) fn writing(&mut self, hash: u64) {
        self.hashes[1] = Some(hash);
    }

    /// Whether the status in a version of the resource is the operator's, or older than the operator's.
    pub(super) fn includes(&self, version: u64, hash: u64) -> bool {
        version < self.version || self.hashes.contains(&Some(hash))
    }
}

/// The status without conditions that are none of ours.
pub(super) fn known<K: AepResource>(mut status: K::Status) -> K::Status {
    let ours = |type_: &str| {
        [READY, RECONCILING, STALLED, SUSPENDED].contains(&type_) || K::CONDITIONS.contains(&type_)
    };
    status.as_mut().conditions.retain(|it| ours(&it.type_));
    status
}

/// Shows whether two statuses are the same, whatever the order of their conditions.
pub(super) fn hash<K: AepResource>(status: &K::Status) -> u64 {
    let mut status = serde_json::to_value(status).unwrap_or_default();
    if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        sort(conditions);
    }
    let mut hasher = DefaultHasher::new();
    status.to_string().hash(&mut hasher);
    hasher.finish()
}

/// The merge patch that makes one status into another, if they differ.
pub(super) fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Some(old), Some(new)) = (from.as_object(), to.as_object()) else {
        return (!same(from, to)).then(|| to.clone());
    };
    let changed = new.iter().filter_map(|(name, value)| {
        let before = old.get(name).unwrap_or(&Value::Null);
        Some((name.clone(), difference(before, value)?))
    });
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let gone = gone.map(|name| (name.clone(), Value::Null));
    let patch: Map<_, _> = changed.chain(gone).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// The order of conditions is that of their writers.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            let (mut one, mut other) = (one.clone(), other.clone());
            sort(&mut one);
            sort(&mut other);
            one == other
        }
        _ => one == other,
    }
}

/// By type, as far as they are conditions.
fn sort(items: &mut [Value]) {
    items.sort_by_cached_key(|it| it["type"].as_str().map(ToOwned::to_owned));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Dataset, DatasetStatus};

    #[test]
    fn what_others_have_added_is_taken_away_and_nothing_else() {
        let ready = json!({ "type": "Ready", "status": "True" });
        let stalled = json!({ "type": "Stalled", "status": "True" });
        let ours = json!({ "id": "1", "lastRun": { "id": "r" }, "conditions": [ready] });
        let mut theirs = ours.clone();
        assert_eq!(difference(&theirs, &ours), None);
        theirs["conditions"] = json!([stalled, ready]);
        theirs["orphans"] = 3.into();
        theirs["lastRun"]["error"] = "x".into();
        let patch = json!({ "orphans": null, "lastRun": { "error": null }, "conditions": [ready] });
        assert_eq!(difference(&theirs, &ours), Some(patch));
    }

    #[test]
    fn the_order_of_conditions_means_nothing() {
        let ready = json!({
            "type": "Ready", "status": "True", "reason": "Succeeded", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let mut stalled = ready.clone();
        stalled["type"] = "Stalled".into();
        let one = json!({ "conditions": [ready, stalled] });
        let other = json!({ "conditions": [stalled, ready] });
        assert_eq!(difference(&one, &other), None);
        let hash = |it: Value| hash::<Dataset>(&serde_json::from_value(it).unwrap());
        assert_eq!(hash(one), hash(other));
    }

    #[test]
    fn conditions_of_other_kinds_do_not_stay() {
        let condition = |type_: &str| {
            json!({
                "type": type_, "status": "True", "reason": "X", "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let all = ["Ready", "OrphansFound", "LastRunSucceeded", "Mine"].map(condition);
        let status: DatasetStatus = serde_json::from_value(json!({ "conditions": all })).unwrap();
        let known = known::<Dataset>(status);
        let types: Vec<_> = known.common.conditions.iter().map(|it| &it.type_).collect();
        assert_eq!(types, ["Ready"]);
    }
}
