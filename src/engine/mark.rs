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
    revision: u32,
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
            revision: 1,
        }
    }

    /// The same owner's mark on the object that replaces an earlier one: of several revisions the highest counts.
    #[must_use]
    pub fn at(&self, revision: u32) -> Self {
        Self {
            revision,
            ..self.clone()
        }
    }

    /// How often the object was replaced, counted from 1.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// The mark of the first revision: what all marks of one custom resource have in common.
    #[must_use]
    pub fn claim(&self) -> Self {
        self.at(1)
    }

    /// The `ownerId` of the Sandbox.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The kind of the custom resource.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Namespace and name of the custom resource.
    #[must_use]
    pub fn object(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
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

    /// A text of Adobe's without the mark in it, if one is there.
    #[must_use]
    pub fn unsigned(text: &str) -> String {
        let marked = text.rsplit_once(OPEN);
        let marked = marked.and_then(|(before, rest)| Some((before, rest.split_once(CLOSE)?)));
        let text = match marked {
            Some((before, (path, after))) if Self::parse(path).is_some() => {
                format!("{}{after}", before.trim_end())
            }
            _ => text.to_owned(),
        };
        text.trim().to_owned()
    }

    /// A text of Adobe's under this mark instead of any other; as it is if it has this one already.
    #[must_use]
    pub fn sign_over(&self, text: &str) -> String {
        if Self::read(text).as_ref() == Some(self) {
            return text.to_owned();
        }
        self.sign(Some(&Self::unsigned(text)))
    }

    fn path(&self) -> String {
        let path = format!(
            "{}/{}/{}/{}",
            self.owner, self.kind, self.namespace, self.name
        );
        match self.revision {
            1 => path,
            later => format!("{path}/R{later}"),
        }
    }

    fn parse(path: &str) -> Option<Self> {
        // Kubernetes names are in lower case, so the last part is a revision or a name, never either.
        let revised = path.rsplit_once("/R");
        let revised = revised.and_then(|(path, number)| Some((path, number.parse().ok()?)));
        let (path, revision) = revised.unwrap_or((path, 1));
        let mut parts = path.rsplitn(4, '/');
        let (name, namespace, kind, owner) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self::new(owner, kind.parse().ok()?, namespace, name).at(revision))
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
    fn a_later_revision_is_another_mark_of_the_same_owner() {
        let second = mark().at(2);
        assert_ne!(second, mark());
        assert_eq!(second.claim(), mark());
        assert_eq!(Mark::read(&second.sign(None)), Some(second.clone()));
        assert_eq!(Mark::read_tag(&second.tag()), Some(second));
    }

    #[test]
    fn a_text_that_others_wrote_is_kept_under_the_mark() {
        let signed = mark().sign(Some("Inbound data"));
        assert_eq!(mark().sign_over("Inbound data"), signed);
        assert_eq!(mark().sign_over(&signed), signed);
        let other = mark().at(2).sign(Some("Inbound data"));
        assert_eq!(mark().sign_over(&other), signed);
        assert_eq!(mark().sign_over(""), mark().to_string());
        let extended = format!("{signed} and more");
        assert_eq!(mark().sign_over(&extended), extended);
        assert_eq!(Mark::unsigned(&extended), "Inbound data and more");
        assert_eq!(
            Mark::unsigned("[aep-operator:nonsense]"),
            "[aep-operator:nonsense]"
        );
    }

    #[test]
    fn a_description_without_a_mark_belongs_to_nobody() {
        assert_eq!(Mark::read("made by hand"), None);
        assert_eq!(Mark::read("[aep-operator:nonsense]"), None);
    }
}
