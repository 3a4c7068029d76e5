//! The figures and activities that a run shows.

use serde_json::{Value, json};

use super::runs::RunOutcome;
use crate::world::Ids;

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
