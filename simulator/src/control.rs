//! What a test or a person may do to the world from outside, whether in the process or over HTTP.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::catalog;
use crate::flow_service::{self, RunOutcome};
use crate::objects;
use crate::state::State;
use crate::world::Sandbox;

/// Who is said to have done what was done from outside.
const OUTSIDER: &str = "exc_app";

impl State {
    /// The sandbox of this name: of the first organisation that has one, or of the tenant in `tenant:name`.
    fn place(&self, name: &str) -> Result<(usize, String)> {
        let (tenant, sandbox) = name
            .split_once(':')
            .map_or((None, name), |(tenant, name)| (Some(tenant), name));
        let has = |o: &crate::world::Organisation| {
            tenant.is_none_or(|t| o.tenant == t) && o.sandboxes.contains_key(sandbox)
        };
        let organisation = self.organisations.iter().position(has);
        Ok((
            organisation.with_context(|| format!("there is no sandbox {name}"))?,
            sandbox.to_owned(),
        ))
    }

    fn change<T>(
        &mut self,
        sandbox: &str,
        f: impl FnOnce(&mut Sandbox, &mut crate::world::Context<'_>) -> T,
    ) -> Result<T> {
        let (organisation, name) = self.place(sandbox)?;
        let (organisation, mut cx) = self.enter(organisation, OUTSIDER);
        let sandbox = organisation
            .sandboxes
            .get_mut(&name)
            .context("the sandbox has gone")?;
        flow_service::settle(sandbox, cx.now_ms, cx.ids);
        Ok(f(sandbox, &mut cx))
    }

    pub(crate) fn objects(&mut self, sandbox: &str, kind: &str) -> Result<Vec<Value>> {
        known(kind)?;
        self.change(sandbox, |sandbox, _| {
            let objects = objects::collection(sandbox, kind)
                .into_iter()
                .flat_map(crate::collection::Collection::iter);
            objects
                .map(|(id, object)| objects::shown(id, object))
                .collect()
        })
    }

    pub(crate) fn object(&mut self, sandbox: &str, kind: &str, id: &str) -> Result<Option<Value>> {
        known(kind)?;
        self.change(sandbox, |sandbox, _| {
            objects::collection(sandbox, kind)?
                .get(&objects::key(kind, id))
                .map(|object| objects::shown(id, object))
        })
    }

    pub(crate) fn totals(&mut self, sandbox: &str) -> Result<BTreeMap<&'static str, usize>> {
        self.change(sandbox, |sandbox, _| {
            let count = |kind| {
                objects::collection(sandbox, kind).map_or(0, crate::collection::Collection::len)
            };
            objects::kinds().map(|kind| (kind, count(kind))).collect()
        })
    }

    pub(crate) fn object_count(&mut self, sandbox: &str) -> Result<usize> {
        self.change(sandbox, |sandbox, _| sandbox.object_count())
    }

    pub(crate) fn edit(
        &mut self,
        sandbox: &str,
        kind: &str,
        id: &str,
        patch: &Value,
    ) -> Result<Value> {
        known(kind)?;
        let edited = self.change(sandbox, |sandbox, cx| {
            objects::edit(sandbox, kind, id, patch, cx.now_ms, cx.ids)
        })?;
        edited.with_context(|| format!("{id} is not found among the {kind}"))
    }

    pub(crate) fn delete(&mut self, sandbox: &str, kind: &str, id: &str) -> Result<bool> {
        known(kind)?;
        self.change(sandbox, |sandbox, cx| {
            objects::delete(sandbox, kind, id, cx.now_ms)
        })
    }

    pub(crate) fn simulate_run(
        &mut self,
        sandbox: &str,
        flow: &str,
        outcome: &RunOutcome,
    ) -> Result<String> {
        if self.object(sandbox, "flows", flow)?.is_none() {
            bail!("{flow} is not found among the flows");
        }
        self.change(sandbox, |sandbox, cx| {
            flow_service::start_run(flow, outcome, sandbox, cx)
        })
    }

    pub(crate) fn finish_run(
        &mut self,
        sandbox: &str,
        run: &str,
        outcome: &RunOutcome,
    ) -> Result<()> {
        let found = self.change(sandbox, |sandbox, cx| {
            flow_service::finish_run(run, outcome, cx.now_ms, sandbox, cx.ids)
        })?;
        found
            .then_some(())
            .with_context(|| format!("{run} is not found among the runs"))
    }

    pub(crate) fn hide_flow(&mut self, sandbox: &str, flow: &str, hidden: bool) -> Result<()> {
        self.change(sandbox, |sandbox, _| {
            if hidden {
                sandbox.hidden_flows.insert(flow.to_owned());
            } else {
                sandbox.hidden_flows.remove(flow);
            }
        })
    }

    pub(crate) fn set_sandbox_state(&mut self, sandbox: &str, state: &str) -> Result<()> {
        self.change(sandbox, |sandbox, _| sandbox.about["state"] = state.into())
    }

    pub(crate) fn reset_sandbox(&mut self, sandbox: &str) -> Result<()> {
        self.change(sandbox, |sandbox, cx| {
            sandbox.reset(cx.now_ms, cx.now_ms + cx.transition_ms);
        })
    }

    pub(crate) fn housekeeping(&mut self, sandbox: &str) -> Result<()> {
        self.change(sandbox, catalog::housekeeping)
    }

    pub(crate) fn ingest(&mut self, sandbox: &str, data_set: &str, records: u64) -> Result<String> {
        let batch = self.change(sandbox, |sandbox, cx| {
            catalog::ingest(data_set, records, cx.now_ms, sandbox, cx.ids)
        })?;
        batch.with_context(|| format!("{data_set} is not found among the dataSets"))
    }

    pub(crate) fn set_secrets(&mut self, client: &str, secrets: Vec<String>) -> Result<()> {
        let found = self
            .organisations
            .iter_mut()
            .find_map(|organisation| organisation.clients.get_mut(client));
        *found.with_context(|| format!("there is no client {client}"))? = secrets;
        Ok(())
    }
}

fn known(kind: &str) -> Result<()> {
    if objects::kinds().any(|known| known == kind) {
        return Ok(());
    }
    bail!(
        "there is no kind of object called {kind}; there are {}",
        objects::kinds().collect::<Vec<_>>().join(", ")
    )
}
