//! What cannot be read of a custom resource, and what follows.

use std::fmt;

use crate::api::Reference;

/// Where a deletion is decided: without these fields, nothing is deleted at Adobe.
const DECISIVE: [&str; 5] = [
    "metadata.annotations",
    "spec",
    "spec.sandboxRef",
    "spec.deletionPolicy",
    "spec.deletionProtection",
];

/// The longest explanation of one field, in characters.
const LONGEST: usize = 300;

/// How many fields a message names.
const NAMED: usize = 5;

/// A field that cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The path of the field, such as `spec.schedule`.
    pub field: String,
    /// Why it cannot be read.
    pub why: String,
}

/// What cannot be read of a custom resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    lost: Vec<Lost>,
    /// What the resource refers to, also in fields that cannot be read as a whole.
    references: Vec<Reference>,
    decisive: bool,
}

impl Fault {
    /// Of fields that cannot be read, and fields that this version does not know. A status that cannot be read is no fault: it
    /// is written anew.
    pub(super) fn new(
        lost: Vec<Lost>,
        unknown: Vec<String>,
        references: Vec<Reference>,
    ) -> Option<Self> {
        let is_new_setting = |field: &String| field.split('.').count() == 2;
        let decisive = lost.iter().any(|it| DECISIVE.contains(&it.field.as_str()))
            || unknown.iter().any(is_new_setting);
        let unknown = unknown.into_iter().map(|field| Lost {
            field,
            why: "this version of the operator does not know it".into(),
        });
        let lost = lost
            .into_iter()
            .filter(|it| !it.field.starts_with("status"));
        let lost: Vec<_> = lost.chain(unknown).collect();
        (!lost.is_empty()).then_some(Self {
            lost,
            references,
            decisive,
        })
    }

    /// What the resource refers to, also in fields that cannot be read as a whole.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Whether it might say that the object at Adobe must stay when the resource is deleted.
    #[must_use]
    pub fn is_decisive(&self) -> bool {
        self.decisive
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, Lost { field, why }) in self.lost.iter().take(NAMED).enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            let why: String = why.chars().take(LONGEST).collect();
            write!(f, "{separator}`{field}`: {why}")?;
        }
        match self.lost.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
