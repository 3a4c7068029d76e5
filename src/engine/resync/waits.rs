//! Waits are told where nothing moves any more.

use std::time::Duration;

use crate::engine::shared::Engine;

/// How often it is asked whether anything moves.
const TICK: Duration = Duration::from_millis(500);

/// How many tell at a time: should something move after all, no more writes were made than these.
const AT_ONCE: usize = 100;

/// Has those reconciled that wait although nothing moves in their sandbox, so that they tell. Never ends.
pub async fn tell_waits(engine: &Engine) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        for key in engine.queues.waits.stuck(AT_ONCE) {
            engine.queues.enqueue(&key);
        }
    }
}
