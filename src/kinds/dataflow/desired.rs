//! What Adobe should hold of a dataflow, and the bodies that say so.

use serde_json::{Value, json};

use super::held::{COPY, CREATED, DRAFT, Held, MAPPING, UPDATING};
use super::mapping::{Mapping, Wanted};
use super::schedule::{Schedule, ScheduleSpec};
use crate::adobe::{NewFlow, SpecRef, Transformation};
use crate::api::{Contract, FlowState};
use crate::kinds::flow_service::{self, Head, Label};

/// A flow as the spec wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    pub(super) label: Label,
    pub(super) flow_spec: SpecRef,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) delta: Option<Value>,
    pub(super) mapping: Option<Wanted>,
    pub(super) schedule: Option<ScheduleSpec>,
    /// Adobe's own where it is not set.
    pub(super) state: Option<FlowState>,
    /// Whether it was created and no state that lasts was read since.
    pub(super) unsettled: bool,
    /// Since when the flow that this one replaces does not run, in milliseconds since 1970.
    pub(super) off_since: Option<i64>,
    pub(super) contract: Contract,
    /// When the spec was resolved, in seconds since 1970: what may still be changed depends on it.
    pub(super) now: i64,
}

impl Desired {
    /// The state that a flow should have. One that replaces another does not run where that one was switched off before; it
    /// was us who disabled what was switched off later.
    pub(super) fn state(&self, held: &Held) -> Option<FlowState> {
        let off = self.off_since.zip(held.head.created);
        let off = off.is_some_and(|(off, created)| off <= created);
        self.state.or(off.then_some(FlowState::Disabled))
    }

    /// Whether Adobe is to go on by itself: nobody asked for a draft of what was created here.
    pub(super) fn awaits(&self, held: &Held) -> bool {
        let unasked = self.unsettled && self.state.is_none() && held.state() == DRAFT;
        held.is_moving() || unasked
    }

    /// Takes over from the flow to be replaced what the spec leaves open.
    pub(super) fn inherit(&mut self, old: &Held) {
        self.off_since = old.switched_off();
        if let Some(was) = &old.mapping {
            let wanted = self.mapping.get_or_insert_with(|| Wanted {
                field: "spec.mappingSetId",
                id: was.id.clone(),
                version: None,
            });
            if wanted.id == was.id {
                wanted.version = wanted.version.or(Some(was.version));
            }
        }
    }

    fn transformations(&self) -> Vec<Transformation> {
        let step = |name: &str, params: Value| Transformation {
            name: name.into(),
            params: Some(params),
        };
        let copy = self.delta.as_ref();
        let copy = copy.map(|delta| step(COPY, json!({"deltaColumn": delta})));
        let mapping = self.mapping.as_ref();
        let mapping =
            mapping.map(|mapping| step(MAPPING, mapping.over(None).params(self.contract)));
        copy.into_iter().chain(mapping).collect()
    }

    pub(super) fn body(&self, start: Option<i64>) -> NewFlow {
        let schedule = self.schedule.as_ref().zip(start);
        NewFlow {
            name: self.label.name.clone(),
            description: Some(self.label.description.clone()),
            flow_spec: flow_service::versioned(&self.flow_spec),
            source_connection_ids: vec![self.source.clone()],
            target_connection_ids: vec![self.target.clone()],
            transformations: self.transformations(),
            schedule_params: schedule.map(|(spec, start)| spec.params(start, self.contract)),
        }
    }

    /// What Adobe holds after a create; its state is to be read.
    pub(super) fn image(&self, mut head: Head, start: Option<i64>) -> Held {
        head.state = Some(CREATED.into());
        let schedule = self.schedule.as_ref();
        Held {
            head,
            flow_spec: Some(self.flow_spec.clone()),
            sources: vec![self.source.clone()],
            targets: vec![self.target.clone()],
            delta: self.delta.clone(),
            mapping: self.mapping.as_ref().map(|wanted| wanted.over(None)),
            mapping_index: usize::from(self.delta.is_some()),
            schedule: schedule.map_or_else(Schedule::default, |spec| spec.image(start)),
            busy: true,
            updated: None,
            last_run: None,
        }
    }

    /// The mapping that Adobe should hold, where it holds another one.
    pub(super) fn new_mapping(&self, held: &Held) -> Option<Mapping> {
        let held = held.mapping.as_ref();
        let wanted = self.mapping.as_ref();
        let wanted = wanted.filter(|wanted| !held.is_some_and(|held| wanted.is(held)));
        wanted.map(|wanted| wanted.over(held))
    }

    /// What Adobe holds after a change, which goes on after the answer.
    pub(super) fn changed(&self, held: &Held, etag: Option<String>) -> Held {
        let spec = self.schedule.as_ref();
        let state = Some(UPDATING.into());
        Held {
            head: Head {
                state,
                ..self.label.changed(&held.head, etag)
            },
            mapping: self.new_mapping(held).or_else(|| held.mapping.clone()),
            schedule: spec.map_or_else(
                || held.schedule.clone(),
                |spec| spec.changed(&held.schedule, self.now),
            ),
            ..held.clone()
        }
    }
}
