//! How the engine names one custom resource.

use std::fmt;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{AepResource, Kind, Reference, Target};

/// One custom resource, by kind, namespace and name.
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
    /// The key of this kind, namespace and name.
    #[must_use]
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The key of a custom resource.
    #[must_use]
    pub fn of<K: AepResource>(object: &K) -> Self {
        let namespace = object.meta().namespace.as_deref().unwrap_or_default();
        Self::new(K::KIND, namespace, &object.name_any())
    }

    /// The custom resource as others in its namespace refer to it.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference::new(Target::Kind(self.kind), &self.name)
    }

    /// The custom resource as kube names it. The kind must be `K`'s.
    #[must_use]
    pub fn object_ref<K: AepResource>(&self) -> ObjectRef<K> {
        ObjectRef::new(&self.name).within(&self.namespace)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// One incarnation of a custom resource: after a deletion, the same key may return with another uid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Kind, namespace and name.
    pub key: Key,
    /// `metadata.uid`.
    pub uid: String,
}

impl Identity {
    /// The identity of a custom resource.
    #[must_use]
    pub fn of<K: AepResource>(object: &K) -> Self {
        Self {
            key: Key::of(object),
            uid: object.uid().unwrap_or_default(),
        }
    }
}
