//! Tags of data sets: some switch Profile and Identity on, some are the platform's own.

use serde_json::{Map, Value, json};

use super::text;
use crate::clock::Utc;

/// Brings the switches into the form that Catalog returns: without spaces, with the date of enabling.
pub(super) fn normalise(data_set: &mut Value, previous: Option<&Value>, now_ms: i64) {
    for switch in ["unifiedProfile", "unifiedIdentity"] {
        let values = data_set
            .pointer_mut(&format!("/tags/{switch}"))
            .and_then(Value::as_array_mut);
        for value in values.into_iter().flatten() {
            // A date contains a space that belongs there.
            if let Some(text) = value.as_str().filter(|t| !t.starts_with("enabledAt:")) {
                *value = json!(text.replace(' ', ""));
            }
        }
    }
    let enabled = is_profile_enabled(data_set);
    let kept = previous
        .filter(|p| is_profile_enabled(p))
        .and_then(enabled_at)
        .cloned();
    let known = enabled_at(data_set).is_some();
    if let Some(values) = data_set
        .pointer_mut("/tags/unifiedProfile")
        .and_then(Value::as_array_mut)
    {
        if !enabled {
            values.retain(|v| !is_date(v));
        } else if !known {
            values.push(
                kept.unwrap_or_else(|| json!(format!("enabledAt:{}", Utc::at(now_ms).plain()))),
            );
        }
    }
}

/// Whether a data set takes part in Profile.
pub(super) fn is_profile_enabled(data_set: &Value) -> bool {
    profile_values(data_set).any(|value| value == "enabled:true")
}

fn enabled_at(data_set: &Value) -> Option<&Value> {
    profile_values(data_set).find(|value| is_date(value))
}

fn profile_values(data_set: &Value) -> impl Iterator<Item = &Value> {
    data_set
        .pointer("/tags/unifiedProfile")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|v| v.starts_with("enabledAt:"))
}

/// The platform's own tags of a new data set; the client's of the same name win.
pub(super) fn add_platform_tags(data_set: &mut Value) {
    let table: String = text(data_set, "name")
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let platform = json!({
        "adobe/pqs/table": [table],
        "adobe/siphon/table/format": ["delta"],
        "aep/siphon/partitions": ["_ACP_DATE"],
        "acp_validationContext": ["enabled"],
    });
    let tags = data_set
        .as_object_mut()
        .map(|d| d.entry("tags").or_insert_with(|| json!({})));
    let Some(tags) = tags.and_then(Value::as_object_mut) else {
        return;
    };
    let platform = platform.as_object().cloned().unwrap_or_default();
    let merged: Map<_, _> = platform.into_iter().chain(std::mem::take(tags)).collect();
    *tags = merged;
}
