//! The simulator's own API below `/_sim`: what tests do in the process, for everybody else.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connectors;
use crate::flow_service::RunOutcome;
use crate::http::{Answer, Request};
use crate::profile::Profile;
use crate::state::{Settings, State};

/// Answers one request below `/_sim`.
pub(crate) fn answer(request: &Request, state: &mut State) -> Answer {
    let segments = request.segments();
    let body = request.body.clone().unwrap_or_default();
    let answered = match (request.method.as_str(), &segments[1..]) {
        (method, ["sandboxes", sandbox, rest @ ..]) => {
            sandbox_route(method, sandbox, rest, body, state)
        }
        (method, rest) => route(method, rest, body, request, state),
    };
    match answered {
        Ok(Some(Value::Null)) => Answer::empty(204),
        Ok(Some(value)) => Answer::json(200, value),
        Ok(None) => Answer::json(
            404,
            json!({ "error": "there is no such thing; see the simulator's README" }),
        ),
        Err(error) => Answer::json(400, json!({ "error": format!("{error:#}") })),
    }
}

fn route(
    method: &str,
    path: &[&str],
    body: Value,
    request: &Request,
    state: &mut State,
) -> Result<Option<Value>> {
    let done = Ok(Some(Value::Null));
    match (method, path) {
        ("GET", ["calls"]) => {
            let fits =
                |name: &str, value: &str| request.query(name).is_none_or(|wanted| wanted == value);
            let calls = state
                .calls
                .calls()
                .filter(|c| fits("method", &c.method) && fits("route", &c.route));
            Ok(Some(json!(calls.collect::<Vec<_>>())))
        }
        ("DELETE", ["calls"]) => {
            state.calls.clear();
            done
        }
        ("GET", ["counts"]) => Ok(Some(json!(state.calls.counts()))),
        ("GET", ["connectors"]) => Ok(Some(json!(state.connectors))),
        ("POST", ["connectors"]) => {
            let told = serde_json::from_value(body).context("the body is not a connector")?;
            connectors::tell(&mut state.connectors, told);
            done
        }
        ("GET", ["faults"]) => Ok(Some(json!(state.faults.list()))),
        ("POST", ["faults"]) => {
            state
                .faults
                .inject(serde_json::from_value(body).context("the body is not a fault")?);
            done
        }
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            done
        }
        _ => set(method, path, body, state),
    }
}

fn set(method: &str, path: &[&str], body: Value, state: &mut State) -> Result<Option<Value>> {
    let done = Ok(Some(Value::Null));
    match (method, path) {
        ("GET", ["clock"]) => Ok(Some(json!({ "nowMs": state.now_ms() }))),
        ("POST", ["clock"]) => {
            let millis = body["advanceMs"]
                .as_u64()
                .context("advanceMs must be a number")?;
            state.clock_offset += Duration::from_millis(millis);
            Ok(Some(json!({ "nowMs": state.now_ms() })))
        }
        ("PATCH", ["settings"]) => {
            let change: Change =
                serde_json::from_value(body).context("the body is not a change of settings")?;
            change.apply(&mut state.settings);
            done
        }
        ("PUT", ["clients", client, "secrets"]) => {
            let secrets =
                serde_json::from_value(body).context("the body is not a list of secrets")?;
            state
                .set_secrets(client, secrets)
                .map(|()| Some(Value::Null))
        }
        ("DELETE", ["tokens"]) => {
            state.tokens.clear();
            done
        }
        _ => Ok(None),
    }
}

fn sandbox_route(
    method: &str,
    sandbox: &str,
    path: &[&str],
    body: Value,
    state: &mut State,
) -> Result<Option<Value>> {
    let done = |()| Some(Value::Null);
    match (method, path) {
        ("GET", []) => {
            let total = state.object_count(sandbox)?;
            Ok(Some(
                json!({ "total": total, "kinds": state.totals(sandbox)? }),
            ))
        }
        ("PUT", ["state"]) => {
            let wanted = body["state"].as_str().context("state must be a text")?;
            state.set_sandbox_state(sandbox, wanted).map(done)
        }
        ("POST", ["reset"]) => state.reset_sandbox(sandbox).map(done),
        ("POST", ["housekeeping"]) => state.housekeeping(sandbox).map(done),
        ("POST", ["flows", flow, "runs"]) => {
            let outcome: RunOutcome =
                serde_json::from_value(body).context("the body is not an outcome of a run")?;
            Ok(Some(
                json!({ "id": state.simulate_run(sandbox, flow, &outcome)? }),
            ))
        }
        ("POST", ["dataSets", data_set, "batches"]) => {
            let records = body["records"]
                .as_u64()
                .context("records must be a number")?;
            Ok(Some(
                json!({ "id": state.ingest(sandbox, data_set, records)? }),
            ))
        }
        ("PUT", ["runs", run, "outcome"]) => {
            let outcome: RunOutcome =
                serde_json::from_value(body).context("the body is not an outcome of a run")?;
            state.finish_run(sandbox, run, &outcome).map(done)
        }
        ("PUT", ["flows", flow, "hidden"]) => state.hide_flow(sandbox, flow, true).map(done),
        ("DELETE", ["flows", flow, "hidden"]) => state.hide_flow(sandbox, flow, false).map(done),
        ("GET", [kind]) => Ok(Some(json!(state.objects(sandbox, kind)?))),
        ("GET", [kind, id]) => state.object(sandbox, kind, id),
        ("PATCH", [kind, id]) => state.edit(sandbox, kind, id, &body).map(Some),
        ("DELETE", [kind, id]) => Ok(state.delete(sandbox, kind, id)?.then_some(Value::Null)),
        _ => Ok(None),
    }
}

/// Settings to change; those left out stay.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    profile: Option<Profile>,
    latency_ms: Option<u64>,
    list_lag_ms: Option<u64>,
    transition_ms: Option<u64>,
    /// 0 means no limit.
    rate_limit: Option<u32>,
    /// By kind; replaces all.
    first_states: Option<BTreeMap<String, String>>,
}

impl Change {
    fn apply(self, settings: &mut Settings) {
        let Self {
            profile,
            latency_ms,
            list_lag_ms,
            transition_ms,
            rate_limit,
            first_states,
        } = self;
        let set = |target: &mut Duration, millis: Option<u64>| {
            if let Some(millis) = millis {
                *target = Duration::from_millis(millis);
            }
        };
        set(&mut settings.latency, latency_ms);
        set(&mut settings.list_lag, list_lag_ms);
        set(&mut settings.transition, transition_ms);
        settings.profile = profile.unwrap_or(settings.profile);
        if let Some(states) = first_states {
            settings.first_states = states;
        }
        if let Some(limit) = rate_limit {
            settings.rate_limit = (limit > 0).then_some(limit);
        }
    }
}
