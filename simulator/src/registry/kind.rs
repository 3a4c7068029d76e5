//! The kinds of resources the registry holds, and how each is spelled where.

use serde_json::Value;

use super::text;

/// One kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A composition of one class and field groups.
    Schema,
    /// What a schema is about, record or event.
    Class,
    /// A reusable set of fields; ids and `meta:resourceType` still say "mixins".
    FieldGroup,
    /// The structure of one field.
    DataType,
    /// Adobe's own base of every class.
    Behavior,
}

impl Kind {
    /// The kinds a tenant can own.
    pub(super) const OF_TENANT: [Self; 4] =
        [Self::Schema, Self::Class, Self::FieldGroup, Self::DataType];

    /// The kind a path segment names; field groups have two names.
    pub(super) fn of_path(segment: &str) -> Option<Self> {
        match segment {
            "schemas" => Some(Self::Schema),
            "classes" => Some(Self::Class),
            "fieldgroups" | "mixins" => Some(Self::FieldGroup),
            "datatypes" => Some(Self::DataType),
            "behaviors" => Some(Self::Behavior),
            _ => None,
        }
    }

    /// The kind of a stored resource.
    pub(super) fn of(resource: &Value) -> Option<Self> {
        Self::of_path(text(resource, "meta:resourceType"))
    }

    /// The name of the sandbox's collection of this kind.
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::Schema => "schemas",
            Self::Class => "classes",
            Self::FieldGroup => "fieldgroups",
            Self::DataType => "datatypes",
            Self::Behavior => "behaviors",
        }
    }

    /// The word in ids and in `meta:resourceType`.
    pub(super) fn resource_type(self) -> &'static str {
        match self {
            Self::FieldGroup => "mixins",
            other => other.collection(),
        }
    }

    /// The code for a missing resource of this kind. Adobe prints those of classes and schemas only.
    pub(super) fn not_found_code(self) -> &'static str {
        match self {
            Self::Class => "XDM-1010-404",
            Self::FieldGroup => "XDM-1011-404",
            Self::Schema => "XDM-1012-404",
            Self::DataType => "XDM-1013-404",
            Self::Behavior => "XDM-1016-404",
        }
    }
}
