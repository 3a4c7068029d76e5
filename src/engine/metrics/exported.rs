//! What the metrics ask of the caches.

use std::fmt::{Debug, Error};

use prometheus_client::encoding::DescriptorEncoder;

use crate::api::{Condition, Kind};

/// A cache of custom resources whose state is exported.
pub trait Exported: Send + Sync + Debug {
    /// The kind.
    fn kind(&self) -> Kind;
    /// Returns namespace, name and conditions of every custom resource.
    fn conditions(&self, each: &mut dyn FnMut(&str, &str, &Condition));
    /// Whether the custom resource of this namespace and name is suspended.
    fn is_suspended(&self, namespace: &str, name: &str) -> bool;
    /// Encodes what this kind alone exports.
    fn encode(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        is_suspended: &dyn Fn(&str, &str) -> bool,
    ) -> Result<(), Error>;
}
