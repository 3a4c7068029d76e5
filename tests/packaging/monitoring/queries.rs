//! The dashboard and the alerts, asked of a Prometheus that scrapes the operator.

use std::collections::BTreeSet;

use aep_test_kit::World;
use serde_json::Value;

use super::files::{alerts, dashboard};
use super::prometheus::Prometheus;
use super::scenario::Scenario;

#[tokio::test]
async fn every_query_of_the_dashboard_and_every_alert_is_about_metrics_that_prometheus_gets() {
    let scenario = Scenario::start().await;
    let prometheus = Prometheus::start(&scenario.operator.address).await;
    let mut queries = BTreeSet::new();
    for query in shown(&dashboard()) {
        queries.extend(prometheus.reads(&query).await);
        queries.insert(query);
    }
    queries.extend(offered(&dashboard()));
    for alert in alerts() {
        let query = alert["expr"].as_str().unwrap();
        queries.extend(prometheus.reads(query).await);
    }
    for query in &queries {
        scenario
            .world
            .eventually(&format!("data for {query}"), || async {
                let answer = prometheus.ask("query", query).await?;
                let series = answer["result"].as_array().map_or(0, Vec::len);
                (series > 0).then_some(()).ok_or(answer.to_string())
            })
            .await;
    }
    all_evaluated(&scenario.world, &prometheus).await;
}

/// Waits until Prometheus has evaluated every alert without an error.
async fn all_evaluated(world: &World, prometheus: &Prometheus) {
    world
        .eventually("every alert to be evaluated", || async {
            let answer = prometheus.ask("rules", "").await?;
            let rules = answer["groups"][0]["rules"].as_array().unwrap().clone();
            assert_eq!(rules.len(), alerts().len());
            let unwell: Vec<_> = rules.iter().filter(|it| it["health"] != "ok").collect();
            unwell.is_empty().then_some(()).ok_or(format!("{unwell:?}"))
        })
        .await;
}

#[test]
fn the_dashboard_needs_nothing_but_a_source_and_its_panels_lie_side_by_side() {
    let dashboard = dashboard();
    assert_eq!(dashboard["uid"], "aep-operator");
    assert!(dashboard["__inputs"].is_null() && dashboard["id"].is_null());
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = &panel["title"];
        assert!(ids.insert(panel["id"].as_i64()), "{title}");
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        }
        let at = ["x", "y", "w", "h"].map(|it| panel["gridPos"][it].as_i64().unwrap());
        let [x, y, width, height] = at;
        assert!(x + width <= 24, "{title}");
        for place in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{title} lies on another panel");
        }
    }
}

/// The queries of all panels, everything chosen.
fn shown(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|it| it["targets"].as_array());
    let queries = targets.flatten().map(|it| it["expr"].as_str().unwrap());
    let chosen = queries.map(|query| {
        let query = query.replace("$__rate_interval", "1m");
        let query = query.replace("$job", ".*").replace("$namespace", ".*");
        assert!(!query.contains('$'), "{query}");
        query
    });
    chosen.collect()
}

/// What the choices of the variables come from.
fn offered(dashboard: &Value) -> Vec<String> {
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let queries = variables.iter().filter(|it| it["type"] == "query");
    let queries = queries.map(|it| {
        let query = it["query"]["query"].as_str().unwrap();
        let values = query.strip_prefix("label_values(").unwrap();
        let (metric, label) = values.trim_end_matches(')').split_once(", ").unwrap();
        format!("{metric}{{{label}!=\"\"}}")
    });
    queries.collect()
}
