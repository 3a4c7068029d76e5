//! What a change of a dataflow changes, for people to read.

use serde_json::{Value, json};

use super::desired::Desired;
use super::held::Held;
use super::mapping::Mapping;
use super::plan::Change;
use crate::adobe::{Action, PatchOp};
use crate::engine::Difference;

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
        return Some(Difference::new(
            "spec.mappingSetRef",
            old.map(text),
            new.map(text),
        ));
    }
    let member = op.path.strip_prefix("/scheduleParams/")?;
    let schedule = &held.schedule;
    let old = match member {
        "startTime" => json!(schedule.start),
        "frequency" => json!(schedule.frequency),
        "interval" => json!(schedule.interval),
        "backfill" => json!(schedule.backfill),
        _ => Value::Null,
    };
    let field = format!("spec.schedule.{member}");
    Some(Difference::new(&field, old, op.value.clone()))
}
