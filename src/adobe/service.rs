//! Adobe's services: their names for people and for metrics, and where they live behind the gateway.

use std::fmt;

/// One of Adobe's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Adobe's identity service, which issues access tokens.
    Ims,
    /// Schemas, classes, field groups, descriptors.
    SchemaRegistry,
    /// Data sets.
    Catalog,
    /// Mapping sets.
    DataPrep,
    /// Connections, source and target connections, flows.
    FlowService,
    /// The list of sandboxes.
    Sandboxes,
}

impl Service {
    /// The service's name in metrics: lower case, words joined by `_`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ims => "ims",
            Self::SchemaRegistry => "schema_registry",
            Self::Catalog => "catalog",
            Self::DataPrep => "data_prep",
            Self::FlowService => "flow_service",
            Self::Sandboxes => "sandboxes",
        }
    }

    /// The path below the platform's base URL; empty for IMS, which has a host of its own.
    pub(super) const fn base(self) -> &'static str {
        match self {
            Self::Ims => "",
            Self::SchemaRegistry => "/data/foundation/schemaregistry",
            Self::Catalog => "/data/foundation/catalog",
            Self::DataPrep => "/data/foundation/conversion",
            Self::FlowService => "/data/foundation/flowservice",
            Self::Sandboxes => "/data/foundation/sandbox-management",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ims => "Adobe IMS",
            Self::SchemaRegistry => "Schema Registry",
            Self::Catalog => "Catalog",
            Self::DataPrep => "Data Prep",
            Self::FlowService => "Flow Service",
            Self::Sandboxes => "Sandbox Management",
        })
    }
}
