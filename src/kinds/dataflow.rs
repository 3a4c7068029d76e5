//! `Dataflow`: what is read, mapped and written, and when.

mod desired;
mod differences;
mod ends;
mod held;
mod mapping;
mod metrics;
mod outcome;
mod plan;
#[cfg(test)]
mod properties;
mod runs;
mod schedule;
#[cfg(test)]
mod tests;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use self::desired::Desired;
use self::ends::Ends;
use self::held::{DISABLED, DISABLING, DRAFT, ENABLED, ENABLING, Held};
use self::plan::Change;
use self::schedule::ScheduleSpec;
use super::flow_service::{self, FlowObjects, Label, flow_object};
use crate::adobe::{Action, Class, Flow, PatchOp, SpecRef};
use crate::api::{Dataflow, DataflowStatus, FlowState};
use crate::engine::{
    Difference, Error, Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result, Session,
};

/// An etag of Adobe's form that no flow has.
const NO_VERSION: &str = "\"00000000-0000-0000-0000-000000000000\"";

flow_object!(Desired, Held, runs::Runs, |held| {
    let ends = held.sources.iter().chain(&held.targets);
    let mapping = held.mapping.as_ref().map(|mapping| &mapping.id);
    ends.chain(mapping).map(String::as_str).collect()
});

/// What the names in a spec stand for.
#[derive(Debug)]
pub struct Refs {
    flow_spec: SpecRef,
    ends: Ends,
    /// When the spec was resolved, in seconds since 1970: what may still be changed depends on it.
    now: i64,
}

impl Planned for Dataflow {
    type Desired = Desired;
    type Held = Held;
    type Change = Change;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Change>> {
        Ok(plan::plan(desired, held))
    }

    fn differences(desired: &Desired, held: &Held, change: &Change) -> Vec<Difference> {
        differences::differences(desired, held, change)
    }

    fn is_namesake(desired: &Desired, held: &Held) -> bool {
        desired.label.name == held.head.name
    }

    fn inherit(desired: &mut Desired, old: &Held) {
        desired.inherit(old);
    }
}

impl ManagedKind for Dataflow {
    type Objects = FlowObjects<Flow, Self>;
    type Refs = Refs;
    type Observing = runs::Runs;

    async fn dereference(&self, lookup: &Lookup<'_>, session: &Session) -> Result<Refs> {
        // Comes first, so that an unknown spec is reported while the dataflow still waits for other resources.
        let flow_spec = flow_service::flow_spec(session, &self.spec.flow_spec).await?;
        Ok(Refs {
            flow_spec,
            ends: Ends::of(&self.spec, lookup)?,
            now: Timestamp::now().as_second(),
        })
    }

    fn desired(&self, refs: &Refs, mark: Mark, _: &str) -> Result<Desired> {
        let (spec, status) = (&self.spec, self.status.as_ref());
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            flow_spec: refs.flow_spec.clone(),
            source: refs.ends.source.clone(),
            target: refs.ends.target.clone(),
            delta: spec.delta_column.as_ref().map(ends::delta).transpose()?,
            mapping: refs.ends.mapping.clone(),
            schedule: spec.schedule.as_ref().map(ScheduleSpec::from),
            state: spec.state,
            unsettled: status.is_some_and(|it| it.common.id.is_some() && it.state.is_none()),
            off_since: None,
            contract: spec.contract,
            now: refs.now,
        })
    }

    /// Reads do not find a flow behind an access label, but the error of a write shows that it exists. The write names an
    /// etag that no flow has, so it changes nothing.
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
        Ok(desired.image(desired.label.created(created), start))
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

    /// Two flows would ingest the same data, so the replaced one is disabled even while it cannot be deleted.
    async fn retire(session: &Session, held: &Held) -> Result<()> {
        let read = Self::Objects::read(session, &held.head.id).await?;
        if let Some(held) = read.filter(|it| it.state() == ENABLED) {
            act(session, &held, Action::Disable).await?;
        }
        Self::Objects::delete(session, held).await
    }

    fn record(desired: &Desired, held: &Held, status: &mut DataflowStatus) {
        let mapping = held.mapping.as_ref();
        if !desired.awaits(held) {
            status.state.clone_from(&held.head.state);
        }
        status.flow_spec_id = Some(desired.flow_spec.id.clone());
        status.mapping_set_id = mapping.map(|mapping| mapping.id.clone());
        status.mapping_set_version = mapping.map(|mapping| mapping.version);
        let start = held.schedule.start;
        let start = start.and_then(|seconds| Timestamp::from_second(seconds).ok());
        status.start_time = start.map(Time);
    }
}

impl Dataflow {
    /// Whether runs are to take place: as the spec says, or as Adobe does where it says nothing.
    fn is_on(&self) -> bool {
        if let Some(state) = self.spec.state {
            return state == FlowState::Enabled;
        }
        let state = self.status.as_ref().and_then(|it| it.state.as_deref());
        !state.is_some_and(|it| [DISABLED, DRAFT].contains(&it))
    }
}

async fn act(session: &Session, held: &Held, action: Action) -> Result<Held> {
    let (passing, end) = match action {
        Action::Enable | Action::Publish => (ENABLING, ENABLED),
        Action::Disable => (DISABLING, DISABLED),
    };
    let adobe = session.adobe();
    let acted = adobe
        .flow_service()
        .act::<Flow>(&held.head.id, action)
        .await;
    match acted {
        Ok(()) => {
            let mut held = held.clone();
            held.head.state = Some(passing.into());
            // The action made a new version, whose etag is not in the response.
            held.head.etag = None;
            Ok(held)
        }
        // Adobe also responds so when the flow has that state already, or when it is on its way to another one.
        Err(error) if *error.class() == Class::Busy => {
            let read = FlowObjects::<Flow, Dataflow>::read(session, &held.head.id).await?;
            match read {
                Some(read) if read.state() == end => Ok(read),
                Some(read) if read.is_moving() => {
                    let state = session.adobe().redacted(read.state());
                    Err(Error::Settling(state))
                }
                _ => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}
