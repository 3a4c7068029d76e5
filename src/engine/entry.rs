//! What the [registry](super::registry) remembers of one custom resource.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::parse::Fault;
use super::status::OwnStatus;
use crate::api::Reference;

/// What is remembered of one custom resource.
#[derive(Debug, Default)]
pub struct Entry {
    pub uid: String,
    pub fingerprint: Fingerprint,
    pub references: Vec<Reference>,
    /// What of it cannot be read.
    pub fault: Option<Arc<Fault>>,
    /// How often the resource, or something that it refers to, has changed.
    pub changes: u64,
    pub refusal: Option<Refused>,
    pub failures: u32,
    pub create: Option<CreateOutcome>,
    /// As of when its object is missing, if it is.
    pub missing: Option<Instant>,
    pub written: Option<Written>,
    pub ours: OwnStatus,
    /// The version in which our finalizer was written: the cache may lag behind it.
    pub finalized: Option<u64>,
    /// Since when it waits in the queue.
    pub queued: Option<Instant>,
}

/// What of a custom resource calls for a reconcile when it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of what its own reconcile depends on, but for its status.
    pub own: u64,
    /// Of what those depend on that refer to it: when this changes, they are reconciled.
    pub published: u64,
    /// Of its status. One that others have written, or wiped, is written anew.
    pub status: u64,
    /// Which version of it that is; zero if unknown.
    pub version: u64,
    /// Whether it carries our finalizer. One that was removed is written again.
    pub has_finalizer: bool,
}

/// What is known about the last create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// There is an object with an id that we know, or there is none.
    Known,
    /// Up to this instant a create may have taken effect of which no response has told.
    Unknown(Instant),
}

/// Adobe refused what was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// How many changes the refused reconcile had seen.
    pub changes: u64,
    /// When it is worth another try although nothing changes here.
    pub again: Option<Instant>,
}

/// A refusal that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For how long, if not until something changes.
    pub left: Option<Duration>,
}

/// The status that we wrote last: the cache may lag behind it.
#[derive(Clone, Debug)]
pub struct Written {
    pub version: u64,
    pub status: Value,
}

impl Entry {
    /// Whether somebody else has changed since `before` what the operator has written.
    pub fn is_tampered_with(&self, before: Fingerprint) -> bool {
        let now = self.fingerprint;
        let has_lost_finalizer = before.has_finalizer && !now.has_finalizer;
        let is_another =
            now.status != before.status && !self.ours.includes(now.version, now.status);
        has_lost_finalizer || is_another
    }
}
