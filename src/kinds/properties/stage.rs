//! A simulator, and in it what the objects on trial refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aep_simulator::{Options, Simulator};
use serde_json::json;

use crate::adobe::{
    Adobe, Auth, Connection, Credentials, Endpoints, Limits, NewConnection, NewDataSet,
    NewSourceConnection, NewTargetConnection, PatchOp, RegistryType, SchemaRef, Settings,
    SourceConnection, SpecRef, TargetConnection, alt_id,
};
use crate::api::{self, Kind, with_kinds};
use crate::engine::{Mark, Reconcile, Session};

macro_rules! collections {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        [$(<api::$kind as Reconcile>::COLLECTION.map(|new| new(Duration::ZERO))),+]
    };
}

/// How long Adobe is at work on an object.
pub(super) const TRANSITION: Duration = Duration::from_millis(2);

const SANDBOX: &str = "dev";
/// The tenant of the simulator's first organisation.
const TENANT: &str = "acme";
const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const DETAILS: &str = "https://ns.adobe.com/xdm/context/profile-person-details";
const IDENTITY_MAP: &str = "https://ns.adobe.com/xdm/context/identitymap";
const PAYPAL: &str = "221c7626-58f6-4eec-8ee2-042b0226f03b";
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

/// All kinds of objects, as the simulator calls them.
const KINDS: [&str; 10] = [
    "connections",
    "sourceConnections",
    "targetConnections",
    "flows",
    "schemas",
    "classes",
    "fieldgroups",
    "descriptors",
    "dataSets",
    "mappingSets",
];

/// Ids of what objects may refer to.
#[derive(Clone, Debug, Default)]
pub(in crate::kinds) struct World {
    /// One that takes part in Profile.
    pub profile_schema: String,
    /// Another one, which all data sets, targets and mapping sets use.
    pub schema: String,
    pub datasets: Vec<String>,
    /// Of PayPal.
    pub bases: Vec<String>,
    pub sources: Vec<String>,
    pub targets: Vec<String>,
    /// Each with the number of its versions.
    pub mapping_sets: BTreeMap<String, i64>,
}

/// A sandbox that is open.
pub(super) struct Stage {
    simulator: Simulator,
    /// What was there before the first case.
    built: BTreeSet<(&'static str, String)>,
    pub session: Session,
    pub world: World,
    marks: AtomicUsize,
}

impl Stage {
    pub async fn open() -> Self {
        let options = Options {
            transition: TRANSITION,
            keep_calls: 0,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let adobe = Adobe::new(Adobe::http_client(), settings(simulator.url()));
        let world = build(&adobe).await;
        Self {
            world,
            built: objects(&simulator),
            session: Session::new(
                adobe,
                "team/default".into(),
                TENANT.into(),
                Duration::MAX,
                with_kinds!(collections).into_iter().flatten(),
            ),
            simulator,
            marks: AtomicUsize::default(),
        }
    }

    /// The mark of a custom resource that was not there before.
    pub fn next_mark(&self, kind: Kind) -> Mark {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        Mark::new(
            "team/default",
            kind,
            "team-a",
            &format!("payments.{number}"),
        )
    }

    /// Takes away what earlier cases made: titles are unique, and all schemas of Profile must fit each other.
    pub fn clear(&self) {
        let made = objects(&self.simulator);
        for (kind, id) in made.difference(&self.built) {
            assert!(self.simulator.delete(SANDBOX, kind, id).unwrap());
        }
    }
}

/// Everything in the sandbox, by kind and id.
fn objects(simulator: &Simulator) -> BTreeSet<(&'static str, String)> {
    let of_kind = |kind| {
        let objects = simulator.objects(SANDBOX, kind).into_iter();
        objects.map(move |object| {
            let mut ids = ["meta:altId", "@id", "id"].iter();
            let id = ids.find_map(|name| object[name].as_str());
            (kind, id.unwrap_or_default().to_owned())
        })
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}

fn settings(url: &str) -> Settings {
    Settings {
        endpoints: Endpoints {
            ims: url.into(),
            platform: url.into(),
        },
        ims_org_id: "0123456789ABCDEF@AdobeOrg".into(),
        sandbox_name: SANDBOX.into(),
        credentials: Credentials::OAuth {
            client_id: "aep-operator-demo".into(),
            client_secret: "demo-secret".into(),
            scopes: vec!["openid".into()],
        },
        limits: Limits {
            requests_per_second: 100_000,
            burst: 100_000,
            max_concurrent_requests: 8,
        },
        timeout: Duration::from_secs(20),
    }
}

async fn build(adobe: &Adobe) -> World {
    let mut world = World {
        profile_schema: schema(adobe, "Profile", IDENTITY_MAP).await,
        schema: schema(adobe, "Payments", DETAILS).await,
        ..World::default()
    };
    let registry = adobe.schema_registry();
    let union = [PatchOp::add("/meta:immutableTags", json!(["union"]))];
    let id = alt_id(&world.profile_schema).unwrap();
    let patched = registry.patch(RegistryType::Schema, &id, &union).await;
    patched.unwrap();
    for versions in 1..=2 {
        world.datasets.push(dataset(adobe, &world.schema).await);
        world.bases.push(base(adobe).await);
        world.sources.push(source(adobe, &world.bases[0]).await);
        let set = mapping_set(adobe, &world.schema, versions).await;
        world.mapping_sets.insert(set, versions);
    }
    for id in &world.datasets {
        world.targets.push(target(adobe, id).await);
    }
    world
}

async fn schema(adobe: &Adobe, title: &str, group: &str) -> String {
    let body = json!({
        "type": "object", "title": title, "allOf": [{ "$ref": PROFILE }, { "$ref": group }],
    });
    let registry = adobe.schema_registry();
    let made = registry.create(RegistryType::Schema, &body).await;
    made.unwrap().id
}

async fn dataset(adobe: &Adobe, schema: &str) -> String {
    let body = NewDataSet {
        name: "Payments".into(),
        description: None,
        schema_ref: SchemaRef {
            id: schema.into(),
            content_type: "application/vnd.adobe.xed-full+json;version=1".into(),
        },
        tags: BTreeMap::new(),
        enable_error_diagnostics: None,
    };
    adobe.catalog().create(&body).await.unwrap()
}

async fn base(adobe: &Adobe) -> String {
    let params = json!({"host": "api.paypal.com", "clientId": "a", "clientSecret": "b"});
    let body = NewConnection {
        name: "PayPal".into(),
        description: None,
        auth: Some(Auth {
            spec_name: "Client-Id-Secret Based Authentication".into(),
            params: params.as_object().cloned().unwrap_or_default(),
        }),
        connection_spec: spec(PAYPAL),
    };
    let made = adobe.flow_service().create::<Connection>(&body).await;
    made.unwrap().id
}

async fn source(adobe: &Adobe, base: &str) -> String {
    let body = NewSourceConnection {
        name: "PayPal".into(),
        description: None,
        base_connection_id: Some(base.into()),
        data: Some(json!({"format": "tabular"})),
        params: Some(json!({"tableName": "Orders"})),
        connection_spec: spec(PAYPAL),
    };
    let made = adobe.flow_service().create::<SourceConnection>(&body).await;
    made.unwrap().id
}

async fn target(adobe: &Adobe, dataset: &str) -> String {
    let body = NewTargetConnection {
        name: "Payments".into(),
        description: None,
        base_connection_id: None,
        data: Some(json!({})),
        params: Some(json!({"dataSetId": dataset})),
        connection_spec: spec(DATA_LAKE),
    };
    let made = adobe.flow_service().create::<TargetConnection>(&body).await;
    made.unwrap().id
}

async fn mapping_set(adobe: &Adobe, schema: &str, versions: i64) -> String {
    let rows = json!([{"sourceType": "ATTRIBUTE", "source": "a", "destination": "_id"}]);
    let body = json!({"outputSchema": {"schemaRef": {"id": schema}}, "mappings": rows});
    let service = adobe.data_prep();
    let made = service.create(&body).await.unwrap();
    for _ in 1..versions {
        service.replace(&made.id, &body).await.unwrap();
    }
    made.id
}

fn spec(id: &str) -> SpecRef {
    SpecRef {
        id: id.into(),
        version: Some("1.0".into()),
    }
}
