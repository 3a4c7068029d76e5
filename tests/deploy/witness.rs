//! Sees every state that objects of ours pass through.

use std::sync::{Arc, Mutex};

use aep_operator::api;
use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::World;

/// Watches a world's namespace for as long as it lives.
pub struct Witness {
    seen: Arc<Mutex<Vec<Value>>>,
    _watches: JoinSet<()>,
}

impl Witness {
    /// Begins to watch. Whatever is applied afterwards is seen from its first state on.
    pub fn of(world: &World) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut watches = JoinSet::new();
        for kind in api::Kind::ALL {
            let (api, seen) = (world.api(kind.name()), seen.clone());
            watches.spawn(async move {
                let objects = watcher(api, watcher::Config::default()).touched_objects();
                let mut objects = objects.boxed();
                while let Some(object) = objects.next().await {
                    // An error is followed by another watch, or by the end of the test.
                    let Ok(object) = object else { continue };
                    let object = serde_json::to_value(object).unwrap();
                    seen.lock().unwrap().push(object);
                }
            });
        }
        Self {
            seen,
            _watches: watches,
        }
    }

    /// Everything seen so far, oldest first.
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }
}
