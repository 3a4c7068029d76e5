//! `SourceConnection`: what is read.

mod connector;

use serde_json::{Map, Value, json};

use self::connector::connection_spec;
use super::compare;
use super::flow_service::{self, FlowObjects, Head, Label, flow_object, head};
use crate::adobe::{self, NewSourceConnection, PatchOp, SpecRef};
use crate::api::{
    BaseConnection, PlatformSchema, SourceConnection, SourceConnectionStatus, SourceData,
};
use crate::engine::{Difference, Lookup, ManagedKind, Mark, Plan, Planned, Result, Session};

/// How ad-hoc schemas are read unless the user says otherwise.
const SCHEMA_VERSION: &str = "application/vnd.adobe.xed-full-notext+json; version=1";

/// What Adobe should hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    label: Label,
    base_connection_id: Option<String>,
    spec: SpecRef,
    /// Whether the user wrote the spec: else it is that of the base connection.
    names_spec: bool,
    /// As far as the user described it.
    data: Option<Value>,
    params: Option<Value>,
}

/// What Adobe holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    head: Head,
    base_connection_id: Option<String>,
    spec: Option<SpecRef>,
    data: Option<Value>,
    params: Option<Value>,
}

flow_object!(Desired, Held, (), |held| {
    let base = held.base_connection_id.as_deref();
    base.into_iter()
        .chain(compare::text(held.data.as_ref(), "/schema/id"))
        .collect()
});

impl From<adobe::SourceConnection> for Held {
    fn from(read: adobe::SourceConnection) -> Self {
        Self {
            base_connection_id: read.base_connection_id,
            spec: read.connection_spec,
            data: read.data,
            params: read.params,
            head: head!(read),
        }
    }
}

fn image(desired: &Desired, head: Head) -> Held {
    Held {
        head,
        base_connection_id: desired.base_connection_id.clone(),
        spec: Some(desired.spec.clone()),
        data: desired.new_data(),
        params: desired.params.clone(),
    }
}

fn described(data: &SourceData, schema: Option<String>) -> Result<Value> {
    let mut body = Map::new();
    body.insert("format".into(), data.format.as_str().into());
    if let Some(id) = schema {
        let mut schema = json!({"id": id});
        if let Some(version) = &data.schema_version {
            schema["version"] = version.as_str().into();
        }
        body.insert("schema".into(), schema);
    }
    if let Some(properties) = &data.properties {
        let properties = compare::open("spec.data.properties", properties)?;
        body.insert("properties".into(), properties.into());
    }
    Ok(body.into())
}

/// What the names in a spec stand for.
#[derive(Debug)]
pub struct Refs {
    base_connection_id: Option<String>,
    schema_id: Option<String>,
    spec: SpecRef,
}

impl Desired {
    /// The data of a new source connection.
    fn new_data(&self) -> Option<Value> {
        let mut data = self.data.clone();
        if let Some(schema) = data
            .as_mut()
            .and_then(|it| it.get_mut("schema")?.as_object_mut())
        {
            let version = schema.entry("version");
            version.or_insert_with(|| SCHEMA_VERSION.into());
        }
        data
    }
}

impl Planned for SourceConnection {
    type Desired = Desired;
    type Held = Held;
    type Change = Vec<PatchOp>;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Vec<PatchOp>>> {
        let mut fixed = Vec::new();
        let base = desired.base_connection_id.as_ref();
        if base.is_some_and(|base| held.base_connection_id.as_ref() != Some(base)) {
            fixed.push("`spec.baseConnectionRef`");
        }
        let same_spec = flow_service::same_spec(&desired.spec, held.spec.as_ref());
        if desired.names_spec && !same_spec {
            fixed.push("`spec.connectionSpec`");
        }
        if !compare::covers_some(desired.data.as_ref(), held.data.as_ref()) {
            fixed.push("`spec.data`");
        }
        if !compare::covers_some(desired.params.as_ref(), held.params.as_ref()) {
            fixed.push("`spec.params`");
        }
        let ops = desired.label.ops(&held.head);
        Ok(compare::change_or_replace(&fixed, ops))
    }

    fn differences(desired: &Desired, held: &Held, _: &Vec<PatchOp>) -> Vec<Difference> {
        desired.label.differences(&held.head)
    }

    fn is_namesake(desired: &Desired, held: &Held) -> bool {
        desired.label.name == held.head.name
    }
}

impl ManagedKind for SourceConnection {
    type Objects = FlowObjects<adobe::SourceConnection, Self>;
    type Refs = Refs;
    type Observing = ();

    async fn dereference(&self, lookup: &Lookup<'_>, session: &Session) -> Result<Refs> {
        let spec = &self.spec;
        let base = ("spec.baseConnectionId", spec.base_connection_id.as_ref());
        let base = lookup.id::<BaseConnection>(spec.base_connection_ref.as_ref(), base)?;
        let data = spec.data.as_ref();
        let schema = data.and_then(|data| data.schema_id.as_ref());
        let schema = lookup.id::<PlatformSchema>(
            data.and_then(|data| data.schema_ref.as_ref()),
            ("spec.data.schemaId", schema),
        )?;
        Ok(Refs {
            base_connection_id: base,
            schema_id: schema,
            spec: connection_spec(spec, lookup, session).await?,
        })
    }

    fn desired(&self, refs: &Refs, mark: Mark, _: &str) -> Result<Desired> {
        let spec = &self.spec;
        let params = compare::open("spec.params", &spec.params)?;
        let data = spec.data.as_ref();
        let data = data.map(|data| described(data, refs.schema_id.clone()));
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            base_connection_id: refs.base_connection_id.clone(),
            data: data.transpose()?,
            names_spec: spec.connection_spec.is_some(),
            params: (!params.is_empty()).then(|| params.into()),
            spec: refs.spec.clone(),
        })
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let body = NewSourceConnection {
            name: desired.label.name.clone(),
            description: Some(desired.label.description.clone()),
            base_connection_id: desired.base_connection_id.clone(),
            data: desired.new_data(),
            params: desired.params.clone(),
            connection_spec: flow_service::versioned(&desired.spec),
        };
        let adobe = session.adobe();
        let service = adobe.flow_service();
        let created = service.create::<adobe::SourceConnection>(&body).await?;
        Ok(image(desired, desired.label.created(created)))
    }

    async fn update(
        session: &Session,
        desired: &Desired,
        held: &Held,
        change: Vec<PatchOp>,
    ) -> Result<Held> {
        let patched =
            flow_service::patch::<adobe::SourceConnection>(session, &held.head, &change).await?;
        Ok(Held {
            head: desired.label.changed(&held.head, patched.etag),
            ..held.clone()
        })
    }

    fn record(desired: &Desired, held: &Held, status: &mut SourceConnectionStatus) {
        let spec = held.spec.as_ref().unwrap_or(&desired.spec);
        status.connection_spec_id = Some(spec.id.clone());
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::kinds::flow_service::tests::{created, label};

    fn desired() -> Desired {
        Desired {
            label: label(Kind::SourceConnection),
            base_connection_id: Some("base".into()),
            spec: flow_service::spec_ref("paypal-id".into(), None),
            data: Some(json!({
                "format": "parquet_xdm", "schema": {"id": "https://a/b", "version": SCHEMA_VERSION},
            })),
            names_spec: true,
            params: Some(json!({"path": "PayPal.Catalog_Products", "depth": 1})),
        }
    }

    fn held() -> Held {
        let desired = desired();
        image(&desired, desired.label.created(created()))
    }

    fn plan(held: &Held) -> Plan<Vec<PatchOp>> {
        SourceConnection::plan(&desired(), held).unwrap()
    }

    #[test]
    fn what_was_just_created_is_kept() {
        assert_eq!(plan(&held()), Plan::Keep);
    }

    #[test]
    fn other_spellings_and_additions_of_adobe_are_no_difference() {
        let mut held = held();
        let version = "application/vnd.adobe.xed-full-notext+json;version=1.0";
        held.data = Some(json!({
            "schema": {"version": version, "id": "https://a/b"}, "format": "parquet_xdm", "properties": null,
        }));
        held.params =
            Some(json!({"depth": "1", "path": "PayPal.Catalog_Products", "cdcEnabled": false}));
        assert_eq!(plan(&held), Plan::Keep);
    }

    #[test]
    fn a_new_name_is_patched() {
        let mut held = held();
        held.head.name = "old".into();
        let expected = vec![PatchOp::replace("/name", "Payments")];
        assert_eq!(plan(&held), Plan::Change(expected));
    }

    #[test]
    fn everything_else_needs_a_new_source_connection() {
        type Edit = fn(&mut Held);
        let cases: [(Edit, &str); 4] = [
            (|h| h.base_connection_id = None, "`spec.baseConnectionRef`"),
            (|h| h.spec = None, "`spec.connectionSpec`"),
            (|h| h.data = None, "`spec.data`"),
            (
                |h| h.params = Some(json!({"path": "other", "depth": 1})),
                "`spec.params`",
            ),
        ];
        for (edit, field) in cases {
            let mut held = held();
            edit(&mut held);
            assert_eq!(plan(&held), Plan::Replace(field.into()));
        }
    }

    #[test]
    fn a_source_connection_of_the_same_name_may_be_adopted() {
        let mut held = held();
        assert!(SourceConnection::is_namesake(&desired(), &held));
        held.head.name = "other".into();
        assert!(!SourceConnection::is_namesake(&desired(), &held));
    }

    #[test]
    fn a_base_connection_that_nobody_named_is_ignored() {
        let mut desired = desired();
        desired.base_connection_id = None;
        assert_eq!(
            SourceConnection::plan(&desired, &held()).unwrap(),
            Plan::Keep
        );
    }

    #[test]
    fn what_nobody_wrote_is_not_compared() {
        let mut desired = desired();
        desired.names_spec = false;
        desired.data = Some(json!({"format": "parquet_xdm", "schema": {"id": "https://a/b"}}));
        let new = desired.new_data().unwrap();
        assert_eq!(new["schema"]["version"], SCHEMA_VERSION);
        let mut held = held();
        held.spec = Some(flow_service::spec_ref("other".into(), None));
        held.data = Some(json!({
            "format": "parquet_xdm", "schema": {"id": "https://a/b", "version": "application/other"},
        }));
        assert_eq!(SourceConnection::plan(&desired, &held).unwrap(), Plan::Keep);
        desired.data = None;
        desired.params = None;
        held.data = Some(json!({"format": "json"}));
        assert_eq!(SourceConnection::plan(&desired, &held).unwrap(), Plan::Keep);
    }
}
