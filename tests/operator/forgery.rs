//! Marks that somebody writes on objects of their own: whatever they say, those objects are neither changed nor deleted.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Options, Times};
use aep_test_kit::{World, fleet, sample, use_default_resync_period};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

const KIND: &str = "Dataset";
const OWNER: &str = "aep_operator_owner";

/// How many histories run side by side, each with a resource of its own and two foreign datasets.
const HISTORIES: u64 = 100;

/// How often something happens to each resource.
const STEPS: usize = 2;

#[tokio::test]
async fn a_hundred_histories_with_planted_marks_change_and_delete_no_foreign_object() {
    let world = World::tuned(Options::default(), |settings| {
        settings.resync = Duration::from_secs(1);
    })
    .await;
    let mut objects = sample("payments");
    objects.retain(|it| it["kind"] != KIND);
    use_default_resync_period(&mut objects);
    for object in &mut objects {
        if object["kind"] == "Sandbox" {
            object["spec"]["limits"] =
                json!({ "requestsPerSecond": 1000, "burst": 1000, "maxConcurrentRequests": 64 });
        }
        if ["Sandbox", "Secret", "PlatformSchema"]
            .iter()
            .any(|it| object["kind"] == *it)
        {
            world.apply(object).await.unwrap();
        }
    }
    let schema = world
        .reason("PlatformSchema", "payments", "Succeeded")
        .await;
    let mut histories = Vec::new();
    for seed in 0..HISTORIES {
        histories.push(History::new(&world, &schema, seed).await);
    }
    let lost = Fault::new(Effect::DropAfter).method("POST");
    let lost = lost.path("/dataSets").times(Times::Chance(0.1));
    world.simulator.inject(lost);
    fleet::concurrently(histories.iter_mut().map(History::run)).await;
    let mut ours = Vec::new();
    for history in &histories {
        history.check();
        let resource = world.reason(KIND, &history.name(), "Succeeded").await;
        ours.push(resource["status"]["id"].as_str().unwrap().to_owned());
    }
    ours.sort();
    // Nothing of ours is left besides.
    world
        .eventually("one dataset for each resource", || async {
            let held = world.simulator.objects("prod", "dataSets");
            let foreign = |it: &&Value| it["name"].as_str().unwrap().starts_with("foreign");
            let rest = held.iter().filter(|it| !foreign(it));
            let mut rest: Vec<_> = rest
                .map(|it| it["id"].as_str().unwrap().to_owned())
                .collect();
            rest.sort();
            (rest == ours)
                .then_some(())
                .ok_or(format!("{} of {}", rest.len(), ours.len()))
        })
        .await;
    for history in &histories {
        history.check();
    }
    let sandbox = world.get("Sandbox", "default").await;
    assert!(sandbox["status"]["orphans"].as_u64() > Some(0), "{sandbox}");
}

/// One resource, and those who meddle with it.
struct History<'w> {
    world: &'w World,
    random: StdRng,
    seed: u64,
    /// How often it was renamed.
    renamed: usize,
    /// What others own, as they left it.
    foreign: Vec<Value>,
}

impl<'w> History<'w> {
    async fn new(world: &'w World, schema: &Value, seed: u64) -> Self {
        let schema = json!({
            "id": schema["status"]["id"],
            "contentType": "application/vnd.adobe.xed-full+json;version=1",
        });
        let mut foreign = Vec::new();
        for number in 0..2 {
            let body = json!({
                "name": format!("foreign {seed} {number}"), "schemaRef": schema, "tags": {},
            });
            let made = world.at_adobe("POST", "/catalog/dataSets", &body).await;
            let id = made[0].as_str().unwrap().rsplit_once('/').unwrap().1;
            let held = world.simulator.object("prod", "dataSets", id);
            foreign.push(held.unwrap());
        }
        Self {
            world,
            random: StdRng::seed_from_u64(seed),
            seed,
            renamed: 0,
            foreign,
        }
    }

    fn name(&self) -> String {
        format!("d{}-{}", self.seed, self.renamed)
    }

    async fn run(&mut self) {
        self.apply().await;
        for _ in 0..STEPS {
            self.plant();
            let name = self.name();
            let patch = match self.random.random_range(0..4) {
                0 => json!({ "name": format!("edited {}", self.random.random::<u32>()) }),
                1 | 2 => {
                    let formats = ["xed", "xed-full"];
                    let format = formats.choose(&mut self.random).unwrap();
                    let content = format!("application/vnd.adobe.{format}+json;version=1");
                    json!({ "schemaContentType": content })
                }
                _ => {
                    self.world.delete(KIND, &name).await;
                    self.plant();
                    self.world.gone(KIND, &name).await;
                    self.plant();
                    self.renamed += 1;
                    self.apply().await;
                    continue;
                }
            };
            self.world
                .patch(KIND, &name, json!({ "spec": patch }))
                .await;
            self.plant();
            self.world.reason(KIND, &name, "Succeeded").await;
        }
    }

    /// Applies the resource under its present name, and waits until it has an object.
    async fn apply(&self) {
        let dataset = json!({
            "apiVersion": "aep-operator.io/v1alpha1", "kind": KIND,
            "metadata": { "name": self.name() },
            "spec": {
                "name": format!("ours {}", self.seed), "schemaRef": { "name": "payments" },
                "replacePolicy": "Recreate", "sandboxRef": { "name": "default" },
            },
        });
        self.world.apply(&dataset).await.unwrap();
        self.world.reason(KIND, &self.name(), "Succeeded").await;
    }

    /// Somebody writes a mark on an object of theirs.
    fn plant(&mut self) {
        let namespace = &self.world.namespace;
        let name = self.name();
        let ours = format!("{namespace}_default_{KIND}_{namespace}_{name}");
        let tag = match self.random.random_range(0..7) {
            0 => ours,
            1 => format!("{ours}_R2"),
            2 => format!("{ours}_R{}", self.random.random::<u32>()),
            3 => ours[..ours.len() - 1].to_owned(),
            4 => format!("{namespace}_default_{KIND}_far_{name}"),
            5 => format!("elsewhere_{KIND}_{namespace}_{name}"),
            _ => format!("{namespace}_default_{KIND}_{namespace}_gone-{}", self.seed),
        };
        let which = self.random.random_range(0..self.foreign.len());
        let id = self.foreign[which]["id"].as_str().unwrap().to_owned();
        let tags = json!({ "tags": { OWNER: [tag] } });
        let edited = self.world.simulator.edit("prod", "dataSets", &id, &tags);
        self.foreign[which] = edited.unwrap();
    }

    fn check(&self) {
        for left in &self.foreign {
            let id = left["id"].as_str().unwrap();
            let now = self.world.simulator.object("prod", "dataSets", id);
            let now = now.unwrap_or_else(|| panic!("{id} was deleted: {left}"));
            for member in ["name", "description", "schemaRef"] {
                assert_eq!(now[member], left[member], "{id}");
            }
            assert_eq!(now["tags"][OWNER], left["tags"][OWNER], "{id}");
        }
    }
}
