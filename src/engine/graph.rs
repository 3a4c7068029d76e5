//! Who refers to whom, so that a change wakes exactly those whom it concerns.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::api::{AepResource, Kind, Reference, Target};

/// One custom resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of a custom resource.
    #[must_use]
    pub fn of<K: AepResource>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            kind: K::KIND,
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// What is referred to: a custom resource of ours or a Secret, in a namespace.
type Place = (Target, String, String);

/// The references between all objects of the watched namespaces, both ways.
#[derive(Debug, Default)]
pub struct Graph {
    references: HashMap<Key, Vec<Reference>>,
    referrers: HashMap<Place, BTreeSet<Key>>,
}

impl Graph {
    /// Notes what an object refers to now.
    pub fn set(&mut self, key: &Key, references: Vec<Reference>) {
        if self.references.get(key) == Some(&references) {
            return;
        }
        self.forget(key);
        for reference in &references {
            self.referrers
                .entry(place(&key.namespace, reference))
                .or_default()
                .insert(key.clone());
        }
        self.references.insert(key.clone(), references);
    }

    /// Forgets an object; gives what it referred to.
    pub fn forget(&mut self, key: &Key) -> Vec<Reference> {
        let references = self.references.remove(key).unwrap_or_default();
        for reference in &references {
            if let Some(users) = self.referrers.get_mut(&place(&key.namespace, reference)) {
                users.remove(key);
            }
        }
        references
    }

    /// Who refers to this object.
    #[must_use]
    pub fn referrers(&self, namespace: &str, reference: &Reference) -> Vec<Key> {
        let users = self.referrers.get(&place(namespace, reference));
        users
            .map(|keys| keys.iter().cloned().collect())
            .unwrap_or_default()
    }
}

fn place(namespace: &str, reference: &Reference) -> Place {
    (
        reference.target,
        namespace.to_owned(),
        reference.name.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: Kind, name: &str) -> Key {
        Key {
            kind,
            namespace: "ns".into(),
            name: name.into(),
        }
    }

    fn to(kind: Kind, name: &str) -> Reference {
        Reference {
            target: Target::Kind(kind),
            name: name.into(),
        }
    }

    #[test]
    fn an_object_is_found_by_what_it_refers_to_until_it_stops() {
        let mut graph = Graph::default();
        let flow = key(Kind::Dataflow, "f");
        graph.set(
            &flow,
            vec![to(Kind::Sandbox, "s"), to(Kind::MappingSet, "m")],
        );
        assert_eq!(
            graph.referrers("ns", &to(Kind::MappingSet, "m")),
            vec![flow.clone()]
        );
        graph.set(&flow, vec![to(Kind::Sandbox, "s")]);
        assert!(graph.referrers("ns", &to(Kind::MappingSet, "m")).is_empty());
        assert_eq!(graph.forget(&flow), vec![to(Kind::Sandbox, "s")]);
        assert!(graph.referrers("ns", &to(Kind::Sandbox, "s")).is_empty());
    }

    #[test]
    fn the_same_name_in_another_namespace_is_another_object() {
        let mut graph = Graph::default();
        graph.set(&key(Kind::Dataflow, "f"), vec![to(Kind::Sandbox, "s")]);
        assert!(graph.referrers("other", &to(Kind::Sandbox, "s")).is_empty());
    }
}
