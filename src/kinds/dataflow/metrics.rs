//! Metrics of dataflows, for alerts: how the last run went, and how long ago one should have been. Computed at scrape time.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::outcome::{Outcome, outcome};
use crate::api::{Dataflow, Frequency};

/// What is exported of the runs of one dataflow. What is not known is not exported.
#[derive(Clone, Debug, Default)]
struct RunMetrics {
    namespace: String,
    name: String,
    /// 1 if the last run succeeded, 0 if it failed.
    success: Option<i64>,
    /// When the last run ended, in seconds since 1970.
    ended: Option<i64>,
    /// When a run succeeded last, in seconds since 1970.
    succeeded: Option<i64>,
    /// How long the last run took, in seconds.
    duration: Option<i64>,
    /// Records that the last run read.
    read: Option<i64>,
    /// Records that it wrote.
    written: Option<i64>,
    /// Records that it refused.
    failed: Option<i64>,
    /// Seconds between two runs, while runs are to take place.
    interval: Option<i64>,
    /// When the first run was to begin, in seconds since 1970, while runs are to take place.
    start: Option<i64>,
}

type Value = fn(&RunMetrics) -> Option<i64>;

/// The gauges in seconds: name, help, value.
const SECONDS: [(&str, &str, Value); 5] = [
    (
        "aep_dataflow_last_run_timestamp",
        "When a dataflow's last run ended",
        |it| it.ended,
    ),
    (
        "aep_dataflow_last_success_timestamp",
        "When a run of a dataflow succeeded last",
        |it| it.succeeded,
    ),
    (
        "aep_dataflow_last_run_duration",
        "How long a dataflow's last run took",
        |it| it.duration,
    ),
    (
        "aep_dataflow_schedule_interval",
        "Time between two runs of a dataflow, while it is to run",
        |it| it.interval,
    ),
    (
        "aep_dataflow_schedule_start_timestamp",
        "When a dataflow's first run was to begin, while it is to run",
        |it| it.start,
    ),
];

/// Encodes the metrics of all dataflows; `is_suspended` says whether a Sandbox is.
pub(super) fn encode(
    dataflows: &[Arc<Dataflow>],
    is_suspended: &dyn Fn(&str, &str) -> bool,
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let all = dataflows.iter();
    let all: Vec<_> = all.filter_map(|it| metrics(it, is_suspended)).collect();
    let mut gauges = encoder.encode_descriptor(
        "aep_dataflow_last_run_success",
        "Whether a dataflow's last run succeeded (1) or failed (0)",
        None,
        MetricType::Gauge,
    )?;
    for it in &all {
        let Some(success) = it.success else { continue };
        ConstGauge::new(success).encode(gauges.encode_family(&it.labels())?)?;
    }
    let mut gauges = encoder.encode_descriptor(
        "aep_dataflow_last_run_records",
        "Records of a dataflow's last run: read, written, failed",
        None,
        MetricType::Gauge,
    )?;
    for it in &all {
        let [namespace, name] = it.labels();
        for (outcome, records) in it.records() {
            let Some(records) = records else { continue };
            let labels = [namespace, name, ("outcome", outcome)];
            ConstGauge::new(records).encode(gauges.encode_family(&labels)?)?;
        }
    }
    for (name, help, value) in SECONDS {
        let unit = Some(&Unit::Seconds);
        let mut gauges = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for it in &all {
            let Some(seconds) = value(it) else { continue };
            ConstGauge::new(seconds).encode(gauges.encode_family(&it.labels())?)?;
        }
    }
    Ok(())
}

impl RunMetrics {
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("namespace", &self.namespace), ("name", &self.name)]
    }

    fn records(&self) -> [(&'static str, Option<i64>); 3] {
        [
            ("read", self.read),
            ("written", self.written),
            ("failed", self.failed),
        ]
    }
}

/// When runs are due is exported only while there are to be some, or else the alert on missing runs would call for what
/// nobody wants.
fn metrics(dataflow: &Dataflow, is_suspended: &dyn Fn(&str, &str) -> bool) -> Option<RunMetrics> {
    let status = dataflow.status.as_ref();
    let status = status.filter(|it| it.common.id.is_some())?;
    let management = &dataflow.spec.management;
    let namespace = dataflow.namespace().unwrap_or_default();
    let suspended =
        management.suspended() || is_suspended(&namespace, &management.sandbox_ref.name);
    let scheduled = !suspended && dataflow.is_on();
    let seconds = |time: &Time| time.0.as_second();
    let run = status.last_run.as_ref();
    let schedule = dataflow.spec.schedule.as_ref().filter(|_| scheduled);
    let interval = schedule.and_then(|it| {
        let unit = match it.frequency {
            Frequency::Once => return None,
            Frequency::Minute => 60,
            Frequency::Hour => 3_600,
            Frequency::Day => 86_400,
            Frequency::Week => 604_800,
        };
        Some(unit * i64::from(it.interval?))
    });
    let first = status.start_time.as_ref();
    let first = first.or(schedule.map(|it| &it.start_time)).map(seconds);
    Some(RunMetrics {
        namespace,
        name: dataflow.name_any(),
        success: run.and_then(|run| match outcome(run) {
            Outcome::Failed => Some(0),
            it => it.is_success().then_some(1),
        }),
        ended: run.and_then(|it| it.completion_time.as_ref()).map(seconds),
        succeeded: status.last_success_time.as_ref().map(seconds),
        duration: run.and_then(|it| it.duration_seconds),
        read: run.and_then(|it| it.records_read),
        written: run.and_then(|it| it.records_written),
        failed: run.and_then(|it| it.records_failed),
        interval,
        start: first.filter(|_| interval.is_some()),
    })
}

#[cfg(test)]
mod tests {
    use prometheus_client::collector::Collector;
    use prometheus_client::registry::Registry;
    use serde_json::{Value, json};

    use super::*;

    /// A dataflow that is to run every two hours, with this status.
    fn dataflow(status: &Value) -> Arc<Dataflow> {
        let flow = json!({
            "apiVersion": "aep-operator.io/v1alpha1", "kind": "Dataflow",
            "metadata": {"namespace": "ns", "name": "n"},
            "spec": {"name": "N", "flowSpec": {"id": "s"}, "sourceConnectionId": "a", "targetConnectionId": "b",
                "schedule": {"startTime": "2027-01-01T00:00:00Z", "frequency": "Hour", "interval": 2}},
            "status": status,
        });
        Arc::new(serde_json::from_value(flow).expect("a dataflow"))
    }

    #[derive(Debug)]
    struct Exported(Vec<Arc<Dataflow>>);

    impl Collector for Exported {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            encode(&self.0, &|_, _| false, &mut encoder)
        }
    }

    fn exported(dataflows: Vec<Arc<Dataflow>>) -> Vec<String> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Exported(dataflows)));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(ToOwned::to_owned).collect()
    }

    #[test]
    fn what_is_not_known_is_not_exported() {
        let labels = r#"{namespace="ns",name="n"}"#;
        let expected = [
            format!("aep_dataflow_schedule_interval_seconds{labels} 7200"),
            format!("aep_dataflow_schedule_start_timestamp_seconds{labels} 1798761600"),
        ];
        assert_eq!(exported(vec![dataflow(&json!({"id": "flow"}))]), expected);
        assert!(exported(vec![dataflow(&json!({}))]).is_empty());
    }

    #[test]
    fn runs_are_due_only_while_there_are_to_be_some() {
        let status = json!({"id": "flow", "lastRun": {
            "id": "1", "state": "success", "durationSeconds": 5, "completionTime": "1970-01-01T00:00:15Z",
        }});
        let flow = dataflow(&status);
        let due = metrics(&flow, &|_, _| false).expect("it has an id");
        assert_eq!(
            (due.interval, due.start),
            (Some(7_200), Some(1_798_761_600))
        );
        assert_eq!(
            (due.success, due.ended, due.duration),
            (Some(1), Some(15), Some(5))
        );
        let idle = metrics(&flow, &|_, _| true).expect("it has an id");
        assert_eq!((idle.interval, idle.start), (None, None));
        assert_eq!((idle.success, idle.ended), (Some(1), Some(15)));
    }
}
