//! Figures about what becomes of dataflows, for alerts: how the last run went, and how long ago one should have been.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What is told about the runs of one dataflow. What is not known is not shown at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFigures {
    /// 1 if the last run succeeded, 0 if it failed.
    pub success: Option<i64>,
    /// When the last run ended, in seconds since 1970.
    pub ended: Option<i64>,
    /// When a run succeeded last, in seconds since 1970.
    pub succeeded: Option<i64>,
    /// How long the last run took, in seconds.
    pub duration: Option<i64>,
    /// Records that the last run read.
    pub read: Option<i64>,
    /// Records that it wrote.
    pub written: Option<i64>,
    /// Records that it refused.
    pub failed: Option<i64>,
    /// Seconds between two runs, while runs are to take place.
    pub interval: Option<i64>,
    /// When the first run was to begin, in seconds since 1970, while runs are to take place.
    pub start: Option<i64>,
}

/// The figures of all dataflows.
#[derive(Clone, Debug, Default)]
pub struct RunGauges {
    success: Family<Name, Gauge>,
    ended: Family<Name, Gauge>,
    succeeded: Family<Name, Gauge>,
    duration: Family<Name, Gauge>,
    records: Family<Records, Gauge>,
    interval: Family<Name, Gauge>,
    start: Family<Name, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    namespace: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Records {
    namespace: String,
    name: String,
    outcome: &'static str,
}

impl RunGauges {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "aep_dataflow_last_run_success",
            "Whether a dataflow's last run succeeded (1) or failed (0)",
            self.success.clone(),
        );
        registry.register(
            "aep_dataflow_last_run_records",
            "Records of a dataflow's last run: read, written, failed",
            self.records.clone(),
        );
        let seconds = [
            (
                "aep_dataflow_last_run_timestamp",
                "When a dataflow's last run ended",
                &self.ended,
            ),
            (
                "aep_dataflow_last_success_timestamp",
                "When a run of a dataflow succeeded last",
                &self.succeeded,
            ),
            (
                "aep_dataflow_last_run_duration",
                "How long a dataflow's last run took",
                &self.duration,
            ),
            (
                "aep_dataflow_schedule_interval",
                "Time between two runs of a dataflow, while it is to run",
                &self.interval,
            ),
            (
                "aep_dataflow_schedule_start_timestamp",
                "When a dataflow's first run was to begin, while it is to run",
                &self.start,
            ),
        ];
        for (name, help, gauge) in seconds {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        }
    }

    /// Shows the figures of a dataflow, in place of earlier ones.
    pub fn show(&self, namespace: &str, name: &str, figures: &RunFigures) {
        let it = named(namespace, name);
        set(&self.success, &it, figures.success);
        set(&self.ended, &it, figures.ended);
        set(&self.succeeded, &it, figures.succeeded);
        set(&self.duration, &it, figures.duration);
        set(&self.interval, &it, figures.interval);
        set(&self.start, &it, figures.start);
        let counts = [
            ("read", figures.read),
            ("written", figures.written),
            ("failed", figures.failed),
        ];
        for (outcome, count) in counts {
            let Name { namespace, name } = it.clone();
            let labels = Records {
                namespace,
                name,
                outcome,
            };
            set(&self.records, &labels, count);
        }
    }

    /// Shows nothing more of a dataflow that is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.show(namespace, name, &RunFigures::default());
    }
}

fn named(namespace: &str, name: &str) -> Name {
    Name {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn set<L>(family: &Family<L, Gauge>, labels: &L, value: Option<i64>)
where
    L: Clone + std::hash::Hash + Eq,
{
    match value {
        Some(value) => {
            family.get_or_create(labels).set(value);
        }
        None => {
            family.remove(labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(gauges: &RunGauges) -> Vec<String> {
        let mut registry = Registry::default();
        gauges.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(ToOwned::to_owned).collect()
    }

    #[test]
    fn what_is_not_known_is_not_shown_and_what_is_gone_no_longer() {
        let gauges = RunGauges::default();
        let figures = RunFigures {
            success: Some(0),
            interval: Some(1_800),
            ..RunFigures::default()
        };
        gauges.show("ns", "n", &figures);
        let labels = r#"{namespace="ns",name="n"}"#;
        let expected = [
            format!("aep_dataflow_last_run_success{labels} 0"),
            format!("aep_dataflow_schedule_interval_seconds{labels} 1800"),
        ];
        assert_eq!(shown(&gauges), expected);
        gauges.forget("ns", "n");
        assert!(shown(&gauges).is_empty());
    }
}
