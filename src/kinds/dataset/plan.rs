//! What has to change about a dataset.

use serde_json::json;

use super::held::{Held, compact};
use super::{Desired, ENABLED, IDENTITY, OWNER, PROFILE};
use crate::adobe::PatchOp;
use crate::engine::Plan;

const DISABLED: &str = "enabled:false";

pub(super) fn plan(desired: &Desired, held: &Held) -> Plan<Vec<PatchOp>> {
    if desired.schema_id != held.schema_id {
        return Plan::Replace(desired.schema_field.into());
    }
    let chosen = desired.content_type.as_deref();
    if chosen.is_some_and(|it| !is_same_type(it, &held.content_type)) {
        return Plan::Replace("`spec.schemaContentType`".into());
    }
    let ops = differences(desired, held);
    if ops.is_empty() {
        Plan::Keep
    } else {
        Plan::Change(ops)
    }
}

/// The same media type and version; where Adobe names none, there is nothing to compare.
fn is_same_type(wanted: &str, found: &str) -> bool {
    let plain = |text| compact(text).trim_end_matches(".0").to_owned();
    found.is_empty() || plain(wanted) == plain(found)
}

/// Tags are set one by one, never as a whole: Adobe keeps tags of its own there.
fn differences(desired: &Desired, held: &Held) -> Vec<PatchOp> {
    let mut ops = Vec::new();
    if desired.name != held.name {
        ops.push(PatchOp::add("/name", desired.name.clone()));
    }
    if desired.description != held.description {
        ops.push(PatchOp::add("/description", desired.description.clone()));
    }
    if let Some(wanted) = desired.error_diagnostics
        && wanted != held.error_diagnostics.unwrap_or_default()
    {
        ops.push(PatchOp::add("/enableErrorDiagnostics", wanted));
    }
    let mut tags = Vec::new();
    if held.mark.as_ref() != Some(&desired.mark) {
        tags.push((OWNER, desired.mark.tag()));
    }
    let state = if desired.profile { ENABLED } else { DISABLED };
    for (key, found) in [(PROFILE, held.profile), (IDENTITY, held.identity)] {
        if found != desired.profile {
            tags.push((key, state.to_owned()));
        }
    }
    if !tags.is_empty() && !held.tagged {
        ops.push(PatchOp::add("/tags", json!({})));
    }
    let tags = tags.into_iter();
    ops.extend(tags.map(|(key, value)| PatchOp::add(format!("/tags/{key}"), json!([value]))));
    ops
}
