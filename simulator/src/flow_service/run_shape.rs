//! How a run goes, and what it and its flow show of that.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entity::{collection, touch};
use crate::catalog;
use crate::world::{Ids, Sandbox};

/// How a run goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunOutcome {
    /// `success`, `failed`, `partialSuccess` or `inProgress`.
    pub status: String,
    /// Records read.
    pub input_records: u64,
    /// Records that were refused.
    pub failed_records: u64,
    /// Errors, each a code and a message.
    pub errors: Vec<(String, String)>,
}

impl RunOutcome {
    /// Everything was ingested.
    #[must_use]
    pub fn success(records: u64) -> Self {
        Self {
            status: "success".to_owned(),
            input_records: records,
            ..Self::default()
        }
    }

    /// Nothing was ingested.
    #[must_use]
    pub fn failed(code: &str, message: &str) -> Self {
        let errors = vec![(code.to_owned(), message.to_owned())];
        Self {
            status: "failed".to_owned(),
            errors,
            ..Self::default()
        }
    }

    /// Some records were refused.
    #[must_use]
    pub fn partial(records: u64, failed: u64, code: &str, message: &str) -> Self {
        let errors = vec![(code.to_owned(), message.to_owned())];
        Self {
            status: "partialSuccess".to_owned(),
            input_records: records,
            failed_records: failed,
            errors,
        }
    }

    /// The run has begun and not ended.
    #[must_use]
    pub fn running() -> Self {
        Self {
            status: "inProgress".to_owned(),
            ..Self::default()
        }
    }
}

/// The figures of a run. A failed run lacks sizes and counts, as real ones do.
pub(super) fn metrics(outcome: &RunOutcome, started_ms: i64, ended_ms: Option<i64>) -> Value {
    let mut duration = json!({ "startedAtUTC": started_ms });
    if let Some(ended) = ended_ms {
        duration["completedAtUTC"] = json!(ended);
    }
    let errors: Vec<Value> = errors(outcome);
    let mut metrics = json!({
        "durationSummary": duration, "sizeSummary": {}, "recordSummary": {}, "fileSummary": {},
        "statusSummary": { "status": outcome.status, "errors": errors, "activityRefs": ["promotionActivity"] },
    });
    if matches!(outcome.status.as_str(), "success" | "partialSuccess") {
        let output = outcome.input_records.saturating_sub(outcome.failed_records);
        metrics["sizeSummary"] =
            json!({ "inputBytes": outcome.input_records * 240, "outputBytes": output * 170 });
        metrics["recordSummary"] = json!({
            "inputRecordCount": outcome.input_records, "outputRecordCount": output,
            "failedRecordCount": outcome.failed_records });
        metrics["fileSummary"] = json!({ "inputFileCount": 1, "outputFileCount": 1, "activityRefs": ["promotionActivity"] });
    }
    metrics
}

fn errors(outcome: &RunOutcome) -> Vec<Value> {
    outcome
        .errors
        .iter()
        .map(|(code, message)| json!({ "code": code, "message": message }))
        .collect()
}

/// Copying from the source, then promoting into the data lake.
pub(super) fn activities(outcome: &RunOutcome, at_ms: i64, ids: &mut Ids) -> Value {
    let activity = |id: &str, extensions: Value| {
        json!({
            "id": id, "updatedAtUTC": at_ms, "durationSummary": {}, "sizeSummary": {}, "recordSummary": {},
            "fileSummary": {}, "statusSummary": { "status": outcome.status, "extensions": extensions },
        })
    };
    let mut promotion = activity("promotionActivity", json!({}));
    promotion["statusSummary"]["errors"] = json!(errors(outcome));
    promotion["targetInfo"] = json!([{ "type": "TargetConnection",
        "reference": { "type": "Batch", "ids": [ids.hex(26).to_uppercase()] } }]);
    json!([
        activity("copyActivity", json!({ "type": "one-time" })),
        promotion
    ])
}

/// Ends a run in progress as it was to go; tells whether there is such a run.
pub(crate) fn finish(
    id: &str,
    outcome: &RunOutcome,
    at_ms: i64,
    sandbox: &mut Sandbox,
    ids: &mut Ids,
) -> bool {
    let Some(run) = collection(sandbox, "runs").get_mut(id) else {
        return false;
    };
    run["state"] = json!(outcome.status);
    run["metrics"] = metrics(
        outcome,
        run["createdAt"].as_i64().unwrap_or(at_ms),
        Some(at_ms),
    );
    run["activities"] = activities(outcome, at_ms, ids);
    touch(run, at_ms, ids);
    let run = run.clone();
    tell_flow(&run, sandbox, ids);
    true
}

/// A flow shows its latest run, and its data set has the records of that.
pub(super) fn tell_flow(run: &Value, sandbox: &mut Sandbox, ids: &mut Ids) {
    let flow = collection(sandbox, "flows").get_mut(run["flowId"].as_str().unwrap_or_default());
    let Some(flow) = flow else { return };
    let duration = &run["metrics"]["durationSummary"];
    let mut details =
        json!({ "id": run["id"], "state": run["state"], "startedAtUTC": duration["startedAtUTC"] });
    if !duration["completedAtUTC"].is_null() {
        details["completedAtUTC"] = duration["completedAtUTC"].clone();
    }
    flow["lastRunDetails"] = details;
    let target = flow["targetConnectionIds"][0].as_str().unwrap_or_default();
    let target = target.to_owned();
    let records = run["metrics"]["recordSummary"]["outputRecordCount"].as_u64();
    let (Some(records), Some(at_ms)) = (records.filter(|it| *it > 0), run["updatedAt"].as_i64())
    else {
        return;
    };
    let target = collection(sandbox, "targetConnections").get(&target);
    let data_set = target.and_then(|it| Some(it["params"]["dataSetId"].as_str()?.to_owned()));
    if let Some(data_set) = data_set {
        catalog::ingest(&data_set, records, at_ms, sandbox, ids);
    }
}
