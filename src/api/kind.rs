//! The kinds by name. The list at the top is the only one: everything that covers all kinds is made from it.

use std::{fmt, str::FromStr};

/// Hands every kind to a macro, in an order in which each depends on earlier ones only. A new kind is added here.
macro_rules! with_kinds {
    ($then:ident) => {
        $then! {
            /// An organisation's sandbox with the credentials to reach it.
            Sandbox,
            /// Flow Service: credentials of a source system, or the data lake.
            BaseConnection,
            /// Schema Registry: a schema with the class or field group it needs.
            PlatformSchema,
            /// Catalog: a dataset.
            Dataset,
            /// Flow Service: what is read.
            SourceConnection,
            /// Flow Service: where it is written.
            TargetConnection,
            /// Data Prep: how source columns become target fields.
            MappingSet,
            /// Flow Service: the pipeline.
            Dataflow,
        }
    };
}
pub(crate) use with_kinds;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        /// A kind of this API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind, in an order in which each depends on earlier ones only.
            pub const ALL: [Self; [$(stringify!($kind)),+].len()] = [$(Self::$kind),+];

            /// The kind as it stands in a manifest.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)+
                }
            }
        }
    };
}
with_kinds!(kinds);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is not the name of a kind of this API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind(
    /// The text.
    pub String,
);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a kind of {}", self.0, super::GROUP)
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
