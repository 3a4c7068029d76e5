//! Figures that are worked out when they are asked for, from what the engine holds at that moment.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::metrics::Metrics;
use crate::api::Kind;

/// What the engine holds now.
#[derive(Debug)]
pub(super) struct Now(pub(super) Metrics);

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let under_way = self.0.under_way().into_iter();
        let (longest, unfinished): (Vec<_>, Vec<_>) = under_way
            .map(|(kind, (oldest, all))| ((kind, oldest), (kind, all)))
            .unzip();
        let help = "How long the oldest pass under way has been so";
        by_kind(
            &mut encoder,
            "workqueue_longest_running_processor",
            help,
            longest,
        )?;
        let help = "How long all passes under way have been so, together";
        by_kind(&mut encoder, "workqueue_unfinished_work", help, unfinished)?;
        self.conditions(&mut encoder)
    }
}

impl Now {
    fn conditions(&self, encoder: &mut DescriptorEncoder) -> Result<(), Error> {
        let mut gauges = encoder.encode_descriptor(
            "aep_resource_condition",
            "1 for the present status of each condition of a custom resource",
            None,
            MetricType::Gauge,
        )?;
        let mut outcome = Ok(());
        for shelf in self.0.shelves() {
            let kind = shelf.kind().name();
            shelf.conditions(&mut |namespace, name, condition| {
                let labels = [
                    ("kind", kind),
                    ("namespace", namespace),
                    ("name", name),
                    ("type", &condition.type_),
                    ("status", condition.status.name()),
                ];
                let shown = gauges.encode_family(&labels);
                let shown = shown.and_then(|it| ConstGauge::new(1_i64).encode(it));
                outcome = outcome.and(shown);
            });
        }
        outcome
    }
}

fn by_kind(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    figures: Vec<(Kind, f64)>,
) -> Result<(), Error> {
    let unit = Some(&Unit::Seconds);
    let mut gauges = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (kind, seconds) in figures {
        let name = kind.name().to_lowercase();
        let labels = [("name", name.as_str()), ("controller", name.as_str())];
        ConstGauge::new(seconds).encode(gauges.encode_family(&labels)?)?;
    }
    Ok(())
}
