//! Dereferencing: from the names in a spec to the custom resources and Secrets that they name.

use std::any::Any;
use std::sync::Arc;

use futures::future::BoxFuture;
use secrecy::SecretString;

use super::error::{Error, Result};
use super::key::Key;
use super::reasons;
use super::secrets::SecretData;
use crate::api::condition_types::{READY, STALLED};
use crate::api::{AepResource, Kind, LocalRef, Reference, SecretKeyRef, Target};

/// A set of custom resources and Secrets, whoever holds it: the caches of the operator, or manifests in memory.
pub trait Resources: Send + Sync {
    /// A custom resource; what is behind the pointer is of the type that belongs to the key's kind.
    fn get(&self, key: &Key) -> Option<Arc<dyn Any + Send + Sync>>;

    /// Whether a custom resource cannot be read as a whole.
    fn is_unreadable(&self, _key: &Key) -> bool {
        false
    }

    /// All keys of a Secret.
    fn secret<'s>(
        &'s self,
        namespace: &'s str,
        name: &'s str,
    ) -> BoxFuture<'s, Result<Arc<SecretData>>>;

    /// Why base connections may not use a Secret, if so.
    fn check_secret(&self, namespace: &str, name: &str) -> Result<()>;
}

/// What one custom resource may look up.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    resources: &'a dyn Resources,
    /// Where it lives: references never leave the namespace.
    namespace: &'a str,
    /// Whether it has an object at Adobe already.
    bound: bool,
}

impl<'a> Lookup<'a> {
    /// For a custom resource of this namespace; `bound` if it has an object at Adobe already.
    #[must_use]
    pub fn new(resources: &'a dyn Resources, namespace: &'a str, bound: bool) -> Self {
        Self {
            resources,
            namespace,
            bound,
        }
    }

    /// A referenced custom resource, once it is usable.
    ///
    /// An object that exists at Adobe already stays bound to a dependency whose id is known, even while that one has
    /// a problem: it is reported there, once.
    pub fn get<D: AepResource>(&self, name: &str) -> Result<Arc<D>> {
        let key = Key::new(D::KIND, self.namespace, name);
        let found = self.resources.get(&key);
        let found = found.and_then(|it| it.downcast::<D>().ok());
        let found =
            found.ok_or_else(|| waiting(D::KIND, name, "it does not exist in this namespace"))?;
        if found.meta().deletion_timestamp.is_some() && !self.bound {
            return Err(waiting(D::KIND, name, "it is being deleted"));
        }
        if self.resources.is_unreadable(&key) && !self.bound {
            return Err(waiting(D::KIND, name, "it cannot be read, see its `Ready`"));
        }
        let status = found.status().map(AsRef::as_ref);
        let has_id = status.is_some_and(|it| it.id.is_some());
        let ready = status.is_some_and(|it| it.is_ready(found.meta().generation));
        if has_id && (ready || self.bound) {
            return Ok(found);
        }
        if !self.resources.is_unreadable(&key) && is_on_its_way(found.as_ref()) {
            return Err(Error::Pending(key.reference()));
        }
        let stalled = status.and_then(|it| it.condition(STALLED));
        let why = stalled.map_or_else(
            || "it is not ready yet".to_owned(),
            |stalled| format!("it needs somebody's attention first ({})", stalled.reason),
        );
        Err(waiting(D::KIND, name, &why))
    }

    /// The Adobe id of a referenced custom resource.
    pub fn id_of<D: AepResource>(&self, name: &str) -> Result<String> {
        let found = self.get::<D>(name)?;
        let id = found.status().and_then(|it| it.as_ref().id.clone());
        id.ok_or_else(|| waiting(D::KIND, name, "it has no id yet"))
    }

    /// The Adobe id that a spec gives in one of two ways: by the name of a custom resource, or as it is in the field called
    /// `id_field`.
    pub fn id<D: AepResource>(
        &self,
        reference: Option<&LocalRef>,
        (id_field, id): (&str, Option<&String>),
    ) -> Result<Option<String>> {
        match (reference, id) {
            (Some(reference), _) => self.id_of::<D>(&reference.name).map(Some),
            (None, Some(id)) => bare_id(id_field, id).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The `$id` of the schema that `spec.schemaRef` or `spec.schemaId` gives; one of the two must be set.
    pub fn schema_id<S: AepResource>(
        &self,
        reference: Option<&LocalRef>,
        id: Option<&String>,
    ) -> Result<String> {
        let id = self.id::<S>(reference, ("spec.schemaId", id))?;
        id.ok_or_else(|| {
            let text = "neither `spec.schemaRef` nor `spec.schemaId` is set: set one of them";
            Error::Invalid(text.into())
        })
    }

    /// All keys of a Secret.
    pub async fn secret(&self, name: &str) -> Result<Arc<SecretData>> {
        self.resources.secret(self.namespace, name).await
    }

    /// One value of a Secret, to be sent to Adobe for a source system.
    pub async fn secret_value(&self, reference: &SecretKeyRef) -> Result<SecretString> {
        self.resources
            .check_secret(self.namespace, &reference.name)?;
        let data = self.secret(&reference.name).await?;
        let value = data.get(&reference.key).cloned();
        value.ok_or_else(|| {
            Error::Secret(format!(
                "Secret `{}` has no key `{}`: add it",
                reference.name, reference.key
            ))
        })
    }
}

/// An id that the user gave, unless it could lead a call elsewhere. The `$id` of a schema is a URL.
pub fn bare_id(field: &str, id: &str) -> Result<String> {
    let is_url = id.starts_with("https://");
    if id.contains("..") || (id.contains('/') && !is_url) {
        return Err(Error::Invalid(format!(
            "`{field}` is `{id}`, which is no id of Adobe's: give the bare id, without path"
        )));
    }
    Ok(id.to_owned())
}

/// Whether a custom resource has not told of any trouble with its current spec.
pub(super) fn is_on_its_way<D: AepResource>(resource: &D) -> bool {
    let meta = resource.meta();
    let status = resource.status().map(AsRef::as_ref);
    let told = status.filter(|it| it.observed_generation == meta.generation);
    let ready = told.and_then(|it| it.condition(READY));
    let is_told = ready.is_some_and(|it| it.reason != reasons::PROGRESSING);
    !is_told && meta.deletion_timestamp.is_none()
}

fn waiting(kind: Kind, name: &str, why: &str) -> Error {
    Error::Waiting {
        reference: Reference::new(Target::Kind(kind), name),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_a_path_is_refused() {
        for odd in ["../flows/x", "flows/x", "https://ns.adobe.com/../x"] {
            assert!(bare_id("spec.datasetId", odd).is_err(), "{odd}");
        }
        for fine in [
            "5e8918669cbbee18ad9771f3",
            "https://ns.adobe.com/acme/schemas/a",
        ] {
            assert!(bare_id("spec.datasetId", fine).is_ok(), "{fine}");
        }
    }
}
