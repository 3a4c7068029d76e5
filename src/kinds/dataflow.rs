//! `Dataflow`: what is read, mapped and written, and when.

mod ends;
mod metrics;
mod outcome;
#[cfg(test)]
mod properties;
mod runs;
mod schedule;
#[cfg(test)]
mod tests;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use self::ends::Ends;
use self::schedule::{Schedule, ScheduleSpec};
use super::compare;
use super::flow_service::{self, FlowObjects, Head, Label, flow_object, head};
use crate::adobe::{Action, Class, Flow, NewFlow, PatchOp, SpecRef, Transformation};
use crate::api::{Contract, Dataflow, DataflowStatus, FlowState};
use crate::engine::{Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result, Session};

/// States in which Adobe refuses changes; they pass by themselves.
const MOVING: [&str; 4] = ["updating", "enabling", "disabling", "initializing"];
/// What we call the state of a flow that was created a moment ago, as long as Adobe was not asked.
const CREATED: &str = "created";
/// The state that Adobe gives new flows, by and by.
const ENABLED: &str = "enabled";

const COPY: &str = "Copy";
/// A version in the form of Adobe's that nothing has.
const NO_VERSION: &str = "\"00000000-0000-0000-0000-000000000000\"";
const MAPPING: &str = "Mapping";

/// What Adobe should hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    label: Label,
    flow_spec: SpecRef,
    source: String,
    target: String,
    delta: Option<Value>,
    mapping: Option<Mapping>,
    schedule: Option<ScheduleSpec>,
    state: FlowState,
    contract: Contract,
    /// When the spec was looked at, in seconds since 1970: what may still be changed depends on it.
    now: i64,
}

/// A mapping set in one of its versions.
#[derive(Clone, Debug, PartialEq)]
struct Mapping {
    id: String,
    version: i64,
}

/// What Adobe holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    head: Head,
    flow_spec: Option<SpecRef>,
    sources: Vec<String>,
    targets: Vec<String>,
    delta: Option<Value>,
    mapping: Option<Mapping>,
    /// Where the mapping is among the transformations; if there is none, where it would be appended.
    mapping_index: usize,
    schedule: Schedule,
    /// The last run as of the last sweep.
    last_run: Option<runs::LastRunRef>,
}

flow_object!(Desired, Held, runs::Runs, |held| {
    let ends = held.sources.iter().chain(&held.targets);
    let mapping = held.mapping.as_ref().map(|mapping| &mapping.id);
    ends.chain(mapping).map(String::as_str).collect()
});

impl From<Flow> for Held {
    fn from(read: Flow) -> Self {
        let steps = &read.transformations;
        let find = |name: &str| steps.iter().position(|step| step.name == name);
        let params = |at: usize| steps[at].params.as_ref();
        let mapping = find(MAPPING).and_then(params).and_then(|params| {
            let id = params.get("mappingId")?.as_str()?.to_owned();
            let version = params.get("mappingVersion").and_then(compare::integer);
            let version = version.unwrap_or_default();
            Some(Mapping { id, version })
        });
        let delta = find(COPY)
            .and_then(params)
            .and_then(|it| it.get("deltaColumn"));
        let last_run = read.last_run_details.as_ref().and_then(|run| {
            let start = run.get("startedAtUTC").and_then(compare::integer);
            Some((run.get("id")?.as_str()?.to_owned(), start))
        });
        Self {
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

/// The next step towards what should be.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// Other content.
    Patch(Vec<PatchOp>),
    /// Another state.
    Act(Action),
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

    fn body(&self, start: Option<i64>) -> NewFlow {
        let schedule = self.schedule.as_ref().zip(start);
        NewFlow {
            name: self.label.name.clone(),
            description: Some(self.label.description.clone()),
            flow_spec: self.flow_spec.clone(),
            source_connection_ids: vec![self.source.clone()],
            target_connection_ids: vec![self.target.clone()],
            transformations: self.transformations(),
            schedule_params: schedule.map(|(spec, start)| spec.params(start, self.contract)),
        }
    }

    /// What Adobe holds after a create.
    fn image(&self, head: Head, start: Option<i64>) -> Held {
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
    fn changed(&self, held: &Held, etag: Option<String>) -> Held {
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

    /// The fields that differ and that Adobe cannot change.
    fn fixed(&self, held: &Held) -> Vec<&'static str> {
        let only = |ids: &[String], wanted: &String| ids == std::slice::from_ref(wanted);
        let schedule = match &self.schedule {
            Some(spec) => spec.fixed(&held.schedule, self.now),
            None => held.schedule.frequency.as_ref().map(|_| "`spec.schedule`"),
        };
        let checks = [
            (
                flow_service::same_spec(&self.flow_spec, held.flow_spec.as_ref()),
                "`spec.flowSpec`",
            ),
            (
                only(&held.sources, &self.source),
                "`spec.sourceConnectionRef`",
            ),
            (
                only(&held.targets, &self.target),
                "`spec.targetConnectionRef`",
            ),
            (
                compare::covers_some(self.delta.as_ref(), held.delta.as_ref()),
                "`spec.deltaColumn`",
            ),
            (
                self.mapping.is_some() || held.mapping.is_none(),
                "`spec.mappingSetRef`",
            ),
        ];
        let differing = checks.into_iter().filter(|(same, _)| !same);
        differing.map(|(_, field)| field).chain(schedule).collect()
    }

    fn ops(&self, held: &Held) -> Vec<PatchOp> {
        let mut ops = self.label.ops(&held.head);
        if let Some(spec) = &self.schedule {
            ops.extend(spec.ops(&held.schedule, self.now, self.contract));
        }
        match &self.mapping {
            Some(wanted) if held.mapping.as_ref() != Some(wanted) => {
                let step = json!({"name": MAPPING, "params": wanted.params(self.contract)});
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

    /// What leads to the wanted state.
    fn move_state(&self, held: &Held) -> Plan<Change> {
        let act = |action| Plan::Change(Change::Act(action));
        match (self.state, held.head.state.as_deref()) {
            (FlowState::Enabled, Some("disabled")) => act(Action::Enable),
            (FlowState::Disabled, Some("enabled")) => act(Action::Disable),
            (FlowState::Disabled, Some("disabled")) => Plan::Keep,
            (FlowState::Disabled, state) => Plan::Wait(state.unwrap_or(CREATED).into()),
            (FlowState::Enabled, Some("disabling")) => Plan::Wait("disabling".into()),
            (FlowState::Enabled, _) => Plan::Keep,
        }
    }
}

impl Held {
    /// Whether Adobe is still at work on it, so that it would refuse a change.
    fn is_moving(&self) -> bool {
        let state = self.head.state.as_deref().unwrap_or_default();
        MOVING.contains(&state) || state.ends_with("-finalizing")
    }
}

impl Mapping {
    fn params(&self, contract: Contract) -> Value {
        let version = schedule::number(self.version, contract);
        json!({"mappingId": self.id, "mappingVersion": version})
    }
}

/// What the names in a spec stand for.
#[derive(Debug)]
pub struct Refs {
    flow_spec: SpecRef,
    ends: Ends,
    /// When the spec was looked at, in seconds since 1970: what may still be changed depends on it.
    now: i64,
}

impl Planned for Dataflow {
    type Desired = Desired;
    type Held = Held;
    type Change = Change;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Change>> {
        let fixed = desired.fixed(held);
        if !fixed.is_empty() {
            return Ok(Plan::Replace(fixed.join(", ")));
        }
        let ops = desired.ops(held);
        if ops.is_empty() {
            return Ok(desired.move_state(held));
        }
        if held.is_moving() {
            return Ok(Plan::Wait(held.head.state.clone().unwrap_or_default()));
        }
        Ok(Plan::Change(Change::Patch(ops)))
    }

    fn is_namesake(desired: &Desired, held: &Held) -> bool {
        desired.label.name == held.head.name
    }
}

impl ManagedKind for Dataflow {
    type Objects = FlowObjects<Flow, Self>;
    type Refs = Refs;
    type Observing = runs::Runs;

    async fn dereference(&self, lookup: &Lookup<'_>, session: &Session) -> Result<Refs> {
        // First, so that Adobe is asked while the dataflow still waits for others.
        let flow_spec = flow_service::flow_spec(session, &self.spec.flow_spec).await?;
        Ok(Refs {
            flow_spec,
            ends: Ends::of(&self.spec, lookup)?,
            now: Timestamp::now().as_second(),
        })
    }

    fn desired(&self, refs: &Refs, mark: Mark, _: &str) -> Result<Desired> {
        let spec = &self.spec;
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            flow_spec: refs.flow_spec.clone(),
            source: refs.ends.source.clone(),
            target: refs.ends.target.clone(),
            delta: spec.delta_column.as_ref().map(ends::delta).transpose()?,
            mapping: refs.ends.mapping.clone(),
            schedule: spec.schedule.as_ref().map(ScheduleSpec::from),
            state: spec.state,
            contract: spec.contract,
            now: refs.now,
        })
    }

    /// A flow behind an access label is denied to reads, but writes tell that it is there. The write names a version that
    /// no flow has, so it changes nothing.
    async fn is_hidden(session: &Session, id: &str) -> Result<bool> {
        let probe = [PatchOp::replace("/description", "")];
        let adobe = session.adobe();
        let answer = adobe
            .flow_service()
            .patch::<Flow>(id, NO_VERSION, &probe)
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) => match error.class() {
                Class::NotFound => Ok(false),
                Class::PermissionDenied | Class::Stale | Class::Busy => Ok(true),
                _ => Err(error.into()),
            },
        }
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let now = Timestamp::now().as_second();
        let schedule = desired.schedule.as_ref();
        let start = schedule.map(|spec| spec.first_start(now, desired.contract));
        let adobe = session.adobe();
        let body = desired.body(start);
        let created = adobe.flow_service().create::<Flow>(&body).await?;
        let mut made = desired.image(desired.label.created(created), start);
        // Adobe enables it by and by.
        made.head.state = None;
        Ok(made)
    }

    async fn update(
        session: &Session,
        desired: &Desired,
        held: &Held,
        change: Change,
    ) -> Result<Held> {
        match change {
            Change::Patch(ops) => {
                let patched = flow_service::patch::<Flow>(session, &held.head, &ops).await?;
                Ok(desired.changed(held, patched.etag))
            }
            Change::Act(action) => act(session, held, action).await,
        }
    }

    /// Two flows would ingest the same data, so the replaced one stops even where it cannot be deleted yet.
    async fn retire(session: &Session, held: &Held) -> Result<()> {
        let read = Self::Objects::read(session, &held.head.id).await?;
        if let Some(held) = read.filter(|it| it.head.state.as_deref() == Some("enabled")) {
            act(session, &held, Action::Disable).await?;
        }
        Self::Objects::delete(session, held).await
    }

    fn record(desired: &Desired, held: &Held, status: &mut DataflowStatus) {
        if status
            .common
            .id
            .as_ref()
            .is_some_and(|id| *id != held.head.id)
        {
            // The runs told of are those of another flow.
            status.last_run = None;
            status.current_run = None;
            status.last_success_time = None;
        }
        let mapping = held.mapping.as_ref();
        if !held.is_moving() {
            let state = held.head.state.as_deref().unwrap_or(ENABLED);
            status.state = Some(state.into());
        }
        status.flow_spec_id = Some(desired.flow_spec.id.clone());
        status.mapping_set_id = mapping.map(|mapping| mapping.id.clone());
        status.mapping_set_version = mapping.map(|mapping| mapping.version);
        let start = held.schedule.start;
        let start = start.and_then(|seconds| Timestamp::from_second(seconds).ok());
        status.start_time = start.map(Time);
    }
}

async fn act(session: &Session, held: &Held, action: Action) -> Result<Held> {
    let state = match action {
        Action::Enable => "enabled",
        Action::Disable => "disabled",
    };
    let adobe = session.adobe();
    let acted = adobe
        .flow_service()
        .act::<Flow>(&held.head.id, action)
        .await;
    match acted {
        Ok(()) => {
            let mut held = held.clone();
            held.head.state = Some(state.into());
            // The action made a new version, which the answer does not tell.
            held.head.etag = None;
            Ok(held)
        }
        // Adobe also answers so when somebody else was faster.
        Err(error) if *error.class() == Class::Busy => {
            let read = FlowObjects::<Flow, Dataflow>::read(session, &held.head.id).await?;
            let there = read.filter(|read| read.head.state.as_deref() == Some(state));
            there.ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}
