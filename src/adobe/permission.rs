//! Whether requests may be sent at all. Several replicas of one program may hold handles on the same sandbox; only one of
//! them is to use its handle.

use std::fmt;
use std::sync::Arc;

/// Asked right before every request. By default everything is permitted.
#[derive(Clone)]
pub struct Permission(Arc<dyn Fn() -> bool + Send + Sync>);

impl Permission {
    /// Permits while `ask` says so. It is called on the request path: must be quick and must not block.
    #[must_use]
    pub fn new(ask: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
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
