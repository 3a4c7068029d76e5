//! People who create, change and delete pipelines at random, and what they want in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use aep_test_kit::fleet::{apply, concurrently, manifests};
use aep_test_kit::{World, name, sample};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;

use super::variants::varied;

/// Of so many decisions about a pipeline that is there, one is to delete it.
const DELETIONS: u32 = 4;

/// See the module.
pub struct Users {
    rng: StdRng,
    /// Sandbox and Secrets, which stay.
    shared: Vec<Value>,
    /// The objects of a pipeline.
    own: Vec<Value>,
    pipelines: usize,
    wanted: BTreeMap<usize, Vec<Value>>,
}

impl Users {
    /// Who will have that many pipelines at most.
    pub fn new(rng: StdRng, pipelines: usize) -> Self {
        let shared = manifests(0);
        let own = sample("payments");
        let own = own.into_iter().filter(|it| !is_shared(it)).collect();
        Self {
            rng,
            shared,
            own,
            pipelines,
            wanted: BTreeMap::new(),
        }
    }

    /// Creates all pipelines, and then makes so many decisions about them in that time.
    pub async fn work(&mut self, world: &World, changes: usize, time: Duration) {
        apply(world, &self.shared).await;
        let mut pace =
            tokio::time::interval(time / u32::try_from(self.pipelines + changes).unwrap());
        for number in 0..self.pipelines {
            pace.tick().await;
            self.change(world, number).await;
        }
        for _ in 0..changes {
            pace.tick().await;
            let number = self.rng.random_range(0..self.pipelines);
            let delete = self.rng.random_ratio(1, DELETIONS);
            if delete && self.wanted.contains_key(&number) {
                self.delete(world, number).await;
            } else {
                self.change(world, number).await;
            }
        }
    }

    /// What they want: the objects of our kinds, the Sandbox left out.
    pub fn wanted(&self) -> Vec<&Value> {
        self.wanted.values().flatten().collect()
    }

    async fn change(&mut self, world: &World, number: usize) {
        let objects = varied(&self.own, number, &mut self.rng);
        // What is on its way out cannot be had again before it is gone.
        if !self.wanted.contains_key(&number) && is_there(world, &objects).await {
            return;
        }
        apply(world, &objects).await;
        self.wanted.insert(number, objects);
    }

    async fn delete(&mut self, world: &World, number: usize) {
        let objects = self.wanted.remove(&number).unwrap();
        concurrently(objects.iter().map(|object| async {
            let (kind, name) = name(object);
            world.delete(kind, name).await;
        }))
        .await;
    }
}

async fn is_there(world: &World, objects: &[Value]) -> bool {
    for object in objects {
        let (kind, name) = name(object);
        if world.api(kind).get_opt(name).await.unwrap().is_some() {
            return true;
        }
    }
    false
}

fn is_shared(object: &Value) -> bool {
    object["kind"] == "Secret" || object["kind"] == "Sandbox"
}
