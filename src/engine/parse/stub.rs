//! Name and version of an object, and nothing else of it.

use std::borrow::Cow;
use std::marker::PhantomData;

use kube::api::ObjectMeta;
use kube::core::Resource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Fields;

/// Namespace, name, uid, version, labels and finalizers of an object. All else may be secret, or beyond what can be read.
#[derive(Clone)]
pub struct Stub<K> {
    metadata: ObjectMeta,
    of: PhantomData<fn() -> K>,
}

impl<K> std::fmt::Debug for Stub<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stub")
            .field("namespace", &self.metadata.namespace)
            .field("name", &self.metadata.name)
            .finish_non_exhaustive()
    }
}

impl<'de, K> Deserialize<'de> for Stub<K> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(input)?;
        let object: Fields = serde_json::from_str(text.get()).unwrap_or_default();
        let metadata = object.get("metadata");
        let metadata = metadata.and_then(|it| serde_json::from_str::<Fields>(it.get()).ok());
        let metadata = metadata.unwrap_or_default();
        let metadata = ObjectMeta {
            namespace: read(&metadata, "namespace"),
            name: read(&metadata, "name"),
            uid: read(&metadata, "uid"),
            resource_version: read(&metadata, "resourceVersion"),
            labels: read(&metadata, "labels"),
            finalizers: read(&metadata, "finalizers"),
            ..ObjectMeta::default()
        };
        let of = PhantomData;
        Ok(Self { metadata, of })
    }
}

fn read<T: DeserializeOwned>(fields: &Fields, name: &str) -> Option<T> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

impl<K: Resource<DynamicType = ()>> Resource for Stub<K> {
    type DynamicType = ();
    type Scope = K::Scope;

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
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
