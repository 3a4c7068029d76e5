//! The pure half of a kind: from what is wanted and what Adobe holds to the next step.

use std::fmt::Debug;

use super::difference::Difference;
use super::error::Result;
use super::held::Held;

/// The smallest step from what Adobe holds to what the spec says.
#[derive(Debug, PartialEq)]
pub enum Plan<C> {
    /// Nothing to do.
    Keep,
    /// This change, in place.
    Change(C),
    /// Not possible in place; the text names the fields.
    Replace(String),
    /// Something is to be done, but only once Adobe has finished what it is doing; the text is the state it is in.
    Wait(String),
}

/// A kind whose objects can be planned without a call: needs neither a cluster nor Adobe.
pub trait Planned {
    /// The spec with every reference resolved to an Adobe id, and the owner mark.
    type Desired: Send + Sync;
    /// What Adobe holds.
    type Held: Held;
    /// The smallest update that closes the gap.
    type Change: Debug + Send + Sync;

    /// Whether it is made of several objects at Adobe, some of which may be added later.
    const COMPOSITE: bool = false;

    /// Compares, normalised: what Adobe adds or spells differently is no difference.
    fn plan(desired: &Self::Desired, held: &Self::Held) -> Result<Plan<Self::Change>>;

    /// What a change changes, in the words of the spec.
    fn differences(
        desired: &Self::Desired,
        held: &Self::Held,
        change: &Self::Change,
    ) -> Vec<Difference>;

    /// Whether an object without a mark is what the spec describes, as far as people tell objects apart: by its name.
    fn is_namesake(_desired: &Self::Desired, _held: &Self::Held) -> bool {
        false
    }

    /// Takes over from the object that is replaced what the spec leaves open.
    fn inherit(_desired: &mut Self::Desired, _old: &Self::Held) {}

    /// Whether a change creates a further object at Adobe, so that it must not be carried out twice.
    fn creates(_change: &Self::Change) -> bool {
        false
    }
}
