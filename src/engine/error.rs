//! What can go wrong in a reconcile.

use std::sync::Arc;
use std::time::Duration;

use super::parse::Fault;
use crate::adobe::{self, Class};
use crate::api::{Kind, Reference};

/// Why a reconcile did not reach its goal. `Display` is what the user reads in the condition.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A referenced object does not exist, or is not ready yet.
    #[error("waiting for {reference}: {why}")]
    Waiting {
        /// The object waited for.
        reference: Reference,
        /// What it lacks.
        why: String,
    },
    /// A referenced object is not ready yet, and nothing says that it will not be in a moment.
    #[error("waiting for {0}: it is not ready yet")]
    Pending(Reference),
    /// The sandbox is about to be opened after a start of the operator.
    #[error("the sandbox is being opened")]
    Opening,
    /// The spec asks for something that cannot be; only a change of the spec helps.
    #[error("{0}")]
    Invalid(String),
    /// There is more of something than the flags of the operator allow.
    #[error("{0}")]
    LimitExceeded(String),
    /// A Secret lacks a key.
    #[error("{0}")]
    Secret(String),
    /// The sandbox does not exist in this organisation, or the credentials may not see it.
    #[error("{0}")]
    SandboxNotFound(String),
    /// The sandbox exists but cannot be used yet.
    #[error("sandbox `{name}` is `{state}` at Adobe, not `active`")]
    SandboxNotActive {
        /// Its name.
        name: String,
        /// Its state, in Adobe's words.
        state: String,
    },
    /// Somebody else's object already has this title.
    #[error("the title is already taken by {id}, {}", way_out(circle))]
    TitleTaken {
        /// The `$id` of the object that has it.
        id: String,
        /// The other resources, if they and this one want each other's titles.
        circle: Vec<String>,
    },
    /// The spec was edited, and Adobe cannot follow in place.
    #[error(
        "{0} cannot be changed in place at Adobe: restore the old value, set `replacePolicy: Recreate` where the kind \
         has it, or create a new resource under another name"
    )]
    ReplaceRequired(String),
    /// The spec was not edited since Adobe had it, and Adobe cannot go back in place.
    #[error(
        "{0} differs at Adobe although the spec was not edited: it was changed there, or what it names was replaced. \
         Adobe cannot change it back in place: undo that change, write what Adobe has into the spec, or set \
         `replacePolicy: Recreate` where the kind has it"
    )]
    Drifted(String),
    /// Another custom resource stands for the object.
    #[error("{id} already belongs to {other}: point one of the two resources to another object")]
    AlreadyOwned {
        /// The object at Adobe.
        id: String,
        /// `namespace/name` of the other custom resource.
        other: String,
    },
    /// The object carries the mark of a custom resource that does not exist any more.
    #[error(
        "{id} carries the owner mark of {other}, which no longer exists: to adopt it, name it in the annotation \
         `aep-operator.io/external-id`, which counts once the Sandbox has been ready for an hour; else apply that \
         manifest again"
    )]
    Abandoned {
        /// The object at Adobe.
        id: String,
        /// `namespace/name` of the custom resource that is gone.
        other: String,
    },
    /// Another operator, or this one under another `ownerId`, has marked the object as its own.
    #[error(
        "{id} carries the mark of the owner `{owner}`: nothing is changed; release it there, or choose another object"
    )]
    OwnedElsewhere {
        /// The object at Adobe.
        id: String,
        /// The `ownerId` in its mark.
        owner: String,
    },
    /// Adobe is still at work on the object.
    #[error(
        "Adobe has not finished yet, its state there is `{0}`: it is read again until it lasts"
    )]
    Settling(String),
    /// An object that was there is not to be found any more.
    #[error("{id} was not found at Adobe: it is created again once that is certain")]
    Missing {
        /// The object at Adobe.
        id: String,
        /// When to try again.
        again: Duration,
    },
    /// Nearly everything in the sandbox is gone, and it is not created again before somebody approves.
    #[error(
        "nearly everything in the sandbox is gone at Adobe, as after a reset, and `recreatePolicy` of its Sandbox is \
         `Confirm`: to have everything created again, set the annotation `aep-operator.io/recreate-approved` of \
         Sandbox/{sandbox} to `{time}`"
    )]
    Unapproved {
        /// The Sandbox.
        sandbox: String,
        /// When that was found.
        time: String,
    },
    /// A read does not find the object, but other calls tell that it is there.
    #[error(
        "{0} exists, but an access label hides it from the credentials: ask your AEP administrator to grant access"
    )]
    Hidden(String),
    /// Part of the custom resource cannot be read.
    #[error(
        "not all of this resource can be read, so nothing is done for it: {0}. Correct these fields, or upgrade the operator if \
         they are of a later version"
    )]
    Unreadable(Arc<Fault>),
    /// Adobe refused the object as it is, and nothing has changed since: the status has the reason already.
    #[error("Adobe refused this before, and nothing has changed since")]
    StillRefused {
        /// When it is worth another try all the same, if ever.
        again: Option<Duration>,
    },
    /// A create may have been carried out, and the object is not to be seen yet.
    #[error(
        "a create had no response and may have taken effect: its object is looked up before another create"
    )]
    CreateUnknown {
        /// When to try again.
        again: Duration,
    },
    /// Others still use the object that is to be deleted.
    #[error("still used by {0}")]
    InUse(String),
    /// The same, but all of them are being deleted themselves.
    #[error("still used by {0}")]
    UsersDeleting(String),
    /// Another object of ours still uses it at Adobe, although its custom resource names something else.
    #[error("still used at Adobe by {0}, whose change to another object has not taken effect yet")]
    UsedAtAdobe(String),
    /// The object that is to be deleted has records, which would be deleted with it.
    #[error(
        "{0} has records, and `deletionProtection` keeps them: to delete it with its records, set \
         `deletionProtection: None`; to leave it at Adobe, set `deletionPolicy: Orphan`, after which another resource can \
         adopt it with the annotation `aep-operator.io/external-id: {0}`"
    )]
    HasRecords(String),
    /// What may use the object that is to be deleted was not listed yet.
    #[error(
        "all objects of the kind {0} must be listed first, since one of them may still use this"
    )]
    Unlisted(Kind),
    /// Adobe finds fault with the content.
    #[error("{0}")]
    Faulty(String),
    /// Adobe refused the content, perhaps because it does not know everywhere yet what it was just given.
    #[error(
        "what this refers to was made a moment ago, so Adobe is asked again. It said: {refusal}"
    )]
    TooEarly {
        /// What Adobe said.
        refusal: String,
        /// When to ask again.
        again: Duration,
    },
    /// Adobe's answer, or the lack of one.
    #[error(transparent)]
    Adobe(#[from] adobe::Error),
    /// The Kubernetes API's answer, or the lack of one.
    #[error("Kubernetes: {0}")]
    Kubernetes(#[from] Box<kube::Error>),
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        Self::Kubernetes(Box::new(error))
    }
}

/// The result of a step of a reconcile.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether Adobe refused the content of a create or a change.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Faulty(_) => true,
            Self::Adobe(error) => *error.class() == Class::Rejected,
            _ => false,
        }
    }

    /// The object that has the title which was asked for, if that is the problem.
    #[must_use]
    pub fn title_holder(&self) -> Option<&str> {
        match self {
            Self::TitleTaken { id, .. } => Some(id),
            Self::Adobe(error) => match error.class() {
                Class::TitleTaken { id } => Some(id),
                _ => None,
            },
            _ => None,
        }
    }

    /// Logs it with what Adobe's support asks for.
    pub fn log(&self) {
        let request_id = match self {
            Self::Adobe(error) => error.request_id(),
            _ => None,
        };
        tracing::debug!(request_id, "{self}");
    }
}

/// What to do about a title that is taken.
fn way_out(circle: &[String]) -> String {
    if circle.is_empty() {
        return "which this resource does not own: choose another title".into();
    }
    format!(
        "and {} and this resource want each other's titles, which Adobe cannot swap: give one of them a title that nothing \
         else has; once the others are Ready, give it the one it should have",
        circle.join(", ")
    )
}

/// Whether the operator lacks a permission in Kubernetes.
pub(super) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// Whether Kubernetes merely says that somebody wrote first.
#[must_use]
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Whether Kubernetes says that there is no such object.
#[must_use]
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
