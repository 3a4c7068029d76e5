//! What a change of a dataflow changes, for people to read.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::desired::Desired;
use super::held::Held;
use super::mapping::Mapping;
use super::plan::Change;
use crate::adobe::{Action, PatchOp};
use crate::engine::Difference;
use crate::kinds::compare;

pub(super) fn differences(desired: &Desired, held: &Held, change: &Change) -> Vec<Difference> {
    match change {
        Change::Patch(ops) => {
            let mut all = desired.label.differences(&held.head);
            all.extend(ops.iter().filter_map(|op| difference(desired, held, op)));
            all
        }
        Change::Act(action) => {
            let state = match action {
                Action::Enable | Action::Publish => "enabled",
                Action::Disable => "disabled",
            };
            vec![Difference::new(
                "spec.state",
                held.head.state.as_deref(),
                state,
            )]
        }
    }
}

fn difference(desired: &Desired, held: &Held, op: &PatchOp) -> Option<Difference> {
    if op.path.starts_with("/transformations/") {
        let text = |it: Mapping| format!("{} version {}", it.id, it.version);
        let (old, new) = (held.mapping.clone(), desired.new_mapping(held));
        let field = desired.mapping.as_ref()?.field;
        return Some(Difference::new(field, old.map(text), new.map(text)));
    }
    let member = op.path.strip_prefix("/scheduleParams/")?;
    let schedule = &held.schedule;
    let old = match member {
        "startTime" => {
            let new = op.value.as_ref().and_then(compare::integer);
            let field = "spec.schedule.startTime";
            return Some(Difference::new(field, time(schedule.start), time(new)));
        }
        "frequency" => json!(schedule.frequency),
        "interval" => json!(schedule.interval),
        "backfill" => json!(schedule.backfill),
        _ => Value::Null,
    };
    let field = format!("spec.schedule.{member}");
    Some(Difference::new(&field, old, op.value.clone()))
}

/// A time as specs spell it.
fn time(seconds: Option<i64>) -> Option<String> {
    let time = Timestamp::from_second(seconds?).ok()?;
    Some(time.to_string())
}
