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
    /// It has ended, in a way that is not known here.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_outcome_mean_the_same() {
        let spellings = [
            (Outcome::Succeeded, ["success", "Success", "COMPLETED"]),
            (
                Outcome::Partial,
                ["partialSuccess", "PARTIAL_SUCCESS", "PARTIAL_FAILURE"],
            ),
            (Outcome::Failed, ["failed", "Failed", "FAILED"]),
            (Outcome::Running, ["inProgress", "IN_PROGRESS", "Queued"]),
        ];
        for (course, words) in spellings {
            for word in words {
                assert_eq!(Outcome::named(word), Some(course), "{word}");
            }
        }
    }

    #[test]
    fn a_word_that_nobody_knows_means_under_way_until_the_run_has_ended() {
        let mut odd = Run {
            status: Some("cancelled".into()),
            completed_at: Some(1),
            ..Run::default()
        };
        assert_eq!(Outcome::of(&odd), Outcome::Other);
        odd.completed_at = None;
        assert_eq!(Outcome::of(&odd), Outcome::Running);
    }
}
