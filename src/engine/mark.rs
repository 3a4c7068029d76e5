//! The owner mark: how an object at Adobe tells which custom resource owns it.
//!
//! It is made of names alone, never of uids, so that a cluster rebuilt from Git finds its objects again.

use std::fmt;

use crate::api::Kind;

const OPEN: &str = "[aep-operator:";
const CLOSE: char = ']';

/// Who owns an object at Adobe.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    owner: String,
    kind: Kind,
    namespace: String,
    name: String,
}

impl Mark {
    /// The mark of one custom resource; `owner` is the Sandbox's `ownerId`.
    #[must_use]
    pub fn new(owner: &str, kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The mark as the value of a Catalog tag, which allows no slash.
    #[must_use]
    pub fn tag(&self) -> String {
        self.path().replace('/', "_")
    }

    /// A description for people that ends with the mark.
    #[must_use]
    pub fn sign(&self, description: Option<&str>) -> String {
        match description.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => format!("{text} {self}"),
            None => self.to_string(),
        }
    }

    /// The mark in a text, if one is there.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(OPEN)?;
        let (path, _) = rest.split_once(CLOSE)?;
        Self::parse(path)
    }

    /// The mark in a Catalog tag.
    #[must_use]
    pub fn read_tag(value: &str) -> Option<Self> {
        // Kubernetes names hold no underscore, and neither does an owner id: the way back is unambiguous.
        Self::parse(&value.replace('_', "/"))
    }

    fn path(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.owner, self.kind, self.namespace, self.name
        )
    }

    fn parse(path: &str) -> Option<Self> {
        let mut parts = path.rsplitn(4, '/');
        let (name, namespace, kind, owner) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self::new(owner, kind.parse().ok()?, namespace, name))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{}{CLOSE}", self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark::new("team-a/default", Kind::Dataflow, "team-a", "payments.daily")
    }

    #[test]
    fn a_signed_description_gives_the_mark_back() {
        let signed = mark().sign(Some("Inbound data"));
        assert_eq!(
            signed,
            "Inbound data [aep-operator:team-a/default/Dataflow/team-a/payments.daily]"
        );
        assert_eq!(Mark::read(&signed), Some(mark()));
    }

    #[test]
    fn a_tag_gives_the_mark_back() {
        assert_eq!(Mark::read_tag(&mark().tag()), Some(mark()));
    }

    #[test]
    fn a_description_without_a_mark_belongs_to_nobody() {
        assert_eq!(Mark::read("made by hand"), None);
        assert_eq!(Mark::read("[aep-operator:nonsense]"), None);
    }
}
