//! The alerts: rules that Prometheus accepts, that fire when they should, and that lead to a page each.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::files::{alerts, path};

const PAGES: &str = "https://github.com/aep-operator/aep-operator/blob/main/docs/runbooks";

fn promtool(arguments: &[&str]) {
    let assets = aep_control_plane::assets(&["promtool"]).unwrap();
    let mut promtool = Command::new(assets.join("promtool"));
    let output = promtool.args(arguments).current_dir(path("")).output();
    let output = output.unwrap();
    let (said, errors) = (&output.stdout, &output.stderr);
    let (said, errors) = (
        String::from_utf8_lossy(said),
        String::from_utf8_lossy(errors),
    );
    assert!(output.status.success(), "{errors}{said}");
}

#[test]
fn prometheus_accepts_the_rules() {
    let rules = "charts/aep-operator/files/alerts.yaml";
    promtool(&["check", "rules", "--lint=all", "--lint-fatal", rules]);
}

#[test]
fn each_alert_fires_when_it_should_and_is_silent_when_it_should_be() {
    promtool(&[
        "test",
        "rules",
        "tests/packaging/monitoring/alerts_test.yaml",
    ]);
    let trials = fs::read_to_string(path("tests/packaging/monitoring/alerts_test.yaml")).unwrap();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let silent = format!("alertname: {name}}}");
        let fires = format!("alertname: {name}\n    exp_alerts:\n    - exp_labels:");
        assert!(trials.contains(&silent), "{name} is silent in no trial");
        assert!(trials.contains(&fires), "{name} fires in no trial");
    }
}

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let pages = fs::read_dir(path("docs/runbooks")).unwrap();
    let pages = pages.map(|it| it.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<_> = pages.collect();
    let mut named = BTreeSet::new();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let page = format!("{name}.md");
        assert_eq!(
            alert["annotations"]["runbook_url"],
            format!("{PAGES}/{page}")
        );
        let severity = alert["labels"]["severity"].as_str().unwrap();
        let text = fs::read_to_string(path("docs/runbooks").join(&page)).unwrap();
        let beginning = format!("# {name}\n\n**{severity}** · ");
        assert!(text.starts_with(&beginning), "{page}: {beginning}");
        named.insert(page);
    }
    assert_eq!(named, pages);
}
