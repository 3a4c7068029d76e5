//! How strictly requests are judged.

use serde::{Deserialize, Serialize};

/// How faithful to the letter of Adobe's documents the simulator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Accepts what live services were seen to accept.
    #[default]
    Lenient,
    /// Refuses everything that any document forbids.
    Strict,
}
