//! What follows from an error: the one table for conditions, events and retries.

use std::time::Duration;

use super::error::{Error, is_conflict, is_forbidden};
use super::reasons;
use crate::adobe::{self, Class};

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Only when the spec, a Secret or a referenced object changes.
    OnChange,
    /// After this long.
    After(Duration),
    /// Later and later.
    Backoff,
    /// The same, although nothing failed: what is waited for goes on by itself.
    Poll,
}

/// What follows from an error: every column of the table, for conditions, events and the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Reason of the `Ready` condition.
    pub reason: &'static str,
    /// Whether only the user can help (`Stalled`), or the operator goes on trying (`Reconciling`).
    pub terminal: bool,
    /// Whether the condition is worth writing: conflicts in Kubernetes concern no user.
    pub reported: bool,
    /// Whether the event is a warning.
    pub warning: bool,
    /// When to try again.
    pub retry: Retry,
}

impl Verdict {
    /// Whether the same try would fail again until something here changes.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.terminal && self.retry == Retry::OnChange
    }
}

const TERMINAL: Verdict = Verdict {
    reason: reasons::INVALID_SPEC,
    terminal: true,
    reported: true,
    warning: true,
    retry: Retry::OnChange,
};

const TRANSIENT: Verdict = Verdict {
    reason: reasons::ADOBE_UNAVAILABLE,
    terminal: false,
    reported: true,
    warning: true,
    retry: Retry::Backoff,
};

/// How soon something is tried again that will be there in a moment.
const SOON: Duration = Duration::from_secs(1);

/// How often something is tried again that can change without notice.
const SLOW: Duration = Duration::from_secs(300);

impl Error {
    /// The table. A new variant does not compile before every column is decided.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Waiting { .. } | Self::Pending(_) => {
                expected(reasons::DEPENDENCY_NOT_READY, Retry::OnChange)
            }
            Self::Opening => Verdict {
                reason: reasons::PROGRESSING,
                reported: false,
                warning: false,
                retry: Retry::OnChange,
                ..TRANSIENT
            },
            Self::Invalid(_) | Self::Unreadable(_) | Self::Faulty(_) => TERMINAL,
            Self::LimitExceeded(_) => Verdict {
                reason: reasons::LIMIT_EXCEEDED,
                retry: Retry::After(SLOW),
                ..TERMINAL
            },
            Self::Secret(_) => Verdict {
                reason: reasons::INVALID_CREDENTIALS,
                ..TERMINAL
            },
            Self::SandboxNotFound(_) => Verdict {
                reason: reasons::SANDBOX_NOT_FOUND,
                retry: Retry::After(SLOW),
                ..TERMINAL
            },
            Self::SandboxNotActive { .. } => Verdict {
                reason: reasons::SANDBOX_NOT_ACTIVE,
                ..TRANSIENT
            },
            Self::TitleTaken { .. } => Verdict {
                reason: reasons::TITLE_TAKEN,
                retry: Retry::After(SLOW),
                ..TERMINAL
            },
            Self::ReplaceRequired(_) | Self::Drifted(_) => Verdict {
                reason: reasons::REPLACE_REQUIRED,
                ..TERMINAL
            },
            Self::AlreadyOwned { .. } | Self::Abandoned { .. } => Verdict {
                reason: reasons::ALREADY_OWNED,
                retry: Retry::After(SLOW),
                ..TERMINAL
            },
            Self::OwnedElsewhere { .. } => Verdict {
                reason: reasons::OWNED_ELSEWHERE,
                ..TERMINAL
            },
            Self::Settling(_) => expected(reasons::PROGRESSING, Retry::Poll),
            Self::Missing { again, .. } => Verdict {
                reason: reasons::MISSING,
                retry: Retry::After(*again),
                ..TRANSIENT
            },
            Self::Unapproved { .. } => Verdict {
                reason: reasons::APPROVAL_REQUIRED,
                ..TERMINAL
            },
            Self::Hidden(_) => Verdict {
                reason: reasons::PERMISSION_DENIED,
                retry: Retry::After(SLOW),
                ..TERMINAL
            },
            Self::StillRefused { again } => Verdict {
                reported: false,
                warning: false,
                retry: again.map_or(Retry::OnChange, Retry::After),
                ..TERMINAL
            },
            Self::CreateUnknown { again } => expected(reasons::CREATE_UNSURE, Retry::After(*again)),
            Self::InUse(_) | Self::UsersDeleting(_) => {
                expected(reasons::DELETION_BLOCKED, Retry::After(SLOW))
            }
            Self::HasRecords(_) => Verdict {
                reason: reasons::DELETION_BLOCKED,
                retry: Retry::After(SLOW),
                ..TRANSIENT
            },
            Self::Unlisted(_) => expected(reasons::DELETION_BLOCKED, Retry::After(SOON)),
            Self::UsedAtAdobe(_) => expected(reasons::DELETION_BLOCKED, Retry::Backoff),
            Self::TooEarly { again, .. } => {
                expected(reasons::DEPENDENCY_NOT_READY, Retry::After(*again))
            }
            Self::Adobe(error) => adobe_verdict(error),
            Self::Kubernetes(error) => kubernetes_verdict(error),
        }
    }
}

/// What goes away by itself and needs no attention.
fn expected(reason: &'static str, retry: Retry) -> Verdict {
    Verdict {
        reason,
        warning: false,
        retry,
        ..TRANSIENT
    }
}

fn kubernetes_verdict(error: &kube::Error) -> Verdict {
    Verdict {
        reason: reasons::KUBERNETES_ERROR,
        // A missing permission does not go away by itself; all else concerns no user.
        reported: is_forbidden(error),
        warning: is_forbidden(error),
        retry: if is_conflict(error) {
            Retry::After(Duration::from_millis(200))
        } else {
            Retry::Backoff
        },
        ..TRANSIENT
    }
}

fn adobe_verdict(error: &adobe::Error) -> Verdict {
    match error.class() {
        Class::CredentialsRejected | Class::TokenExpired => Verdict {
            reason: reasons::INVALID_CREDENTIALS,
            retry: Retry::After(error.retry_after().map_or(SLOW, |it| it.max(SOON))),
            ..TERMINAL
        },
        Class::TokenRefused => Verdict {
            retry: Retry::After(error.retry_after().map_or(SOON, |it| it.max(SOON))),
            ..TRANSIENT
        },
        Class::OrganisationMismatch => Verdict {
            reason: reasons::ORGANISATION_MISMATCH,
            retry: Retry::After(SLOW),
            ..TERMINAL
        },
        Class::PermissionDenied => Verdict {
            reason: reasons::PERMISSION_DENIED,
            retry: Retry::After(SLOW),
            ..TERMINAL
        },
        Class::SandboxUnknown => Verdict {
            reason: reasons::SANDBOX_NOT_FOUND,
            retry: Retry::After(SLOW),
            ..TERMINAL
        },
        Class::TitleTaken { .. } => Verdict {
            reason: reasons::TITLE_TAKEN,
            retry: Retry::After(SLOW),
            ..TERMINAL
        },
        Class::Rejected => Verdict {
            reason: reasons::REJECTED,
            ..TERMINAL
        },
        Class::NotFound | Class::Stale | Class::Busy => Verdict {
            reason: reasons::CONFLICT,
            warning: false,
            ..TRANSIENT
        },
        Class::InUse => Verdict {
            reason: reasons::DELETION_BLOCKED,
            warning: false,
            ..TRANSIENT
        },
        Class::Throttled => Verdict {
            reason: reasons::THROTTLED,
            warning: false,
            retry: error.retry_after().map_or(Retry::Backoff, Retry::After),
            ..TRANSIENT
        },
        Class::Unavailable | Class::Interrupted | Class::Unreachable | Class::Unreadable => {
            TRANSIENT
        }
    }
}
