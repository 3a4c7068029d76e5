//! Metrics that are computed at scrape time, from what the caches hold at that moment.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::exported::Exported;
use super::families::{Families, lock};
use crate::api::Kind;

/// What is computed at scrape time.
#[derive(Debug)]
pub(super) struct Collector(pub(super) Arc<Families>);

impl collector::Collector for Collector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let running = self.running().into_iter();
        let (longest, unfinished): (Vec<_>, Vec<_>) = running
            .map(|(kind, (oldest, all))| ((kind, oldest), (kind, all)))
            .unzip();
        seconds_by_kind(
            &mut encoder,
            "workqueue_longest_running_processor",
            "How long the longest running reconcile has been running",
            longest,
        )?;
        seconds_by_kind(
            &mut encoder,
            "workqueue_unfinished_work",
            "How long all reconciles under way have been running, added up",
            unfinished,
        )?;
        let stores = lock(&self.0.stores).clone();
        conditions(&mut encoder, &stores)?;
        let sandboxes = stores.iter().find(|it| it.kind() == Kind::Sandbox);
        let is_suspended = |namespace: &str, sandbox: &str| {
            sandboxes.is_some_and(|it| it.is_suspended(namespace, sandbox))
        };
        let mut stores = stores.iter();
        stores.try_for_each(|store| store.encode(&mut encoder, &is_suspended))
    }
}

impl Collector {
    /// How long reconciles of each kind have been under way: the oldest one, and all of them together.
    fn running(&self) -> BTreeMap<Kind, (f64, f64)> {
        let running = lock(&self.0.running);
        let mut times: BTreeMap<Kind, (f64, f64)> = Kind::ALL.map(|kind| (kind, (0.0, 0.0))).into();
        for (kind, since) in running.values() {
            let (oldest, all) = times.entry(*kind).or_default();
            let time = since.elapsed().as_secs_f64();
            *oldest = oldest.max(time);
            *all += time;
        }
        times
    }
}

fn conditions(
    encoder: &mut DescriptorEncoder<'_>,
    stores: &[Arc<dyn Exported>],
) -> Result<(), Error> {
    let mut gauges = encoder.encode_descriptor(
        "aep_resource_condition",
        "1 for the present status of each condition of a custom resource",
        None,
        MetricType::Gauge,
    )?;
    let mut outcome = Ok(());
    for store in stores {
        let kind = store.kind().name();
        store.conditions(&mut |namespace, name, condition| {
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

fn seconds_by_kind(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    times: Vec<(Kind, f64)>,
) -> Result<(), Error> {
    let unit = Some(&Unit::Seconds);
    let mut gauges = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (kind, seconds) in times {
        let name = kind.name().to_lowercase();
        let labels = [("name", name.as_str()), ("controller", name.as_str())];
        ConstGauge::new(seconds).encode(gauges.encode_family(&labels)?)?;
    }
    Ok(())
}
