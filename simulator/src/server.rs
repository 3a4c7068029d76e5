//! The simulator as a whole: how it starts, what can be done to it, how it stops.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use axum::Router;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::calls::Call;
use crate::connectors::{self, Connector};
use crate::exchange::{self, House};
use crate::faults::Fault;
use crate::flow_service::RunOutcome;
use crate::options::Options;
use crate::wire::{Cutter, Door};

/// A running simulator. It stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    house: Arc<House>,
    all: Cutter,
    task: JoinHandle<std::io::Result<()>>,
}

impl Simulator {
    /// Starts to listen.
    pub async fn start(options: Options) -> Result<Self> {
        let place = (options.address, options.port.unwrap_or(0));
        let listener = TcpListener::bind(place)
            .await
            .with_context(|| format!("cannot listen on {place:?}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let house = Arc::new(House::new(options.state()?, url));
        let all = Cutter::default();
        let door = Door {
            listener,
            all: all.clone(),
        };
        let app = Router::new()
            .fallback(exchange::handle)
            .with_state(Arc::clone(&house));
        let serve = axum::serve(door, app.into_make_service_with_connect_info::<Cutter>());
        let task = tokio::spawn(serve.into_future());
        Ok(Self { house, all, task })
    }

    /// Where it listens, such as `http://127.0.0.1:8400`: the base of IMS paths and of platform paths.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.house.url
    }

    /// Stops: the port is free afterwards and open connections are reset.
    pub async fn stop(mut self) {
        self.end();
        // An error here only says that the task was cancelled, which was the aim.
        let _ = (&mut self.task).await;
    }

    fn end(&self) {
        self.all.cut();
        self.house.stopping.send_replace(true);
        self.task.abort();
    }

    /// The calls so far, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Arc<Call>> {
        self.house.state().calls.calls().cloned().collect()
    }

    /// How many calls had this method and this route, such as `GET` and `/flows/{id}`.
    #[must_use]
    pub fn count(&self, method: &str, route: &str) -> u64 {
        self.house.state().calls.count(method, route)
    }

    /// Every count, by `METHOD service route`.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.house.state().calls.counts()
    }

    /// Forgets all calls and counts.
    pub fn clear_calls(&self) {
        self.house.state().calls.clear();
    }

    /// The objects of a kind such as `flows`, `schemas`, `dataSets`, as they are stored: secrets are in clear.
    ///
    /// # Panics
    /// If there is no such sandbox or kind.
    #[must_use]
    pub fn objects(&self, sandbox: &str, kind: &str) -> Vec<Value> {
        self.house
            .state()
            .objects(sandbox, kind)
            .expect("a sandbox and a kind that exist")
    }

    /// One object, as it is stored.
    ///
    /// # Panics
    /// If there is no such sandbox or kind.
    #[must_use]
    pub fn object(&self, sandbox: &str, kind: &str, id: &str) -> Option<Value> {
        self.house
            .state()
            .object(sandbox, kind, id)
            .expect("a sandbox and a kind that exist")
    }

    /// Merges a patch into an object as somebody in Adobe's UI would, and answers with the object.
    pub fn edit(&self, sandbox: &str, kind: &str, id: &str, patch: &Value) -> Result<Value> {
        self.house.state().edit(sandbox, kind, id, patch)
    }

    /// Deletes an object whoever uses it; `false` if there is none.
    pub fn delete(&self, sandbox: &str, kind: &str, id: &str) -> Result<bool> {
        self.house.state().delete(sandbox, kind, id)
    }

    /// How many objects lie in a sandbox, runs left out.
    ///
    /// # Panics
    /// If there is no such sandbox.
    #[must_use]
    pub fn object_count(&self, sandbox: &str) -> usize {
        self.house
            .state()
            .object_count(sandbox)
            .expect("a sandbox that exists")
    }

    /// Tells of a further connector, or tells another way of a known one.
    pub fn tell_connector(&self, connector: Connector) {
        connectors::tell(&mut self.house.state().connectors, connector);
    }

    /// Orders a fault.
    pub fn inject(&self, fault: Fault) {
        self.house.state().faults.inject(fault);
    }

    /// The faults ordered and not used up.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.house.state().faults.list().to_vec()
    }

    /// Cancels all faults.
    pub fn clear_faults(&self) {
        self.house.state().faults.clear();
    }

    /// Moves the simulator's clock forward.
    pub fn advance(&self, by: Duration) {
        self.house.state().clock_offset += by;
    }

    /// Milliseconds since the epoch, by the simulator's clock.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.house.state().now_ms()
    }

    /// Sets how long listings lag behind.
    pub fn set_list_lag(&self, lag: Duration) {
        self.house.state().settings.list_lag = lag;
    }

    /// Sets how long every call takes.
    pub fn set_latency(&self, latency: Duration) {
        self.house.state().settings.latency = latency;
    }

    /// Sets how long asynchronous operations take.
    pub fn set_transition(&self, transition: Duration) {
        self.house.state().settings.transition = transition;
    }

    /// Sets the state in which new objects of a kind of Flow Service, such as `connections`, are until the transition has
    /// passed, such as `initializing`; `None` for the usual one.
    pub fn set_first_state(&self, kind: &str, state: Option<&str>) {
        let first = &mut self.house.state().settings.first_states;
        match state {
            Some(state) => first.insert(kind.to_owned(), state.to_owned()),
            None => first.remove(kind),
        };
    }

    /// Sets the calls per second and sandbox above which the gateway answers 429.
    pub fn set_rate_limit(&self, limit: Option<u32>) {
        self.house.state().settings.rate_limit = limit;
    }

    /// Replaces the valid secrets of a client. Tokens already issued stay valid.
    pub fn set_secrets(&self, client: &str, secrets: Vec<String>) -> Result<()> {
        self.house.state().set_secrets(client, secrets)
    }

    /// Makes every token invalid.
    pub fn revoke_tokens(&self) {
        self.house.state().tokens.clear();
    }

    /// Sets the state of a sandbox, such as `creating` or `active`.
    pub fn set_sandbox_state(&self, sandbox: &str, state: &str) -> Result<()> {
        self.house.state().set_sandbox_state(sandbox, state)
    }

    /// Resets a sandbox as an administrator does: everything in it is gone at once, and for the time of a transition its state
    /// is `resetting`.
    pub fn reset_sandbox(&self, sandbox: &str) -> Result<()> {
        self.house.state().reset_sandbox(sandbox)
    }

    /// Hides a flow from the caller as an access label does, or shows it again.
    pub fn hide_flow(&self, sandbox: &str, flow: &str, hidden: bool) -> Result<()> {
        self.house.state().hide_flow(sandbox, flow, hidden)
    }

    /// Lets a flow run with this outcome, and answers with the id of the run.
    pub fn simulate_run(&self, sandbox: &str, flow: &str, outcome: &RunOutcome) -> Result<String> {
        self.house.state().simulate_run(sandbox, flow, outcome)
    }

    /// Ends a run with this outcome.
    pub fn finish_run(&self, sandbox: &str, run: &str, outcome: &RunOutcome) -> Result<()> {
        self.house.state().finish_run(sandbox, run, outcome)
    }

    /// Ingests a batch of so many records into a data set, and answers with the id of the batch.
    pub fn ingest(&self, sandbox: &str, data_set: &str, records: u64) -> Result<String> {
        self.house.state().ingest(sandbox, data_set, records)
    }

    /// Does the platform's own work on the data sets of a sandbox: tags and versions move.
    pub fn housekeeping(&self, sandbox: &str) -> Result<()> {
        self.house.state().housekeeping(sandbox)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}
