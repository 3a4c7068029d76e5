//! Whether requests may be sent at all: of several replicas with a handle on the same sandbox, only the leader may use it.

use std::fmt;
use std::sync::Arc;

/// Checked right before every request. By default everything is permitted.
#[derive(Clone)]
pub struct Permission(Arc<dyn Fn() -> bool + Send + Sync>);

impl Permission {
    /// Permits requests while `check` returns true. It is called on the request path: must be quick and must not block.
    #[must_use]
    pub fn new(check: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    pub(super) fn is_given(&self) -> bool {
        (self.0)()
    }
}

impl Default for Permission {
    fn default() -> Self {
        Self::new(|| true)
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permission").field(&self.is_given()).finish()
    }
}
