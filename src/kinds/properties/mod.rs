//! What holds of every kind that owns an object at Adobe, whatever its spec says: nothing that we wrote is reported as drift,
//! what is planned leads to what is wanted or is refused before anything is changed, and planning decides the same twice.
//!
//! The specs of each kind are beside its own file; here they are tried with a simulator.

mod case;
mod fields;
mod path;
mod secrets;
mod stage;
pub(super) mod values;
mod world;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::Value;

use self::case::Case;
use self::stage::Stage;
pub(super) use self::world::World;
use crate::engine::ManagedKind;

/// A kind with the specs to try.
pub(super) trait Subject: ManagedKind<Change: PartialEq> {
    /// JSON pointers to the fields that may be left out without another answer than that they are not ours.
    const OPTIONAL: &'static [&'static str];

    /// Specs as a user may write them, without what all kinds have in common.
    fn specs(world: &World) -> BoxedStrategy<Value>;

    /// Whether the rules of the CRD and of Adobe allow it.
    fn admits(_world: &World, _spec: &Value) -> bool {
        true
    }

    /// Whether the rules of the CRD allow this change.
    fn allows(_before: &Value, _after: &Value) -> bool {
        true
    }
}

/// What we wrote is what we want, however often it is read.
pub(super) fn nothing_written_is_drift<K: Subject>() {
    try_all(admitted::<K>, &async |stage, spec| {
        let mut case = Case::<K>::open(stage, &spec).await?;
        case.arrives(&spec).await?;
        case.is_kept(&spec).await
    });
}

/// A changed spec leads to what it says, or is refused as a whole.
pub(super) fn every_change_arrives_or_is_refused<K: Subject>() {
    try_all(changes::<K>, &async |stage, (before, after)| {
        let mut case = Case::<K>::open(stage, &before).await?;
        case.arrives(&before).await?;
        match case.settle(&after).await? {
            None => case.is_kept(&after).await,
            // Then all is as it was.
            Some(_) => case.is_kept(&before).await,
        }
    });
}

/// What the spec leaves out is neither compared nor sent, whatever Adobe holds: here, what was there before.
pub(super) fn what_is_left_out_is_not_touched<K: Subject>() {
    try_all(left_out::<K>, &async |stage, (before, after)| {
        let mut case = Case::<K>::open(stage, &before).await?;
        case.arrives(&before).await?;
        case.is_kept(&after).await
    });
}

/// Tries some values of a strategy, one after the other, and in case of failure finds the simplest that fails.
fn try_all<S: Strategy>(
    strategy: impl Fn(&World) -> S,
    check: &impl AsyncFn(&Stage, S::Value) -> TestCaseResult,
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(Stage::open());
    let usual = Config::default();
    let config = Config {
        // Each asks Adobe some dozens of times.
        cases: usual.cases / 6,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..usual
    };
    let outcome = TestRunner::new(config).run(&strategy(&stage.world), |value| {
        stage.clear();
        runtime.block_on(check(&stage, value))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn admitted<K: Subject>(world: &World) -> impl Strategy<Value = Value> + use<K> {
    let rules = world.clone();
    let admits = move |spec: &Value| K::admits(&rules, spec);
    K::specs(world).prop_filter("the spec is not admitted", admits)
}

/// A spec, and the same without some of its optional fields.
fn left_out<K: Subject>(world: &World) -> impl Strategy<Value = (Value, Value)> + use<K> {
    let picks = prop::sample::subsequence(K::OPTIONAL, 1..=K::OPTIONAL.len());
    (admitted::<K>(world), picks).prop_map(|(before, pointers)| {
        let mut after = before.clone();
        for pointer in pointers {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = after.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.map(|it| it.remove(name));
        }
        (before, after)
    })
}

/// A spec and what somebody makes of it, by taking over parts of another one.
fn changes<K: Subject>(world: &World) -> impl Strategy<Value = (Value, Value)> + use<K> {
    let rules = world.clone();
    let picks = prop::collection::vec(prop::bool::weighted(0.3), 16);
    let parts = (admitted::<K>(world), K::specs(world), picks);
    parts.prop_filter_map(
        "no change that is admitted",
        move |(before, other, picks)| {
            let mut picks = picks.into_iter().cycle();
            let after = mixed(&before, &other, &mut || picks.next().unwrap_or_default());
            let admitted = K::admits(&rules, &after) && K::allows(&before, &after);
            (admitted && before != after).then_some((before, after))
        },
    )
}

/// A value with some of its members replaced by those of another one.
fn mixed(one: &Value, other: &Value, pick: &mut impl FnMut() -> bool) -> Value {
    let (Value::Object(ones), Value::Object(others)) = (one, other) else {
        return if pick() { other } else { one }.clone();
    };
    let names: BTreeSet<_> = ones.keys().chain(others.keys()).collect();
    let members = names.into_iter().filter_map(|name| {
        let mix = match (ones.get(name), others.get(name)) {
            (Some(one), Some(other)) => Some(mixed(one, other, pick)),
            (one, other) => if pick() { other } else { one }.cloned(),
        };
        Some((name.clone(), mix?))
    });
    members.collect()
}
