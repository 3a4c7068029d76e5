//! What people see and do with kubectl.

use aep_test_kit::kubectl::{done, manifest};
use aep_test_kit::{World, sample};

#[tokio::test]
async fn a_pipeline_lives_from_apply_to_delete() {
    let world = World::new().await;
    let yaml = manifest(&sample("payments"));
    done(&world, &["apply", "-f", "-"], &yaml).await;
    let wait = ["wait", "--for=condition=Ready", "--timeout=60s"];
    done(&world, &[&wait[..], &["dataflow/payments"]].concat(), "").await;
    let table = done(&world, &["get", "aep"], "").await;
    for words in ["payments", "paypal-products", "Succeeded", "enabled", "AGE"] {
        assert!(table.contains(words), "{words} is not in\n{table}");
    }
    let again = done(&world, &["apply", "-f", "-"], &yaml).await;
    let changed = again.lines().filter(|line| !line.ends_with(" unchanged"));
    // The text of a Secret's `stringData` is never stored, so kubectl takes it for a change each time.
    let changed: Vec<_> = changed
        .filter(|line| !line.starts_with("secret/"))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    done(&world, &["delete", "-f", "-", "--timeout=60s"], &yaml).await;
    assert_eq!(world.simulator.object_count("prod"), 0);
}

#[tokio::test]
async fn every_field_explains_itself() {
    let world = World::new().await;
    let text = done(&world, &["explain", "dataflow.spec.schedule"], "").await;
    for words in ["frequency", "Minute", "interval", "startTime", "FIELDS"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

/// kstatus, as Helm and Flux read it: a new object is in progress before anybody has seen it.
#[tokio::test]
async fn a_new_object_is_in_progress_before_the_operator_has_seen_it() {
    let mut world = World::new().await;
    world.kill_operator().await;
    let objects = sample("payments");
    let dataset = objects.iter().find(|o| o["kind"] == "Dataset").unwrap();
    world.apply(dataset).await.unwrap();
    let dataset = world.get("Dataset", "payments").await;
    assert_eq!(dataset["status"]["observedGeneration"], -1);
    assert_eq!(dataset["metadata"]["generation"], 1);
}
