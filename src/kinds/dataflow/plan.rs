//! What has to change about a dataflow: its content first, then its state.

use serde_json::json;

use super::desired::Desired;
use super::held::{Held, MAPPING};
use crate::adobe::{Action, PatchOp};
use crate::api::FlowState;
use crate::engine::Plan;
use crate::kinds::{compare, flow_service};

/// The state to report of a flow that was created and not read since.
const CREATED: &str = "created";

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
    if ops.is_empty() {
        return move_state(desired, held);
    }
    if held.is_moving() {
        return Plan::Wait(held.head.state.clone().unwrap_or_default());
    }
    Plan::Change(Change::Patch(ops))
}

/// The fields that differ and that Adobe cannot change.
fn fixed(desired: &Desired, held: &Held) -> Vec<&'static str> {
    let only = |ids: &[String], wanted: &String| ids == std::slice::from_ref(wanted);
    let schedule = match &desired.schedule {
        Some(spec) => spec.fixed(&held.schedule, desired.now),
        None => held.schedule.frequency.as_ref().map(|_| "`spec.schedule`"),
    };
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
        (
            desired.mapping.is_some() || held.mapping.is_none(),
            "`spec.mappingSetRef`",
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
    match &desired.mapping {
        Some(wanted) if held.mapping.as_ref() != Some(wanted) => {
            let step = json!({"name": MAPPING, "params": wanted.params(desired.contract)});
            ops.push(if held.mapping.is_some() {
                PatchOp::replace(format!("/transformations/{}", held.mapping_index), step)
            } else {
                PatchOp::add("/transformations/-", step)
            });
        }
        _ => {}
    }
    ops
}

/// The step towards the wanted state.
fn move_state(desired: &Desired, held: &Held) -> Plan<Change> {
    let act = |action| Plan::Change(Change::Act(action));
    match (desired.state, held.head.state.as_deref()) {
        (FlowState::Enabled, Some("disabled")) => act(Action::Enable),
        (FlowState::Disabled, Some("enabled")) => act(Action::Disable),
        (FlowState::Disabled, Some("disabled")) => Plan::Keep,
        (FlowState::Disabled, state) => Plan::Wait(state.unwrap_or(CREATED).into()),
        (FlowState::Enabled, Some("disabling")) => Plan::Wait("disabling".into()),
        (FlowState::Enabled, _) => Plan::Keep,
    }
}
