//! Name and description of an object of Flow Service, with the owner mark.

use crate::adobe::{Created, PatchOp};
use crate::engine::{Difference, Mark};

/// Something with a [`Label`].
pub trait Labelled: Send + Sync {
    /// Name, description and owner as they should be.
    fn label(&self) -> &Label;
}

/// Something with a [`Head`].
pub trait Headed {
    /// What every object of Flow Service has.
    fn head(&self) -> &Head;
}

/// Name, description and owner as they should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The description of a new object, mark included.
    pub description: String,
    /// Whether the user wrote it: else what Adobe has stays, and gets the mark.
    described: bool,
    /// The mark.
    pub mark: Mark,
}

impl Label {
    pub(in crate::kinds) fn new(mark: Mark, name: &str, description: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            description: mark.sign(description),
            described: description.is_some(),
            mark,
        }
    }

    /// The description that an object should have, mark included.
    fn description_of(&self, head: &Head) -> String {
        if self.described {
            self.description.clone()
        } else {
            self.mark.sign_over(&head.description)
        }
    }

    /// What has to change about name and description.
    pub(in crate::kinds) fn ops(&self, head: &Head) -> Vec<PatchOp> {
        let mut ops = Vec::new();
        if self.name != head.name {
            ops.push(PatchOp::replace("/name", self.name.as_str()));
        }
        let text = self.description_of(head);
        if text != head.description {
            // An object without description has nothing to be replaced.
            ops.push(if head.description.is_empty() {
                PatchOp::add("/description", text)
            } else {
                PatchOp::replace("/description", text)
            });
        }
        ops
    }

    /// The same, for people to read.
    pub(in crate::kinds) fn differences(&self, head: &Head) -> Vec<Difference> {
        let mut all = Vec::new();
        let mut differ = |field, old: String, new: String| {
            if old != new {
                all.push(Difference::new(field, old, new));
            }
        };
        differ("spec.name", head.name.clone(), self.name.clone());
        let (old, new) = (&head.description, self.description_of(head));
        differ(
            "spec.description",
            Mark::unsigned(old),
            Mark::unsigned(&new),
        );
        all.extend(Difference::mark(head.mark.as_ref(), &self.mark));
        all
    }

    /// The head of an object just created: its state is to be read.
    pub(in crate::kinds) fn created(&self, created: Created) -> Head {
        Head {
            id: created.id,
            etag: created.etag,
            name: self.name.clone(),
            description: self.description.clone(),
            state: None,
            created: None,
            mark: Some(self.mark.clone()),
        }
    }

    /// The head of an object just changed.
    pub(in crate::kinds) fn changed(&self, head: &Head, etag: Option<String>) -> Head {
        Head {
            etag,
            name: self.name.clone(),
            description: self.description_of(head),
            mark: Some(self.mark.clone()),
            ..head.clone()
        }
    }
}

/// What every object of Flow Service has, as Adobe holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The id.
    pub id: String,
    /// The version.
    pub etag: Option<String>,
    /// The name.
    pub name: String,
    /// The description, mark included; empty where there is none.
    pub description: String,
    /// The state in Adobe's words.
    pub state: Option<String>,
    /// Milliseconds since 1970.
    pub created: Option<i64>,
    /// The mark in the description.
    pub mark: Option<Mark>,
}

/// The [`Head`] of something that was read: the entities share these fields, but no trait for them.
macro_rules! head {
    ($read:expr) => {{
        let description = $read.description.unwrap_or_default();
        $crate::kinds::flow_service::Head {
            id: $read.id,
            etag: $read.etag,
            name: $read.name.unwrap_or_default(),
            mark: $crate::engine::Mark::read(&description),
            description,
            state: $read.state,
            created: $read.created_at,
        }
    }};
}
pub(in crate::kinds) use head;
