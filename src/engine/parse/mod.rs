//! Reading custom resources, each by itself. The API server accepts what this program cannot read: times that no library takes,
//! values nested too deeply, fields and values of a later version. Such a resource exists all the same, so it is read as far as
//! it can be, and what cannot be read is noted.

mod fault;
mod references;
mod salvage;
mod stub;
mod unknown;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use kube::api::ObjectMeta;
use kube::core::Resource;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::{RawValue, to_raw_value};

pub use fault::Fault;
pub use stub::Stub;

use crate::api::AepResource;

/// The annotation in which `kubectl apply` keeps the whole manifest.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The fields of a JSON object, each as text.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// A custom resource as far as it can be read.
#[derive(Clone, Debug)]
pub struct Parsed<K> {
    /// What can be read; what cannot is left out, or has an empty value where it is required.
    pub resource: K,
    /// What cannot be read, if there is anything.
    pub fault: Option<Arc<Fault>>,
}

impl<K: AepResource> Parsed<K> {
    /// Reads the JSON text of one custom resource. `None` only if it is no JSON object.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut object: Fields = serde_json::from_str(text).ok()?;
        let metadata = object.get("metadata").and_then(|it| slim(it));
        if let Some(metadata) = &metadata {
            object.insert("metadata".into(), metadata);
        }
        let whole = serde_json::to_string(&object).ok()?;
        let unknown = unknown::fields(K::KIND, &object);
        if unknown.is_empty()
            && let Ok(resource) = serde_json::from_str(&whole)
        {
            let fault = None;
            return Some(Self { resource, fault });
        }
        let (resource, lost) = salvage::salvage(&object)?;
        let fault = Fault::new(lost, unknown, references::all(&object));
        let fault = fault.map(Arc::new);
        Some(Self { resource, fault })
    }
}

impl<'de, K: AepResource> Deserialize<'de> for Parsed<K> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(input)?;
        Self::of(text.get()).ok_or_else(|| D::Error::custom("not an object"))
    }
}

impl<K: AepResource> Resource for Parsed<K> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        self.resource.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.resource.meta_mut()
    }
}

/// Metadata without what nobody here needs: who wrote which field, which may be more than all else, and the copy of the
/// manifest.
fn slim(metadata: &RawValue) -> Option<Box<RawValue>> {
    let mut fields: Fields = serde_json::from_str(metadata.get()).ok()?;
    fields.remove("managedFields");
    let annotations = fields.get("annotations");
    let annotations = annotations.and_then(|it| serde_json::from_str::<Fields>(it.get()).ok());
    let annotations = annotations.and_then(|mut it| {
        it.remove(LAST_APPLIED)?;
        to_raw_value(&it).ok()
    });
    if let Some(annotations) = &annotations {
        fields.insert("annotations".into(), annotations);
    }
    to_raw_value(&fields).ok()
}
