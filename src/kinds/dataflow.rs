//! `Dataflow`: what is read, mapped and written, and when.

mod ends;
#[cfg(test)]
mod properties;
mod runs;
mod schedule;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use self::schedule::{Schedule, Wish};
use super::normal::{self, Head, Label, head, observed};
use crate::adobe::{Action, Class, Flow, NewFlow, PatchOp, SpecRef, Transformation};
use crate::api::{Contract, Dataflow, DataflowStatus, FlowState};
use crate::engine::{Kind, Pass, Plan, Result, Session};

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
    schedule: Option<Wish>,
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
    last_run: Option<runs::Named>,
}

observed!(Held, |held| {
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
            let version = params.get("mappingVersion").and_then(normal::integer);
            let version = version.unwrap_or_default();
            Some(Mapping { id, version })
        });
        let delta = find(COPY)
            .and_then(params)
            .and_then(|it| it.get("deltaColumn"));
        let last_run = read.last_run_details.as_ref().and_then(|run| {
            let start = run.get("startedAtUTC").and_then(normal::integer);
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
            schedule_params: schedule.map(|(wish, start)| wish.params(start, self.contract)),
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
            schedule: schedule.map_or_else(Schedule::default, |wish| wish.image(start)),
            last_run: None,
        }
    }

    /// What Adobe holds after a change.
    fn changed(&self, held: &Held, etag: Option<String>) -> Held {
        let wish = self.schedule.as_ref();
        Held {
            head: self.label.changed(&held.head, etag),
            mapping: self.mapping.clone(),
            schedule: wish.map_or_else(
                || held.schedule.clone(),
                |wish| wish.changed(&held.schedule, self.now),
            ),
            ..held.clone()
        }
    }

    /// The fields that differ and that Adobe cannot change.
    fn fixed(&self, held: &Held) -> Vec<&'static str> {
        let only = |ids: &[String], wanted: &String| ids == std::slice::from_ref(wanted);
        let schedule = match &self.schedule {
            Some(wish) => wish.fixed(&held.schedule, self.now),
            None => held.schedule.frequency.as_ref().map(|_| "`spec.schedule`"),
        };
        let checks = [
            (
                normal::same_spec(&self.flow_spec, held.flow_spec.as_ref()),
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
                normal::covers_some(self.delta.as_ref(), held.delta.as_ref()),
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
        if let Some(wish) = &self.schedule {
            ops.extend(wish.ops(&held.schedule, self.now, self.contract));
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
        let version = schedule::figure(self.version, contract);
        json!({"mappingId": self.id, "mappingVersion": version})
    }
}

impl Kind for Dataflow {
    type Desired = Desired;
    type Observed = Held;
    type Change = Change;

    async fn resolve(&self, pass: &Pass<'_, Self>) -> Result<Desired> {
        let spec = &self.spec;
        let session = pass.session()?;
        // First, so that Adobe is asked while the dataflow still waits for others.
        let flow_spec = normal::flow_spec(&session, &spec.flow_spec).await?;
        Ok(Desired {
            label: Label::new(pass.mark()?, &spec.name, spec.description.as_deref()),
            flow_spec,
            source: ends::source(pass)?,
            target: ends::target(pass)?,
            delta: spec.delta_column.as_ref().map(ends::delta).transpose()?,
            mapping: ends::mapping(pass)?,
            schedule: spec.schedule.as_ref().map(Wish::from),
            state: spec.state,
            contract: spec.contract,
            now: Timestamp::now().as_second(),
        })
    }

    async fn list(session: &Session) -> Result<Vec<Held>> {
        let all = normal::all::<Flow>(session).await?;
        Ok(all.into_iter().map(Held::from).collect())
    }

    async fn find(session: &Session, desired: &Desired) -> Result<Vec<Held>> {
        let named = normal::named::<Flow>(session, &desired.label.name).await?;
        Ok(named.into_iter().map(Held::from).collect())
    }

    async fn read(session: &Session, id: &str) -> Result<Option<Held>> {
        let read = normal::one::<Flow>(session, id).await?;
        Ok(read.map(Held::from))
    }

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
        let start = schedule.map(|wish| wish.first_start(now, desired.contract));
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
                let changed = normal::patch::<Flow>(session, &held.head, &ops).await?;
                Ok(desired.changed(held, changed.etag))
            }
            Change::Act(action) => act(session, held, action).await,
        }
    }

    /// Two flows would ingest the same data, so the replaced one stops even where it cannot be deleted yet.
    async fn retire(session: &Session, held: &Held) -> Result<()> {
        let read = Self::read(session, &held.head.id).await?;
        if let Some(held) = read.filter(|it| it.head.state.as_deref() == Some("enabled")) {
            act(session, &held, Action::Disable).await?;
        }
        Self::delete(session, held).await
    }

    async fn delete(session: &Session, held: &Held) -> Result<()> {
        normal::delete::<Flow>(session, &held.head.id).await
    }

    const FOLLOWED: Option<Duration> = Some(Duration::from_secs(120));

    async fn follow(session: &Session, dataflows: &[Arc<Self>]) -> Result<Vec<Arc<Self>>> {
        runs::follow(session, dataflows).await
    }

    fn report(pass: &Pass<'_, Self>, status: &mut DataflowStatus) {
        runs::report(pass, status);
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
            let read = Dataflow::read(session, &held.head.id).await?;
            let there = read.filter(|read| read.head.state.as_deref() == Some(state));
            there.ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}
