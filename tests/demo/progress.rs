//! What happens, as it happens: a live table on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aep_operator::api;
use anyhow::Result;
use kube::ResourceExt;
use kube::api::{DynamicObject, ListParams};

use crate::cluster::Cluster;

const POLL: Duration = Duration::from_millis(100);

/// One line of the table.
#[derive(Clone, PartialEq)]
struct Row {
    ready: String,
    reason: String,
    id: String,
}

/// Shows all objects of the demo's namespace until they are Ready.
pub struct Progress<'a> {
    cluster: &'a Cluster,
    terminal: bool,
    rows: BTreeMap<(usize, String), Row>,
    drawn: usize,
}

impl<'a> Progress<'a> {
    /// Nothing shown yet.
    pub fn new(cluster: &'a Cluster, terminal: bool) -> Self {
        Self {
            cluster,
            terminal,
            rows: BTreeMap::new(),
            drawn: 0,
        }
    }

    /// Shows progress; `true` once everything is Ready.
    pub async fn watch(mut self, patience: Duration) -> Result<bool> {
        println!("{}", line("KIND", "NAME", "READY", "REASON", "ADOBE ID"));
        let deadline = Instant::now() + patience;
        loop {
            let changed = self.changed().await?;
            self.show(&changed);
            let ready = !self.rows.is_empty() && self.rows.values().all(|row| row.ready == "True");
            if ready || Instant::now() > deadline {
                return Ok(ready);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn changed(&mut self) -> Result<Vec<(usize, String)>> {
        let mut changed = Vec::new();
        for (order, kind) in api::Kind::ALL.into_iter().enumerate() {
            for object in self
                .cluster
                .api(kind.name())
                .list(&ListParams::default())
                .await?
            {
                let (key, row) = ((order, object.name_any()), row(&object));
                if self.rows.get(&key) != Some(&row) {
                    self.rows.insert(key.clone(), row);
                    changed.push(key);
                }
            }
        }
        Ok(changed)
    }

    fn show(&mut self, changed: &[(usize, String)]) {
        if self.terminal && !changed.is_empty() {
            // Back up over the old table and write the new one in its place.
            print!("{}", "\x1b[1A\x1b[2K".repeat(self.drawn));
            self.drawn = self.rows.len();
            for key in self.rows.keys() {
                println!("{}", self.text(key));
            }
        } else {
            for key in changed {
                println!("{}", self.text(key));
            }
        }
    }

    fn text(&self, key: &(usize, String)) -> String {
        let row = &self.rows[key];
        line(
            api::Kind::ALL[key.0].name(),
            &key.1,
            &row.ready,
            &row.reason,
            &row.id,
        )
    }
}

fn line(kind: &str, name: &str, ready: &str, reason: &str, id: &str) -> String {
    format!("{kind:<18} {name:<22} {ready:<8} {reason:<22} {id}")
}

fn row(object: &DynamicObject) -> Row {
    let status = &object.data["status"];
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions
        .into_iter()
        .find(|c| c["type"] == "Ready")
        .unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    Row {
        ready: text(&ready["status"]),
        reason: text(&ready["reason"]),
        id: text(&status["id"]),
    }
}
