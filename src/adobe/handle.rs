//! The handle on one sandbox, from which every call starts.

use std::fmt;
use std::sync::Arc;

use super::account::Account;
use super::gate::Share;
use super::transport::Transport;
use super::{Meter, Permission, Redactor, RetryPolicy, Settings};

/// The longest text of Adobe's that is shown, in characters. Most places show less.
const LONGEST_WORDS: usize = 4096;

/// A handle on one sandbox of one organisation, made by a [`Pool`](super::Pool).
///
/// Cheap to clone. It shares the access token with all handles that have the same credentials, and the rate limit, the bound
/// on concurrent requests and the pause that Adobe asks for when it throttles with all handles on the same sandbox.
#[derive(Clone)]
pub struct Adobe {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Transport,
}

/// What all clones of a handle have in common.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) policy: RetryPolicy,
    pub(super) account: Arc<Account>,
    pub(super) gate: Share,
}

impl Adobe {
    /// What the handle was made from.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The same handle, with what another one of the same Sandbox knows of secrets; the credentials are added.
    #[must_use]
    pub fn redact_with(mut self, redactor: Arc<Redactor>) -> Self {
        redactor.learn("", "credentials", self.settings().credentials.secret());
        self.transport.redactor = redactor;
        self
    }

    /// What this handle and its clones know of secrets.
    #[must_use]
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.transport.redactor
    }

    /// Words of Adobe's without secrets, for people to read.
    #[must_use]
    pub fn redacted(&self, words: &str) -> String {
        self.transport.redactor.redact(words, LONGEST_WORDS)
    }

    /// The same handle, reporting every finished attempt of this clone and of its clones to `meter`.
    #[must_use]
    pub fn meter(mut self, meter: Arc<dyn Meter>) -> Self {
        self.transport.meter = Some(meter);
        self
    }

    /// The same handle, sending nothing through this clone and its clones unless `permission` is given.
    #[must_use]
    pub fn permission(mut self, permission: Permission) -> Self {
        self.transport.permission = permission;
        self
    }
}

impl fmt::Debug for Adobe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adobe")
            .field("settings", self.settings())
            .finish_non_exhaustive()
    }
}
