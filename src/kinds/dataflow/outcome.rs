//! How a run ended.

use crate::adobe::Run;
use crate::api::LastRun;

/// How a run goes, whatever Adobe's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Running,
    Succeeded,
    Partial,
    Failed,
    /// It has ended, in a way that we do not know.
    Other,
}

impl Outcome {
    pub(super) fn of(run: &Run) -> Self {
        let status = run.status.as_deref().unwrap_or_default();
        Self::named(status).unwrap_or(match run.completed_at {
            Some(_) => Self::Other,
            None => Self::Running,
        })
    }

    pub(super) fn named(status: &str) -> Option<Self> {
        let letters = status.chars().filter(char::is_ascii_alphanumeric);
        let word = letters.collect::<String>().to_ascii_lowercase();
        Some(match word.as_str() {
            "success" | "succeeded" | "completed" => Self::Succeeded,
            "partialsuccess" | "partialfailure" => Self::Partial,
            "failed" | "failure" => Self::Failed,
            "inprogress" | "processing" | "waiting" | "queued" | "scheduled" => Self::Running,
            _ => return None,
        })
    }

    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial)
    }
}

/// How a run that the status reports ended.
pub(super) fn outcome(run: &LastRun) -> Outcome {
    Outcome::named(&run.state).unwrap_or(Outcome::Other)
}
