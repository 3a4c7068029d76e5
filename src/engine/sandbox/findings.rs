//! What a resync finds of one kind.

use std::time::Instant;

/// What the Sandbox reports of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why it cannot be listed.
    pub list_error: Option<String>,
    /// Objects that carry our mark without a custom resource, as kind and id.
    pub orphans: Vec<String>,
}

/// How many of the objects that custom resources stand for are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// How many there should be.
    pub known: usize,
    /// How many of them the last resync showed, or a read since.
    pub shown: usize,
    /// When the list began that shows it, if there was one.
    pub as_of: Option<Instant>,
}
