//! What has to change about a dataflow: its content first, then its state.

use serde_json::json;

use super::desired::Desired;
use super::held::{DISABLED, DRAFT, ENABLED, Held, MAPPING};
use crate::adobe::{Action, PatchOp};
use crate::api::FlowState;
use crate::engine::Plan;
use crate::kinds::{compare, flow_service};

/// The next step towards what should be.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// Patch the content.
    Patch(Vec<PatchOp>),
    /// Change the state.
    Act(Action),
}

pub(super) fn plan(desired: &Desired, held: &Held) -> Plan<Change> {
    let fixed = fixed(desired, held);
    if !fixed.is_empty() {
        return Plan::Replace(fixed.join(", "));
    }
    let ops = ops(desired, held);
    if desired.awaits(held) {
        return Plan::Wait(held.state().into());
    }
    if ops.is_empty() {
        return move_state(desired, held);
    }
    Plan::Change(Change::Patch(ops))
}

/// The fields that differ and that Adobe cannot change.
fn fixed(desired: &Desired, held: &Held) -> Vec<&'static str> {
    let only = |ids: &[String], wanted: &String| ids == std::slice::from_ref(wanted);
    let schedule = desired.schedule.as_ref();
    let schedule = schedule.and_then(|spec| spec.fixed(&held.schedule, desired.now));
    let checks = [
        (
            flow_service::same_spec(&desired.flow_spec, held.flow_spec.as_ref()),
            "`spec.flowSpec`",
        ),
        (
            only(&held.sources, &desired.source),
            "`spec.sourceConnectionRef`",
        ),
        (
            only(&held.targets, &desired.target),
            "`spec.targetConnectionRef`",
        ),
        (
            compare::covers_some(desired.delta.as_ref(), held.delta.as_ref()),
            "`spec.deltaColumn`",
        ),
    ];
    let differing = checks.into_iter().filter(|(same, _)| !same);
    differing.map(|(_, field)| field).chain(schedule).collect()
}

fn ops(desired: &Desired, held: &Held) -> Vec<PatchOp> {
    let mut ops = desired.label.ops(&held.head);
    if let Some(spec) = &desired.schedule {
        ops.extend(spec.ops(&held.schedule, desired.now, desired.contract));
    }
    if let Some(mapping) = desired.new_mapping(held) {
        let step = json!({"name": MAPPING, "params": mapping.params(desired.contract)});
        ops.push(if held.mapping.is_some() {
            PatchOp::replace(format!("/transformations/{}", held.mapping_index), step)
        } else {
            PatchOp::add("/transformations/-", step)
        });
    }
    ops
}

/// The step towards the wanted state, if one is wanted, from one that lasts.
fn move_state(desired: &Desired, held: &Held) -> Plan<Change> {
    let act = |action| Plan::Change(Change::Act(action));
    match (desired.state(held), held.state()) {
        (Some(FlowState::Enabled), DISABLED) => act(Action::Enable),
        (Some(FlowState::Enabled), DRAFT) => act(Action::Publish),
        (Some(FlowState::Disabled), ENABLED) => act(Action::Disable),
        (Some(_), other) if ![ENABLED, DISABLED, DRAFT, ""].contains(&other) => {
            Plan::Wait(other.into())
        }
        _ => Plan::Keep,
    }
}
