//! Runs of flows. Any part of a run may be missing, most of all in a failed one.

use serde::Deserialize;
use serde_json::Value;

use super::entity::Identified;
use super::{FlowService, List, PAGE, call};
use crate::adobe::call::Method;
use crate::adobe::{Adobe, Result, page, tolerant};

/// Ids in one filter: the URL stays below two kilobytes.
const IDS: usize = 40;

/// One run of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
pub struct Run {
    /// The id.
    pub id: String,
    /// The flow that runs.
    pub flow_id: String,
    /// The state as Adobe spells it, in one of several ways.
    pub status: Option<String>,
    /// Milliseconds since 1970; the time of its creation where no start is told.
    pub started_at: Option<i64>,
    /// Milliseconds since 1970; absent while it runs.
    pub completed_at: Option<i64>,
    /// Records read from the source.
    pub records_read: Option<i64>,
    /// Records written to the data set.
    pub records_written: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// The first error, as code and text.
    pub error: Option<String>,
}

impl FlowService<'_> {
    /// Runs of any flow of the sandbox that started after that time, in milliseconds since 1970.
    pub async fn runs_since(&self, millis: i64) -> Result<Vec<Run>> {
        self.runs(format!("metrics.durationSummary.startedAtUTC>{millis}"))
            .await
    }

    /// The runs with these ids; unknown ids are left out.
    pub async fn runs_by_id(&self, ids: &[String]) -> Result<Vec<Run>> {
        let mut found = Vec::new();
        for ids in ids.chunks(IDS) {
            found.extend(self.runs(format!("id=={}", ids.join(","))).await?);
        }
        Ok(found)
    }

    async fn runs(&self, filter: String) -> Result<Vec<Run>> {
        let call = call(Method::Get, "/runs")
            .filters(&[filter])
            .query("limit", PAGE);
        // A run that cannot be read is one less to report.
        let mut runs = page::all::<List<Run>>(self.adobe, call).await?.items;
        for run in &mut runs {
            run.redact(self.adobe);
            // There may be very many.
            tokio::task::yield_now().await;
        }
        Ok(runs)
    }
}

impl Run {
    /// Takes secrets out of what people will read. The states that decide anything are single words.
    fn redact(&mut self, adobe: &Adobe) {
        let is_word = |it: &String| it.chars().all(char::is_alphabetic);
        let redact = |text: String| adobe.redacted(&text);
        self.error = self.error.take().map(redact);
        if !self.status.as_ref().is_none_or(is_word) {
            self.status = self.status.take().map(redact);
        }
    }
}

impl Identified for Run {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A run on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    #[serde(default, deserialize_with = "tolerant::or_default")]
    flow_id: String,
    #[serde(default)]
    state: Value,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    metrics: Value,
    /// Adobe's description of the service misspells it.
    #[serde(default, alias = "activites")]
    activities: Value,
}

impl From<Wire> for Run {
    fn from(wire: Wire) -> Self {
        let at = |path: &str| wire.metrics.pointer(path).unwrap_or(&Value::Null);
        let time = |name: &str| tolerant::as_millis(at(&format!("/durationSummary/{name}")));
        let count = |name: &str| tolerant::as_integer(at(&format!("/recordSummary/{name}")));
        let status = tolerant::as_text(at("/statusSummary/status"));
        Self {
            status: status.or_else(|| tolerant::as_text(&wire.state)),
            // Zero means that it has not happened yet.
            started_at: time("startedAtUTC")
                .filter(|it| *it > 0)
                .or_else(|| tolerant::as_millis(&wire.created_at)),
            completed_at: time("completedAtUTC").filter(|it| *it > 0),
            records_read: count("inputRecordCount"),
            records_written: count("outputRecordCount"),
            records_failed: count("failedRecordCount"),
            error: first_error(at("/statusSummary"))
                .or_else(|| first_activity_error(&wire.activities)),
            id: wire.id,
            flow_id: wire.flow_id,
        }
    }
}

/// Some failures are reported only by the activity that failed.
fn first_activity_error(activities: &Value) -> Option<String> {
    let mut activities = activities.as_array()?.iter();
    activities.find_map(|activity| {
        let summary = activity.get("statusSummary")?;
        first_error(summary).or_else(|| first_error(summary.get("extensions")?))
    })
}

fn first_error(summary: &Value) -> Option<String> {
    let error = summary.get("errors")?.as_array()?.first()?;
    let part = |name: &str| error.get(name).and_then(tolerant::as_text);
    match (part("code"), part("message")) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(run: Value) -> Run {
        serde_json::from_value(run).expect("a run")
    }

    #[test]
    fn a_run_is_read_from_its_summaries() {
        let run = read(
            json!({"id": "r", "flowId": "f", "createdAt": 5, "metrics": {
            "durationSummary": {"startedAtUTC": 1_000, "completedAtUTC": "4000"},
            "recordSummary": {"inputRecordCount": 100, "outputRecordCount": "99", "failedRecordCount": 1},
            "statusSummary": {"status": "success", "errors": [{"code": "MAPPER-3700-400", "message": "a bad row"}]}}}),
        );
        let expected = Run {
            id: "r".into(),
            flow_id: "f".into(),
            status: Some("success".into()),
            started_at: Some(1_000),
            completed_at: Some(4_000),
            records_read: Some(100),
            records_written: Some(99),
            records_failed: Some(1),
            error: Some("MAPPER-3700-400: a bad row".into()),
        };
        assert_eq!(run, expected);
    }

    #[test]
    fn a_run_may_lack_anything_but_its_id() {
        let empty = json!({"durationSummary": {"startedAtUTC": 0, "completedAtUTC": 0}, "recordSummary": {},
            "statusSummary": {"errors": null}});
        for metrics in [Value::Null, json!({}), json!("odd"), empty] {
            let run = read(
                json!({"id": "r", "flowId": null, "state": "inProgress", "createdAt": 7, "metrics": metrics}),
            );
            let expected = Run {
                id: "r".into(),
                status: Some("inProgress".into()),
                started_at: Some(7),
                ..Run::default()
            };
            assert_eq!(run, expected);
        }
    }

    #[test]
    fn a_failure_told_only_by_an_activity_is_found_there() {
        let quiet = json!({"id": "copyActivity", "statusSummary": {"status": "success"}});
        let summary = json!({"errors": [{"code": "CONNECTOR-2001-500"}]});
        let own = json!({ "statusSummary": summary.clone() });
        let below = json!({ "statusSummary": { "extensions": summary } });
        for (name, activity) in [("activities", own), ("activites", below)] {
            let run = read(json!({"id": "r", name: [quiet, activity]}));
            assert_eq!(run.error.as_deref(), Some("CONNECTOR-2001-500"));
        }
    }
}
