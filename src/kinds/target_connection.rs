//! `TargetConnection`: which dataset is written.

mod dataset;

use serde_json::{Map, Value, json};

use self::dataset::Written;
use super::compare;
use super::flow_service::{self, FlowObjects, Head, Label, flow_object, head};
use crate::adobe::{self, NewTargetConnection, PatchOp, SpecRef};
use crate::api::{
    BaseConnection, Contract, TargetConnection, TargetConnectionSpec, TargetConnectionStatus,
};
use crate::engine::{Difference, Lookup, ManagedKind, Mark, Plan, Planned, Result, Session};

/// The connection spec of the data lake, the same everywhere.
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

/// How the dataset's schema is used unless the user says otherwise.
const SCHEMA_VERSION: &str = "application/vnd.adobe.xed-full+json;version=1";

/// Where reads show the schema.
const SCHEMA_ID: &str = "/schema/id";

/// The parameter that names the dataset.
const DATASET: &str = "dataSetId";

/// What Adobe should hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    label: Label,
    base_connection_id: Option<String>,
    spec: SpecRef,
    /// Whether the user wrote the spec: else it is the data lake's.
    names_spec: bool,
    dataset: Written,
    /// As far as the user described it.
    data: Option<Value>,
    contract: Contract,
    params: Value,
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
        .chain(compare::text(held.data.as_ref(), SCHEMA_ID))
        .chain(compare::text(held.params.as_ref(), "/dataSetId"))
        .collect()
});

impl From<adobe::TargetConnection> for Held {
    fn from(read: adobe::TargetConnection) -> Self {
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
        data: Some(desired.new_data()),
        params: Some(desired.params.clone()),
    }
}

/// What the user says about the data, if anything.
fn described(spec: &TargetConnectionSpec) -> Option<Value> {
    let given = spec.data.clone().unwrap_or_default();
    let mut body = Map::new();
    if let Some(format) = given.format {
        body.insert("format".into(), format.into());
    }
    if let Some(version) = given.schema_version {
        body.insert("schema".into(), json!({"version": version}));
    }
    (!body.is_empty()).then(|| body.into())
}

impl Desired {
    /// The data of a new target connection.
    fn new_data(&self) -> Value {
        let mut data = self.data.clone().unwrap_or_else(|| json!({}));
        data["schema"]["id"] = self.dataset.schema.as_str().into();
        if self.contract == Contract::Current && data["schema"]["version"].is_null() {
            data["schema"]["version"] = SCHEMA_VERSION.into();
        }
        data
    }

    /// Whether Adobe holds the data as the user described it, with the dataset's schema if any.
    fn is_met(&self, held: Option<&Value>) -> bool {
        let schema = compare::text(held, SCHEMA_ID);
        compare::covers_some(self.data.as_ref(), held)
            && schema.is_none_or(|it| it == self.dataset.schema)
    }
}

/// What the names in a spec stand for.
#[derive(Debug)]
pub struct Refs {
    dataset: Written,
    base_connection_id: Option<String>,
    spec: SpecRef,
}

impl Planned for TargetConnection {
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
        let written = held.params.as_ref().and_then(|params| params.get(DATASET));
        // Another dataset brings its own schema: that is one change, not three.
        if written.and_then(Value::as_str) == Some(&desired.dataset.id) {
            if !desired.is_met(held.data.as_ref()) {
                fixed.push("`spec.data` or the dataset's schema");
            }
            if !compare::covers_some(Some(&desired.params), held.params.as_ref()) {
                fixed.push("`spec.params`");
            }
        } else {
            fixed.push("`spec.datasetRef`");
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

impl ManagedKind for TargetConnection {
    type Objects = FlowObjects<adobe::TargetConnection, Self>;
    type Refs = Refs;
    type Observing = ();

    async fn dereference(&self, lookup: &Lookup<'_>, session: &Session) -> Result<Refs> {
        let spec = &self.spec;
        let dataset = Written::of(spec, lookup, session).await?;
        let base = ("spec.baseConnectionId", spec.base_connection_id.as_ref());
        let base = lookup.id::<BaseConnection>(spec.base_connection_ref.as_ref(), base)?;
        Ok(Refs {
            dataset,
            base_connection_id: base,
            spec: match &spec.connection_spec {
                Some(selector) => flow_service::connection_spec(session, selector).await?,
                None => flow_service::spec_ref(DATA_LAKE.into(), None),
            },
        })
    }

    fn desired(&self, refs: &Refs, mark: Mark, _: &str) -> Result<Desired> {
        let spec = &self.spec;
        let mut params = compare::open("spec.params", &spec.params)?;
        params.insert(DATASET.into(), refs.dataset.id.as_str().into());
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            base_connection_id: refs.base_connection_id.clone(),
            spec: refs.spec.clone(),
            names_spec: spec.connection_spec.is_some(),
            data: described(spec),
            contract: spec.contract,
            params: params.into(),
            dataset: refs.dataset.clone(),
        })
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let body = NewTargetConnection {
            name: desired.label.name.clone(),
            description: Some(desired.label.description.clone()),
            base_connection_id: desired.base_connection_id.clone(),
            data: Some(desired.new_data()),
            params: Some(desired.params.clone()),
            connection_spec: flow_service::versioned(&desired.spec),
        };
        let adobe = session.adobe();
        let service = adobe.flow_service();
        let created = service.create::<adobe::TargetConnection>(&body).await?;
        Ok(image(desired, desired.label.created(created)))
    }

    async fn update(
        session: &Session,
        desired: &Desired,
        held: &Held,
        change: Vec<PatchOp>,
    ) -> Result<Held> {
        let patched =
            flow_service::patch::<adobe::TargetConnection>(session, &held.head, &change).await?;
        Ok(Held {
            head: desired.label.changed(&held.head, patched.etag),
            ..held.clone()
        })
    }

    fn record(desired: &Desired, _: &Held, status: &mut TargetConnectionStatus) {
        status.dataset_id = Some(desired.dataset.id.clone());
        status.schema_id = Some(desired.dataset.schema.clone());
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::kinds::flow_service::tests::{created, label};

    fn spec(spec: Value) -> TargetConnectionSpec {
        serde_json::from_value(spec).unwrap()
    }

    fn desired() -> Desired {
        let spec = spec(json!({
            "name": "Payments", "datasetId": "d", "data": {"schemaVersion": SCHEMA_VERSION},
        }));
        Desired {
            label: label(Kind::TargetConnection),
            base_connection_id: Some("lake".into()),
            spec: flow_service::spec_ref(DATA_LAKE.into(), None),
            names_spec: true,
            dataset: Written {
                id: "d".into(),
                schema: "https://a/b".into(),
            },
            data: described(&spec),
            contract: Contract::Current,
            params: json!({"dataSetId": "d", "batch": 5}),
        }
    }

    fn held() -> Held {
        let desired = desired();
        image(&desired, desired.label.created(created()))
    }

    fn plan(held: &Held) -> Plan<Vec<PatchOp>> {
        TargetConnection::plan(&desired(), held).unwrap()
    }

    #[test]
    fn what_was_just_created_is_kept() {
        assert_eq!(plan(&held()), Plan::Keep);
    }

    #[test]
    fn other_spellings_and_additions_of_adobe_are_no_difference() {
        let mut held = held();
        let version = "application/vnd.adobe.xed-full+json; version=1.0";
        held.data =
            Some(json!({"format": null, "schema": {"version": version, "id": "https://a/b"}}));
        held.params = Some(json!({"batch": "5", "dataSetId": "d", "more": 1}));
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
    fn everything_else_needs_a_new_target_connection() {
        type Edit = fn(&mut Held);
        let cases: [(Edit, &str); 5] = [
            (|h| h.base_connection_id = None, "`spec.baseConnectionRef`"),
            (|h| h.spec = None, "`spec.connectionSpec`"),
            (|h| h.data = None, "`spec.data` or the dataset's schema"),
            (
                |h| h.params = Some(json!({"dataSetId": "other"})),
                "`spec.datasetRef`",
            ),
            (
                |h| h.params = Some(json!({"dataSetId": "d", "batch": 6})),
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
    fn the_contract_of_2020_sends_a_format_and_no_schema_version() {
        let spec = spec(json!({
            "name": "Payments", "datasetId": "d", "data": {"format": "parquet_xdm"},
        }));
        let desired = Desired {
            data: described(&spec),
            contract: Contract::Legacy2020,
            ..desired()
        };
        assert_eq!(
            desired.new_data(),
            json!({"format": "parquet_xdm", "schema": {"id": "https://a/b"}})
        );
    }

    #[test]
    fn a_target_connection_of_the_same_name_may_be_adopted() {
        let mut held = held();
        assert!(TargetConnection::is_namesake(&desired(), &held));
        held.head.name = "other".into();
        assert!(!TargetConnection::is_namesake(&desired(), &held));
    }

    #[test]
    fn a_base_connection_that_nobody_named_is_ignored() {
        let mut desired = desired();
        desired.base_connection_id = None;
        assert_eq!(
            TargetConnection::plan(&desired, &held()).unwrap(),
            Plan::Keep
        );
    }

    #[test]
    fn what_nobody_wrote_is_not_compared() {
        let desired = Desired {
            names_spec: false,
            data: None,
            ..desired()
        };
        let mut held = held();
        held.spec = Some(flow_service::spec_ref("other".into(), None));
        let other = json!({"format": "json", "schema": {"id": "https://a/b", "version": "application/other"}});
        for data in [None, Some(json!({"format": "json"})), Some(other)] {
            held.data = data;
            assert_eq!(TargetConnection::plan(&desired, &held).unwrap(), Plan::Keep);
        }
        held.data = Some(json!({"schema": {"id": "https://a/c"}}));
        let expected = Plan::Replace("`spec.data` or the dataset's schema".into());
        assert_eq!(TargetConnection::plan(&desired, &held).unwrap(), expected);
    }
}
