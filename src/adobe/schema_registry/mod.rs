//! Schema Registry: schemas, classes, field groups, and the descriptors that mark identities.

mod resource;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use resource::Listed;
pub use resource::{Descriptor, RegistryResource, Stats, alt_id};

use super::call::{Call, Method};
use super::listing::{Item, Listing, Unreadable};
use super::page::{self, Page};
use super::tolerant;
use super::{Adobe, Class, PatchOp, Result, Service};

/// Raw resources in a list, for which no version may be named.
const RAW_LIST: &str = "application/vnd.adobe.xed+json";
/// One raw resource, for which the major version must be named.
const RAW: &str = "application/vnd.adobe.xed+json; version=1";
/// Full descriptors in pages.
const DESCRIPTORS: &str = "application/vnd.adobe.xdm-v2+json";
/// Resources per page; a hint, which the service may exceed.
const PAGE: &str = "300";

/// The calls of Schema Registry.
#[derive(Clone, Copy)]
pub struct SchemaRegistry<'a> {
    adobe: &'a Adobe,
}

impl Adobe {
    /// Schemas, classes, field groups and descriptors.
    #[must_use]
    pub fn schema_registry(&self) -> SchemaRegistry<'_> {
        SchemaRegistry { adobe: self }
    }
}

/// A type of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistryType {
    /// A class with the field groups that extend it.
    Schema,
    /// What the records of a schema represent.
    Class,
    /// A reusable set of fields, formerly called a mixin.
    FieldGroup,
}

impl SchemaRegistry<'_> {
    /// The tenant.
    pub async fn stats(&self) -> Result<Stats> {
        self.adobe.ask(&call(Method::Get, "/stats")).await
    }

    /// Lists the tenant's resources of one type for which every filter holds, ordered by title, which is unique.
    pub async fn list(
        &self,
        kind: RegistryType,
        filters: &[String],
    ) -> Result<Listing<RegistryResource>> {
        let call = call(Method::Get, kind.collection())
            .accept(RAW_LIST)
            .filters(filters)
            .query("orderby", "title")
            .query("limit", PAGE);
        page::all::<Results<RegistryResource>>(self.adobe, call).await
    }

    /// Reads a resource of the tenant, or one that Adobe provides; `None` when there is none.
    pub async fn get(&self, kind: RegistryType, alt_id: &str) -> Result<Option<RegistryResource>> {
        let route = if alt_id.starts_with("_xdm.") {
            kind.global()
        } else {
            kind.resource()
        };
        let call = call(Method::Get, route).id(alt_id).accept(RAW);
        match self.adobe.ask::<RegistryResource>(&call).await {
            Ok(resource) => Ok(Some(resource.settled())),
            Err(error) if *error.class() == Class::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a resource. [`Class::TitleTaken`] names the one that has the title already.
    pub async fn create(&self, kind: RegistryType, body: &Value) -> Result<RegistryResource> {
        let call = call(Method::Post, kind.collection()).body(body)?;
        self.adobe.ask(&call).await.map(RegistryResource::settled)
    }

    /// Changes a resource. The registry has no precondition: read it right before.
    pub async fn patch(
        &self,
        kind: RegistryType,
        alt_id: &str,
        ops: &[PatchOp],
    ) -> Result<RegistryResource> {
        let call = call(Method::Patch, kind.resource()).id(alt_id).body(ops)?;
        self.adobe.ask(&call).await.map(RegistryResource::settled)
    }

    /// Deletes a resource, which may be gone already. [`Class::InUse`] when the registry refuses, for whatever
    /// reason.
    pub async fn delete(&self, kind: RegistryType, alt_id: &str) -> Result<()> {
        self.remove(call(Method::Delete, kind.resource()).id(alt_id))
            .await
    }

    /// Lists the descriptors for which every filter holds.
    pub async fn descriptors(&self, filters: &[String]) -> Result<Listing<Descriptor>> {
        let call = call(Method::Get, "/tenant/descriptors")
            .accept(DESCRIPTORS)
            .filters(filters);
        page::all::<Results<Descriptor>>(self.adobe, call.query("limit", PAGE)).await
    }

    /// Creates a descriptor. Whether a second call creates another one is unknown: list first.
    pub async fn create_descriptor(&self, body: &Value) -> Result<Descriptor> {
        self.adobe
            .ask(&call(Method::Post, "/tenant/descriptors").body(body)?)
            .await
    }

    /// Deletes a descriptor, which may be gone already.
    pub async fn delete_descriptor(&self, id: &str) -> Result<()> {
        self.remove(call(Method::Delete, "/tenant/descriptors/{id}").id(id))
            .await
    }

    async fn remove(&self, call: Call) -> Result<()> {
        match self.adobe.send(&call).await {
            Err(error) if *error.class() != Class::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl RegistryType {
    const fn collection(self) -> &'static str {
        match self {
            Self::Schema => "/tenant/schemas",
            Self::Class => "/tenant/classes",
            Self::FieldGroup => "/tenant/fieldgroups",
        }
    }

    const fn resource(self) -> &'static str {
        match self {
            Self::Schema => "/tenant/schemas/{id}",
            Self::Class => "/tenant/classes/{id}",
            Self::FieldGroup => "/tenant/fieldgroups/{id}",
        }
    }

    const fn global(self) -> &'static str {
        match self {
            Self::Schema => "/global/schemas/{id}",
            Self::Class => "/global/classes/{id}",
            Self::FieldGroup => "/global/fieldgroups/{id}",
        }
    }
}

fn call(method: Method, route: &'static str) -> Call {
    Call::new(Service::SchemaRegistry, method, route)
}

/// A page of resources or descriptors.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Results<T> {
    results: Vec<Item<T>>,
    #[serde(default, rename = "_page", deserialize_with = "tolerant::or_default")]
    page: Position,
}

#[derive(Default, Deserialize)]
struct Position {
    #[serde(default, deserialize_with = "tolerant::text")]
    next: Option<String>,
}

impl<T: Listed> Page for Results<T> {
    type Item = T;
    /// Not an offset: on the first page it must be absent.
    const CURSOR: &'static str = "start";

    fn next(&self, _before: usize) -> Option<String> {
        self.page.next.clone().filter(|cursor| !cursor.is_empty())
    }

    fn items(self, service: Service) -> Vec<std::result::Result<T, Unreadable>> {
        let items = self.results.into_iter();
        items
            .map(|it| it.split(service, None, T::settled))
            .collect()
    }

    fn id(item: &T) -> &str {
        item.id()
    }
}
