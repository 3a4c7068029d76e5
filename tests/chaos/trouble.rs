//! Everything that goes wrong at Adobe.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply, Simulator, Times};
use serde_json::json;

/// How many of all calls are struck.
const SHARE: f64 = 0.2;

/// Orders all faults, each as likely as the others.
pub fn begin(simulator: &Simulator) {
    let effects = effects();
    let kinds = f64::from(u32::try_from(effects.len()).unwrap());
    // What one fault spares the next one may strike.
    let chance = 1.0 - (1.0 - SHARE).powf(1.0 / kinds);
    for effect in effects {
        simulator.inject(Fault::new(effect).times(Times::Chance(chance)));
    }
}

/// How many of the latest calls were struck, and of how many.
pub fn struck(simulator: &Simulator) -> String {
    let calls = simulator.calls();
    let struck = calls.iter().filter(|call| call.faulted).count();
    format!("{struck} of {}", calls.len())
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
