//! What the operator is doing when it dies.

use std::fmt;

use aep_test_kit::World;
use serde_json::{Value, json};

use super::cluster;
use super::scenario::{Scenario, must};

/// A part of a pipeline's life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// The samples are applied to an empty namespace.
    Create,
    /// Four specs of a settled pipeline change at once.
    Update,
    /// A settled pipeline reads another table, for which connection and flow are replaced.
    Replace,
    /// All custom resources of a settled pipeline are deleted at once.
    Delete,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
        })
    }
}

impl Phase {
    /// Brings about what is there before.
    pub async fn prepare(self, scenario: &Scenario) {
        if self != Self::Create {
            scenario.start_operator();
            cluster::apply(&scenario.world, &scenario.objects).await;
            scenario.settled().await;
        }
        if self == Self::Replace {
            for (kind, name) in REPLACED {
                let patch = json!({ "spec": { "replacePolicy": "Recreate" } });
                scenario.world.patch(kind, name, patch).await;
            }
            scenario.settled().await;
        }
    }

    /// Gives the operator its work.
    pub async fn begin(self, scenario: &Scenario) {
        match self {
            Self::Create => {
                scenario.start_operator();
                cluster::apply(&scenario.world, &scenario.objects).await;
            }
            Self::Update => change(&scenario.world).await,
            Self::Replace => {
                let other = json!({ "params": { "tableName": "PayPal.Other" } });
                let patch = json!({ "spec": other });
                let (kind, name) = REPLACED[0];
                scenario.world.patch(kind, name, patch).await;
            }
            Self::Delete => cluster::delete(&scenario.world, &scenario.objects).await,
        }
    }

    /// Waits until the work is done.
    pub async fn done(self, scenario: &Scenario) {
        match self {
            Self::Create => scenario.settled().await,
            Self::Update => {
                changed(&scenario.world).await;
                scenario.settled().await;
            }
            Self::Replace => {
                replaced(&scenario.world).await;
                scenario.settled().await;
            }
            Self::Delete => scenario.gone().await,
        }
    }
}

/// What is replaced where another table is read.
const REPLACED: [(&str, &str); 2] = [
    ("SourceConnection", "paypal-products"),
    ("Dataflow", "payments"),
];

/// Waits until what was replaced is gone, and the flow uses what took its place.
async fn replaced(world: &World) {
    let arrived = || async {
        let sources = world.simulator.objects("prod", "sourceConnections");
        let flows = world.simulator.objects("prod", "flows");
        must((sources.len(), flows.len()) == (1, 1), &sources.len())?;
        let (source, flow) = (&sources[0], &flows[0]);
        must(source["params"]["tableName"] == "PayPal.Other", source)?;
        must(flow["sourceConnectionIds"][0] == source["id"], flow)
    };
    world.eventually("the replacement at Adobe", arrived).await;
}

async fn change(world: &World) {
    let set = world.get("MappingSet", "payments").await;
    let mut mappings = set["spec"]["mappings"].clone();
    mappings[1]["source"] = json!("Name");
    let price = json!({ "price": { "type": "number", "title": "Price" } });
    let fields = json!({ "product": { "properties": price } });
    let changes = [
        (
            "SourceConnection",
            "paypal-products",
            json!({ "description": "Daily products" }),
        ),
        (
            "Dataflow",
            "payments",
            json!({ "schedule": { "interval": 60 } }),
        ),
        ("MappingSet", "payments", json!({ "mappings": mappings })),
        ("PlatformSchema", "payments", json!({ "fields": fields })),
    ];
    let patches =
        changes.map(|(kind, name, spec)| world.patch(kind, name, json!({ "spec": spec })));
    futures::future::join_all(patches).await;
}

/// Waits until every change has arrived at Adobe, and the flow uses the mapping set as it is now.
async fn changed(world: &World) {
    let only = |kind| world.simulator.objects("prod", kind).swap_remove(0);
    let arrived = || async {
        let (source, flow) = (only("sourceConnections"), only("flows"));
        let (set, group) = (only("mappingSets"), only("fieldgroups"));
        must(source["description"].to_string().contains("Daily"), &source)?;
        must(flow["scheduleParams"]["interval"] == 60, &flow)?;
        must(set["mappings"].to_string().contains("\"Name\""), &set)?;
        must(mapping_version(&flow) == set["version"], &flow)?;
        must(group.to_string().contains("\"price\""), &group)
    };
    world
        .eventually("all changes to arrive at Adobe", arrived)
        .await;
}

fn mapping_version(flow: &Value) -> Value {
    let steps = flow["transformations"].as_array().unwrap();
    let mapping = steps.iter().find(|step| step["name"] == "Mapping");
    mapping.unwrap()["params"]["mappingVersion"].clone()
}
