//! What has to change about a dataset.

use serde_json::{Value, json};

use super::held::{Held, compact};
use super::{Desired, IDENTITY, OWNER, PROFILE};
use crate::adobe::PatchOp;
use crate::engine::{Difference, Plan};

pub(super) fn plan(desired: &Desired, held: &Held) -> Plan<Vec<PatchOp>> {
    if desired.schema_id != held.schema_id {
        return Plan::Replace(desired.schema_field.into());
    }
    let chosen = desired.content_type.as_deref();
    if chosen.is_some_and(|it| !is_same_type(it, &held.content_type)) {
        return Plan::Replace("`spec.schemaContentType`".into());
    }
    let ops = ops(desired, held);
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
fn ops(desired: &Desired, held: &Held) -> Vec<PatchOp> {
    let mut ops = Vec::new();
    if desired.name != held.name {
        ops.push(PatchOp::add("/name", desired.name.clone()));
    }
    if let Some(wanted) = desired.new_description(held) {
        ops.push(PatchOp::add("/description", wanted));
    }
    if let Some(wanted) = desired.new_diagnostics(held) {
        ops.push(PatchOp::add("/enableErrorDiagnostics", wanted));
    }
    let mut tags = Vec::new();
    if held.mark.as_ref() != Some(&desired.mark) {
        tags.push((OWNER, vec![desired.mark.tag()]));
    }
    if let Some(wanted) = desired.new_profile(held) {
        let switches = [(PROFILE, &held.profile), (IDENTITY, &held.identity)];
        let differing = switches.into_iter().filter(|(_, it)| it.on != wanted);
        tags.extend(differing.map(|(key, it)| (key, it.turned(wanted).values())));
    }
    if !tags.is_empty() && !held.tagged {
        ops.push(PatchOp::add("/tags", json!({})));
    }
    let tags = tags.into_iter();
    ops.extend(tags.map(|(key, values)| PatchOp::add(format!("/tags/{key}"), json!(values))));
    ops
}

/// What differs, for people to read.
pub(super) fn differences(desired: &Desired, held: &Held) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut differ = |field, old: Value, new: Option<Value>| {
        all.extend(
            new.filter(|new| *new != old)
                .map(|new| Difference::new(field, old, new)),
        );
    };
    let text = |it: &String| Value::from(it.as_str());
    differ("spec.name", text(&held.name), Some(text(&desired.name)));
    let new = desired.new_description(held).map(Value::from);
    differ("spec.description", text(&held.description), new);
    let new = desired.new_diagnostics(held).map(Value::from);
    differ("spec.errorDiagnostics", json!(held.error_diagnostics), new);
    let profile = desired.new_profile(held);
    differ(
        "spec.profileEnabled",
        held.profile.on.into(),
        profile.map(Value::from),
    );
    if profile == Some(held.profile.on) {
        differ(
            "tags.unifiedIdentity",
            held.identity.on.into(),
            profile.map(Value::from),
        );
    }
    all.extend(Difference::mark(held.mark.as_ref(), &desired.mark));
    all
}
