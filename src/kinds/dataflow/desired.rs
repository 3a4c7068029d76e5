//! What Adobe should hold of a dataflow, and the bodies that say so.

use serde_json::{Value, json};

use super::held::{COPY, Held, MAPPING};
use super::mapping::Mapping;
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
    pub(super) mapping: Option<Mapping>,
    pub(super) schedule: Option<ScheduleSpec>,
    pub(super) state: FlowState,
    pub(super) contract: Contract,
    /// When the spec was resolved, in seconds since 1970: what may still be changed depends on it.
    pub(super) now: i64,
}

impl Desired {
    fn transformations(&self) -> Vec<Transformation> {
        let step = |name: &str, params: Value| Transformation {
            name: name.into(),
            params: Some(params),
        };
        let copy = self.delta.as_ref();
        let copy = copy.map(|delta| step(COPY, json!({"deltaColumn": delta})));
        let mapping = self.mapping.as_ref();
        let mapping = mapping.map(|mapping| step(MAPPING, mapping.params(self.contract)));
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

    /// What Adobe holds after a create.
    pub(super) fn image(&self, head: Head, start: Option<i64>) -> Held {
        let schedule = self.schedule.as_ref();
        Held {
            head,
            flow_spec: Some(self.flow_spec.clone()),
            sources: vec![self.source.clone()],
            targets: vec![self.target.clone()],
            delta: self.delta.clone(),
            mapping: self.mapping.clone(),
            mapping_index: usize::from(self.delta.is_some()),
            schedule: schedule.map_or_else(Schedule::default, |spec| spec.image(start)),
            last_run: None,
        }
    }

    /// What Adobe holds after a change.
    pub(super) fn changed(&self, held: &Held, etag: Option<String>) -> Held {
        let spec = self.schedule.as_ref();
        Held {
            head: self.label.changed(&held.head, etag),
            mapping: self.mapping.clone(),
            schedule: spec.map_or_else(
                || held.schedule.clone(),
                |spec| spec.changed(&held.schedule, self.now),
            ),
            ..held.clone()
        }
    }
}
