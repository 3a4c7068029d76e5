//! What is done in every open sandbox again and again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::MissedTickBehavior;

use super::context::Engine;
use super::session::{Place, Session};

/// How often it is asked what is due.
const TICK: Duration = Duration::from_millis(200);

/// Does the work in each open sandbox, given by place and session, whenever it is due there. Never ends.
pub(super) async fn rounds<F: Future<Output = ()>>(
    engine: &Engine,
    is_due: impl Fn(&Session) -> bool,
    work: impl Fn(Place, Arc<Session>) -> F,
) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Side by side: a slow sandbox holds up nobody but itself.
    let mut running = FuturesUnordered::new();
    let mut busy = HashSet::new();
    loop {
        for (place, session) in engine.sessions.list() {
            if !busy.contains(&place) && is_due(&session) {
                busy.insert(place.clone());
                running.push(work(place.clone(), session).map(|()| place));
            }
        }
        tokio::select! {
            _ = tick.tick() => {}
            () = engine.sessions.opened() => {}
            Some(place) = running.next() => {
                busy.remove(&place);
            }
        }
    }
}
