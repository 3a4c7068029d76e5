//! Flow Service: base connections, source and target connections, flows and their runs, and the specs behind them.

mod body;
mod entity;
mod runs;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use body::{
    Auth, NewConnection, NewFlow, NewSourceConnection, NewTargetConnection, SpecRef, Transformation,
};
pub use entity::{Connection, Flow, FlowEntity, SourceConnection, TargetConnection};
pub use runs::Run;

use super::call::{Call, Method};
use super::listing::{Item, Listing, Unreadable};
use super::page::{self, Links, Page};
use super::tolerant;
use super::transport::Answer;
use super::{Adobe, Class, PatchOp, Result, Service};

/// Objects per page; the documented maximum.
const PAGE: &str = "100";

/// The calls of Flow Service.
#[derive(Clone, Copy)]
pub struct FlowService<'a> {
    adobe: &'a Adobe,
}

impl Adobe {
    /// Connections, source and target connections, and flows.
    #[must_use]
    pub fn flow_service(&self) -> FlowService<'_> {
        FlowService { adobe: self }
    }
}

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Created {
    /// The object's id.
    pub id: String,
    /// The object's version, quotes included. The service may change it by itself soon after.
    #[serde(default, alias = "eTag", deserialize_with = "tolerant::text")]
    pub etag: Option<String>,
}

/// An action on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Enable it.
    Enable,
    /// Disable it.
    Disable,
    /// Make a draft effective, which enables it.
    Publish,
}

/// A connection spec or flow spec: a fixed, global description of a connector or of a kind of flow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The same in every organisation.
    pub id: String,
    /// The name by which specs are looked up, such as `CRMToAEP`.
    #[serde(default)]
    pub name: Option<String>,
    /// The version, such as `1.0`.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub version: Option<String>,
    /// The ways to authenticate (connection specs only).
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub auth_spec: Vec<AuthSpec>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One way in which a connector authenticates.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AuthSpec {
    /// The name to be given as `auth.specName`.
    pub name: String,
    /// A JSON schema of the parameters; those of format `password` are secret.
    #[serde(default)]
    pub spec: Value,
}

impl FlowService<'_> {
    /// Creates an object. Nothing about it has to be unique: the same call twice makes two objects.
    pub async fn create<E: FlowEntity>(&self, body: &impl Serialize) -> Result<Created> {
        let call = call(Method::Post, E::COLLECTION).body(body)?;
        self.adobe.ask(&call).await
    }

    /// Reads an object; `None` when the service says that there is none. A flow that an access label hides from us
    /// looks the same.
    pub async fn get<E: FlowEntity>(&self, id: &str) -> Result<Option<E>> {
        self.one(call(Method::Get, E::ENTITY).id(id)).await
    }

    /// Lists all objects that match every filter, an expression such as `name==X`. The caller must compare again, since the
    /// service's rules for special characters are unknown.
    pub async fn list<E: FlowEntity>(&self, filters: &[String]) -> Result<Listing<E>> {
        let call = call(Method::Get, E::COLLECTION)
            .filters(filters)
            .query("limit", PAGE);
        page::all::<List<E>>(self.adobe, call).await
    }

    /// Changes an object that still has the version `etag`, as just read; [`Class::Stale`] if it has another one.
    /// Changes of a flow go on after the answer.
    pub async fn patch<E: FlowEntity>(
        &self,
        id: &str,
        etag: &str,
        ops: &[PatchOp],
    ) -> Result<Created> {
        let call = call(Method::Patch, E::ENTITY)
            .id(id)
            .if_match(etag)
            .body(ops)?;
        let answer = self.adobe.send(&call).await?;
        Ok(written(&answer, id))
    }

    /// Deletes an object, which may be gone already. [`Class::InUse`] while others need it.
    pub async fn delete<E: FlowEntity>(&self, id: &str) -> Result<()> {
        match self
            .adobe
            .send(&call(Method::Delete, E::ENTITY).id(id))
            .await
        {
            Err(error) if *error.class() != Class::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Enables, disables or publishes an object. [`Class::Busy`] also when it is in that state already.
    pub async fn act<E: FlowEntity>(&self, id: &str, action: Action) -> Result<()> {
        let op = match action {
            Action::Enable => "enable",
            Action::Disable => "disable",
            Action::Publish => "publish",
        };
        let call = call(Method::Post, E::ACTION).id(id).query("op", op);
        self.adobe.send(&call).await.map(drop)
    }

    /// Reads a connection spec.
    pub async fn connection_spec(&self, id: &str) -> Result<Option<Spec>> {
        self.one(call(Method::Get, "/connectionSpecs/{id}").id(id))
            .await
    }

    /// Finds the connection spec of exactly that name.
    pub async fn connection_spec_by_name(&self, name: &str) -> Result<Option<Spec>> {
        self.spec_by_name("/connectionSpecs", name).await
    }

    /// Reads a flow spec.
    pub async fn flow_spec(&self, id: &str) -> Result<Option<Spec>> {
        self.one(call(Method::Get, "/flowSpecs/{id}").id(id)).await
    }

    /// Finds the flow spec of exactly that name.
    pub async fn flow_spec_by_name(&self, name: &str) -> Result<Option<Spec>> {
        self.spec_by_name("/flowSpecs", name).await
    }

    async fn spec_by_name(&self, route: &'static str, name: &str) -> Result<Option<Spec>> {
        let call = call(Method::Get, route).query("property", format!("name==\"{name}\""));
        let specs = page::all::<List<Spec>>(self.adobe, call).await?;
        Ok(specs
            .into_iter()
            .find(|spec| spec.name.as_deref() == Some(name)))
    }

    /// Reads a single object, which comes as the only item of a list, or bare.
    async fn one<T: DeserializeOwned>(&self, call: Call) -> Result<Option<T>> {
        let answer = match self.adobe.send(&call).await {
            Err(error) if *error.class() == Class::NotFound => return Ok(None),
            other => other?,
        };
        // One type for both forms could not say which field cannot be read.
        let wrapped = answer.read::<Map<String, Value>>()?.contains_key("items");
        if wrapped {
            Ok(answer.read::<Items<T>>()?.items.into_iter().next())
        } else {
            answer.read().map(Some)
        }
    }
}

fn call(method: Method, route: &'static str) -> Call {
    Call::new(Service::FlowService, method, route)
}

/// The id and version in the answer to a change, which comes bare, as the item of a list, or not at all.
fn written(answer: &Answer, id: &str) -> Created {
    let wrapped = || {
        answer
            .read::<Items<Created>>()
            .ok()?
            .items
            .into_iter()
            .next()
    };
    let bare = answer.read::<Created>().ok();
    bare.or_else(wrapped).unwrap_or_else(|| Created {
        id: id.to_owned(),
        etag: None,
    })
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

/// A page of objects.
#[derive(Deserialize)]
#[serde(bound = "E: DeserializeOwned")]
struct List<E> {
    items: Vec<Item<E>>,
    #[serde(default, rename = "_links", deserialize_with = "tolerant::or_default")]
    links: Links,
}

impl<E: entity::Identified> Page for List<E> {
    type Item = E;
    const CURSOR: &'static str = "continuationToken";

    fn next(&self, _before: usize) -> Option<String> {
        self.links.parameter(Self::CURSOR)
    }

    fn items(self, service: Service) -> Vec<std::result::Result<E, Unreadable>> {
        let items = self.items.into_iter();
        items.map(|it| it.split(service, None, |it| it)).collect()
    }

    fn id(item: &E) -> &str {
        item.id()
    }
}
