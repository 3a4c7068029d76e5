//! Reasons of the `Ready` condition: public interface, never renamed.

/// Adobe has what the spec says.
pub const SUCCEEDED: &str = "Succeeded";
/// Work is under way.
pub const PROGRESSING: &str = "Progressing";
/// A transient failure will be tried again (reason of `Reconciling`).
pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
/// A referenced object is missing or not ready.
pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
/// `spec.suspend` is set.
pub const SUSPENDED: &str = "Suspended";
/// The spec cannot be fulfilled.
pub const INVALID_SPEC: &str = "InvalidSpec";
/// There is more than the flags of the operator allow.
pub const LIMIT_EXCEEDED: &str = "LimitExceeded";
/// A Secret lacks a key, or Adobe refuses what it holds.
pub const INVALID_CREDENTIALS: &str = "InvalidCredentials";
/// The credentials belong to another organisation.
pub const ORGANISATION_MISMATCH: &str = "OrganisationMismatch";
/// The credentials lack a permission.
pub const PERMISSION_DENIED: &str = "PermissionDenied";
/// The sandbox is not there.
pub const SANDBOX_NOT_FOUND: &str = "SandboxNotFound";
/// The sandbox is being created, reset or deleted.
pub const SANDBOX_NOT_ACTIVE: &str = "SandboxNotActive";
/// Another object has the title.
pub const TITLE_TAKEN: &str = "TitleTaken";
/// Adobe cannot change this in place.
pub const REPLACE_REQUIRED: &str = "ReplaceRequired";
/// Another custom resource stands for the object.
pub const ALREADY_OWNED: &str = "AlreadyOwned";
/// Another operator has marked the object as its own.
pub const OWNED_ELSEWHERE: &str = "OwnedElsewhere";
/// The object is not to be found any more; it is created again once that is sure.
pub const MISSING: &str = "Missing";
/// Nearly everything in the sandbox is gone, and somebody must approve of creating it again.
pub const APPROVAL_REQUIRED: &str = "ApprovalRequired";
/// Adobe refuses the content.
pub const REJECTED: &str = "Rejected";
/// A create may have been carried out.
pub const CREATE_UNSURE: &str = "CreateUnsure";
/// The object changed under our hands; it is read again.
pub const CONFLICT: &str = "Conflict";
/// Adobe asks for fewer calls.
pub const THROTTLED: &str = "Throttled";
/// No good answer from Adobe.
pub const ADOBE_UNAVAILABLE: &str = "AdobeUnavailable";
/// Others still use the object that is to be deleted.
pub const DELETION_BLOCKED: &str = "DeletionBlocked";
/// Deletion is under way.
pub const DELETING: &str = "Deleting";
/// The Kubernetes API refused a call.
pub const KUBERNETES_ERROR: &str = "KubernetesError";
