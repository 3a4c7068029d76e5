//! Work that falls due in every open sandbox again and again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::MissedTickBehavior;

use crate::engine::sandbox::Session;
use crate::engine::shared::Engine;

/// How often it is asked what is due.
const TICK: Duration = Duration::from_millis(200);

/// An open sandbox: namespace and name of its `Sandbox`, and what is known of it.
pub struct Open {
    pub namespace: String,
    pub sandbox: String,
    pub session: Arc<Session>,
}

/// Does the work in each open sandbox whenever it is due there. Never ends.
pub async fn periodic<F: Future<Output = ()>>(
    engine: &Engine,
    is_due: impl Fn(&Session) -> bool,
    work: impl Fn(Open) -> F,
) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Concurrently: a slow sandbox delays only itself.
    let mut running = FuturesUnordered::new();
    let mut busy = HashSet::new();
    loop {
        for (name, session) in engine.sessions.list() {
            if !busy.contains(&name) && is_due(&session) {
                busy.insert(name.clone());
                let (namespace, sandbox) = name.clone();
                let open = Open {
                    namespace,
                    sandbox,
                    session,
                };
                running.push(work(open).map(|()| name));
            }
        }
        tokio::select! {
            _ = tick.tick() => {}
            () = engine.sessions.opened() => {}
            Some(name) = running.next() => {
                busy.remove(&name);
            }
        }
    }
}
