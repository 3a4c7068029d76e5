//! Everything that goes wrong at Adobe.

use std::time::Duration;

use aep_simulator::{Effect, Fault, Reply, Simulator, Times};
use serde_json::json;

/// How many of all calls are struck.
const SHARE: f64 = 0.2;

/// Orders all faults, each as likely as the others.
pub fn begin(simulator: &Simulator) {
    let effects = effects();
    let kinds = f64::from(u32::try_from(effects.len() + 1).unwrap());
    // What one fault spares the next one may strike.
    let chance = 1.0 - (1.0 - SHARE).powf(1.0 / kinds);
    let faults = effects.into_iter().map(Fault::new).chain(pages());
    for fault in faults {
        simulator.inject(fault.times(Times::Chance(chance)));
    }
}

/// A page instead of an answer, for every call but one: where a mapping set is deleted it counts as Adobe not knowing the
/// call.
fn pages() -> impl Iterator<Item = Fault> {
    let page = || Fault::answer(Reply::html(404));
    let services = ["ims", "sandbox", "registry", "catalog", "flow"];
    let services = services.map(|service| page().service(service));
    let methods = ["GET", "POST", "PUT"].map(|method| page().service("data-prep").method(method));
    services.into_iter().chain(methods)
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
        Effect::AnswerAfter(failure()),
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::Truncate,
    ]
}
