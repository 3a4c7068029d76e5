//! What is known of a sandbox as a whole: whether it can be used, and whether nearly everything in it is gone.
//!
//! An object that is missing is created again only once the whole sandbox was looked at since: every kind was listed, and
//! then its Sandbox was reconciled, which asks Adobe for the state of the sandbox and tells whether it was reset.

use std::collections::HashSet;
use std::time::Instant;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::findings::Census;

/// A share of one in so many is nearly nothing.
const NEARLY: usize = 10;

/// Fewer objects than this are no sandbox that was reset.
const FEWEST: usize = 2;

/// What is known of a sandbox as a whole.
#[derive(Debug, Default)]
pub struct Whole {
    /// Its state at Adobe, while it cannot be used.
    pub unusable: Option<String>,
    /// As of when everything is to be looked at again.
    pub requested: Option<Instant>,
    /// As of when everything was looked at again.
    pub checked: Option<Instant>,
    /// When nearly everything was found gone, until it is there again.
    pub reset: Option<Time>,
    /// The orphans that were reported, one by one.
    pub told: HashSet<String>,
}

/// Whether nearly everything is gone.
pub fn is_reset(kinds: impl IntoIterator<Item = Census>) -> bool {
    let (mut known, mut shown) = (0, 0);
    for census in kinds {
        known += census.known;
        shown += census.shown;
    }
    known - shown >= FEWEST && shown * NEARLY <= known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(shown: usize, known: usize) -> Census {
        Census {
            known,
            shown,
            ..Census::default()
        }
    }

    #[test]
    fn a_sandbox_was_reset_if_nearly_everything_of_all_kinds_is_gone() {
        assert!(is_reset([census(0, 4), census(0, 3)]));
        assert!(is_reset([census(1, 5), census(0, 5)]));
        assert!(!is_reset([census(0, 4), census(1, 3)]));
        assert!(!is_reset([census(3, 3), census(0, 3)]));
    }

    #[test]
    fn a_single_object_is_no_sandbox() {
        assert!(!is_reset([census(0, 1)]));
        assert!(!is_reset([]));
    }
}
