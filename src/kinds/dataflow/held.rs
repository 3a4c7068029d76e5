//! A flow as Adobe holds it.

use serde_json::Value;

use super::mapping::Mapping;
use super::runs::LastRunRef;
use super::schedule::Schedule;
use crate::adobe::{Flow, SpecRef};
use crate::kinds::compare;
use crate::kinds::flow_service::{Head, head};

/// The step that reads only new records.
pub(super) const COPY: &str = "Copy";
/// The step that maps records to the schema.
pub(super) const MAPPING: &str = "Mapping";
/// The state of a flow that runs, of one that does not, and of one that nobody has published yet.
pub(super) const ENABLED: &str = "enabled";
pub(super) const DISABLED: &str = "disabled";
pub(super) const DRAFT: &str = "draft";
/// Stands for the state of a flow that was created and not read since.
pub(super) const CREATED: &str = "created";
/// The states that follow upon our own changes, until a read shows the next one.
pub(super) const UPDATING: &str = "updating";
pub(super) const ENABLING: &str = "enabling";
pub(super) const DISABLING: &str = "disabling";
/// States that Adobe leaves by itself, and in which it refuses changes.
const MOVING: [&str; 5] = [CREATED, UPDATING, ENABLING, DISABLING, "initializing"];

/// A flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub(super) head: Head,
    pub(super) flow_spec: Option<SpecRef>,
    pub(super) sources: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) delta: Option<Value>,
    pub(super) mapping: Option<Mapping>,
    /// Index of the mapping among the transformations; if there is none, where it would be appended.
    pub(super) mapping_index: usize,
    pub(super) schedule: Schedule,
    /// Whether Adobe is at work on it, whatever its state.
    pub(super) busy: bool,
    /// When it last changed, in milliseconds since 1970.
    pub(super) updated: Option<i64>,
    /// The last run as of the last resync.
    pub(super) last_run: Option<LastRunRef>,
}

impl From<Flow> for Held {
    fn from(read: Flow) -> Self {
        let steps = &read.transformations;
        let find = |name: &str| steps.iter().position(|step| step.name == name);
        let params = |at: usize| steps[at].params.as_ref();
        let mapping = find(MAPPING).and_then(params).and_then(Mapping::read);
        let delta = find(COPY)
            .and_then(params)
            .and_then(|it| it.get("deltaColumn"));
        let last_run = read.last_run_details.as_ref().and_then(|run| {
            let start = run.get("startedAtUTC").and_then(compare::integer);
            Some((run.get("id")?.as_str()?.to_owned(), start))
        });
        let operation = compare::text(read.last_operation.as_ref(), "/status/value");
        Self {
            busy: operation == Some("inProgress"),
            updated: read.updated_at,
            last_run,
            delta: delta.cloned(),
            mapping,
            mapping_index: find(MAPPING).unwrap_or(steps.len()),
            schedule: Schedule::read(read.schedule_params.as_ref()),
            flow_spec: read.flow_spec,
            sources: read.source_connection_ids,
            targets: read.target_connection_ids,
            head: head!(read),
        }
    }
}

impl Held {
    pub(super) fn state(&self) -> &str {
        self.head.state.as_deref().unwrap_or_default()
    }

    /// Whether Adobe is still changing its state, and so would refuse a change.
    pub(super) fn is_moving(&self) -> bool {
        let state = self.state();
        // A draft lasts, unless it is on its way to something else.
        MOVING.contains(&state) || state.ends_with("-finalizing") || state == DRAFT && self.busy
    }

    /// Since when it does not run, if it does not, in milliseconds since 1970.
    pub(super) fn switched_off(&self) -> Option<i64> {
        let off = !self.is_moving() && [DISABLED, DRAFT].contains(&self.state());
        self.updated.filter(|_| off)
    }
}
