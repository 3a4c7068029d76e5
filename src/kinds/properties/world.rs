//! What the objects under test refer to.

use std::collections::BTreeMap;

use serde_json::json;

use crate::adobe::{
    Adobe, Auth, Connection, NewConnection, NewDataSet, NewSourceConnection, NewTargetConnection,
    PatchOp, RegistryType, SchemaRef, SourceConnection, SpecRef, TargetConnection, alt_id,
};

const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const DETAILS: &str = "https://ns.adobe.com/xdm/context/profile-person-details";
const IDENTITY_MAP: &str = "https://ns.adobe.com/xdm/context/identitymap";
const PAYPAL: &str = "221c7626-58f6-4eec-8ee2-042b0226f03b";
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

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

pub(super) async fn build(adobe: &Adobe) -> World {
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
