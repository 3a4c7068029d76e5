//! Every state that our objects have been in.

use std::sync::{Arc, Mutex};

use aep_operator::api;
use aep_test_kit::World;
use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use tokio::task::JoinSet;

/// Watches the namespace of a world for as long as it lives.
pub struct History {
    states: Arc<Mutex<Vec<Value>>>,
    _watches: JoinSet<()>,
}

impl History {
    /// Begins to watch. Whatever is applied afterwards is recorded from its first state on.
    pub fn record(world: &World) -> Self {
        let states = Arc::new(Mutex::new(Vec::new()));
        let mut watches = JoinSet::new();
        for kind in api::Kind::ALL {
            let (api, states) = (world.api(kind.name()), states.clone());
            watches.spawn(async move {
                let objects = watcher(api, watcher::Config::default()).touched_objects();
                let mut objects = objects.boxed();
                while let Some(object) = objects.next().await {
                    // An error is followed by another watch, or by the end of the test.
                    let Ok(object) = object else { continue };
                    let object = serde_json::to_value(object).unwrap();
                    states.lock().unwrap().push(object);
                }
            });
        }
        Self {
            states,
            _watches: watches,
        }
    }

    /// All states so far, oldest first.
    pub fn states(&self) -> Vec<Value> {
        self.states.lock().unwrap().clone()
    }
}
