//! Everything that goes wrong at Adobe.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply, Simulator, Times};
use serde_json::json;

/// How many of all calls meet a fault.
const SHARE: f64 = 0.2;

/// Injects all faults, each as likely as the others.
pub fn inject(simulator: &Simulator) {
    let effects = effects();
    let kinds = f64::from(u32::try_from(effects.len()).unwrap());
    // A call that one fault leaves alone may meet the next one.
    let chance = 1.0 - (1.0 - SHARE).powf(1.0 / kinds);
    for effect in effects {
        simulator.inject(Fault::new(effect).times(Times::Chance(chance)));
    }
}

/// How many of the latest calls met a fault, and of how many.
pub fn count(simulator: &Simulator) -> String {
    let calls = simulator.calls();
    let faulted = calls.iter().filter(|call| call.faulted).count();
    format!("{faulted} of {}", calls.len())
}

fn effects() -> Vec<Effect> {
    let failure = || Reply::json(500, json!({ "message": "try again" }));
    vec![
        Effect::Answer(Reply::throttled(Some(Duration::from_secs(1)))),
        Effect::Answer(Reply::throttled(None)),
        Effect::Answer(failure()),
        Effect::Answer(Reply::empty(503)),
        Effect::Answer(Reply::html(404)),
        Effect::AnswerAfter(failure()),
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::Late(1500),
        Effect::Truncate,
    ]
}
