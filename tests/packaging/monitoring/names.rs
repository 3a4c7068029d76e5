//! Whatever is named is exported, and whatever is exported is named.

use std::collections::BTreeSet;
use std::fs;

use super::exported::{Metric, Metrics, holds};
use super::files::path;
use super::scenario::{Replica, Scenario};
use aep_test_kit::World;
use aep_test_kit::metrics::PREFIXES;

const NAMING: [&str; 4] = [
    "charts/aep-operator/files/alerts.yaml",
    "charts/aep-operator/files/dashboard.json",
    "docs/metrics.md",
    "docs/runs.md",
];

#[tokio::test]
async fn every_metric_that_is_named_is_exported_and_every_exported_one_is_explained() {
    let scenario = Scenario::start().await;
    let explained = explained();
    let exported = scenario
        .world
        .eventually("all metrics to be exported", || async {
            let exported = scenario.operator.metrics().await;
            if exported.len() < explained.len() {
                let names: Vec<_> = explained.keys().collect();
                let missing = names.iter().filter(|it| !exported.contains_key(**it));
                return Err(format!("not {:?}", missing.collect::<Vec<_>>()));
            }
            Ok(exported)
        })
        .await;
    assert_eq!(exported, explained);
    for file in NAMING
        .into_iter()
        .chain(runbooks().iter().map(String::as_str))
    {
        for name in named(&fs::read_to_string(path(file)).unwrap()) {
            let known = holds(&exported, &name) || exported.contains_key(&name);
            assert!(known, "{file} names {name}, which is not exported");
        }
    }
}

#[tokio::test]
async fn a_replica_that_stands_by_exports_what_is_said_of_it() {
    let page = fs::read_to_string(path("docs/metrics.md")).unwrap();
    let (_, said) = page.split_once("A replica that stands by exports").unwrap();
    let (said, _) = said.split_once("nothing else").unwrap();
    let said = named(said);
    let world = World::unattended(aep_simulator::Options::default()).await;
    let replicas = [
        Replica::start(&world, "aep-operator-0").await,
        Replica::start(&world, "aep-operator-1").await,
    ];
    world
        .eventually("one to lead and the other one to stand by", || async {
            let metrics = [replicas[0].metrics().await, replicas[1].metrics().await];
            let names = metrics.map(Metrics::into_keys);
            let names = names.map(|it| it.filter(|name| !name.starts_with("process_")));
            let [one, other] = names.map(BTreeSet::from_iter);
            let leads = |names: &BTreeSet<String>| names.contains("workqueue_depth");
            let apart = (leads(&one) && other == said) || (leads(&other) && one == said);
            apart.then_some(()).ok_or(format!("{one:?} {other:?}"))
        })
        .await;
}

fn runbooks() -> Vec<String> {
    let pages = fs::read_dir(path("docs/runbooks")).unwrap();
    let names = pages.map(|it| it.unwrap().file_name().into_string().unwrap());
    names.map(|name| format!("docs/runbooks/{name}")).collect()
}

/// All names of metrics in a text. What ends with `_` is but the beginning of some, and `aep_operator` is where log lines
/// come from.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words = words.filter(|it| !it.ends_with('_') && *it != "aep_operator");
    let named = words.filter(|word| PREFIXES.iter().any(|it| word.starts_with(it)));
    named.map(ToOwned::to_owned).collect()
}

/// The tables of docs/metrics.md: name, type, labels, meaning.
fn explained() -> Metrics {
    let page = fs::read_to_string(path("docs/metrics.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, name, kind, labels, meaning, _] = cells[..] else {
            panic!("not four cells: {row}");
        };
        assert!(!meaning.is_empty(), "{row}");
        let labels = labels.split('`').skip(1).step_by(2);
        let labels = labels.map(ToOwned::to_owned).collect();
        let kind = kind.to_owned();
        (name.trim_matches('`').to_owned(), Metric { kind, labels })
    })
    .collect()
}
