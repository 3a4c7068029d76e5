//! What a spec leaves out stays at Adobe as people made it: when an object is taken over, when a field is taken out of the spec,
//! and when somebody changes it at Adobe.

use std::time::Duration;

use aep_simulator::Options;
use aep_test_kit::{World, condition, sample, use_default_resync_period};
use serde_json::{Value, json};

const PAYPAL: &str = "221c7626-58f6-4eec-8ee2-042b0226f03b";
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";
const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const DETAILS: &str = "https://ns.adobe.com/xdm/context/profile-person-details";
const IDENTITY_MAP: &str = "https://ns.adobe.com/xdm/context/identitymap";
const PLAIN: &str = "application/vnd.adobe.xed+json;version=1";

/// A world with an open sandbox, listed often.
async fn often_listed() -> World {
    // What people make is settled when they are done, or its first change may be one for an old version.
    let options = Options {
        transition: Duration::ZERO,
        ..Options::default()
    };
    let world = World::tuned(options, |settings| {
        settings.resync = Duration::from_millis(300);
    })
    .await;
    let mut objects = sample("payments");
    objects.retain(|it| it["kind"] == "Secret" || it["kind"] == "Sandbox");
    use_default_resync_period(&mut objects);
    for object in &objects {
        world.apply(object).await.unwrap();
    }
    world.reason("Sandbox", "default", "Succeeded").await;
    world
}

/// A schema in Profile that a person made.
async fn profile_schema(world: &World) -> String {
    let groups = [PROFILE, DETAILS, IDENTITY_MAP].map(|id| json!({ "$ref": id }));
    let body = json!({ "type": "object", "title": "UI customers", "allOf": groups });
    let path = "/schemaregistry/tenant/schemas";
    let made = world.at_adobe("POST", path, &body).await;
    let union = json!([{ "op": "add", "path": "/meta:immutableTags", "value": ["union"] }]);
    let id = made["meta:altId"].as_str().unwrap();
    world
        .at_adobe("PATCH", &format!("{path}/{id}"), &union)
        .await;
    made["$id"].as_str().unwrap().to_owned()
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A pipeline that people made at Adobe: kinds, collections, ids and the smallest manifests that take it over.
async fn made_by_hand(world: &World) -> Vec<(&'static str, String, Value)> {
    let schema = profile_schema(world).await;
    let version = |id: &str| json!({ "id": id, "version": "1.0" });
    let data_set = json!({
        "name": "UI customers", "description": "all customers",
        "schemaRef": { "id": schema, "contentType": PLAIN }, "enableErrorDiagnostics": true,
        "tags": { "unifiedProfile": ["enabled:true", "isUpsert:true"], "unifiedIdentity": ["enabled:true"] },
    });
    let data_set = world.at_adobe("POST", "/catalog/dataSets", &data_set).await;
    let data_set = data_set[0]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let params = json!({ "host": "a", "clientId": "b", "clientSecret": "c" });
    let auth = json!({ "specName": "Client-Id-Secret Based Authentication", "params": params });
    let base = json!({
        "name": "UI paypal", "description": "the shop's account",
        "connectionSpec": version(PAYPAL), "auth": auth,
    });
    let base = id(&world
        .at_adobe("POST", "/flowservice/connections", &base)
        .await);
    let source = json!({
        "name": "UI source", "description": "one table", "baseConnectionId": base,
        "connectionSpec": version(PAYPAL), "data": { "format": "tabular" },
        "params": { "tableName": "T", "columns": [{ "name": "id", "type": "string" }] },
    });
    let source = id(&world
        .at_adobe("POST", "/flowservice/sourceConnections", &source)
        .await);
    let target = json!({
        "name": "UI target", "description": "the lake", "connectionSpec": version(DATA_LAKE),
        "data": { "schema": { "id": schema, "version": PLAIN } }, "params": { "dataSetId": data_set },
    });
    let target = id(&world
        .at_adobe("POST", "/flowservice/targetConnections", &target)
        .await);
    let row = |source: &str, destination: &str| {
        json!({
            "sourceType": "EXPRESSION", "source": format!("lower({source})"), "destination": destination,
            "name": source, "description": "said by a person",
        })
    };
    let mapping = json!({
        "name": "UI mapping", "tags": [{ "name": "team", "values": ["a"] }], "allowNullValues": true,
        "outputSchema": { "schemaRef": { "id": schema, "contentType": PLAIN } },
        "mappings": [row("first", "person.name.firstName"), row("last", "person.name.lastName")],
    });
    let mapping = id(&world
        .at_adobe("POST", "/conversion/mappingSets", &mapping)
        .await);
    vec![
        (
            "dataSets",
            data_set.clone(),
            adopting("Dataset", &data_set, &schema),
        ),
        (
            "connections",
            base.clone(),
            adopting("BaseConnection", &base, &schema),
        ),
        (
            "sourceConnections",
            source.clone(),
            adopting("SourceConnection", &source, &schema),
        ),
        (
            "targetConnections",
            target.clone(),
            adopting("TargetConnection", &target, &schema),
        ),
        (
            "mappingSets",
            mapping.clone(),
            adopting("MappingSet", &mapping, &schema),
        ),
    ]
}

/// The smallest manifest that takes over the object of that kind.
fn adopting(kind: &str, id: &str, schema: &str) -> Value {
    let ui = json!({ "name": "ui" });
    let spec = match kind {
        "Dataset" => json!({ "name": "UI customers", "schemaId": schema }),
        "BaseConnection" => json!({ "name": "UI paypal", "connectionSpec": { "id": PAYPAL } }),
        "SourceConnection" => json!({
            "name": "UI source", "baseConnectionRef": ui, "data": { "format": "tabular" },
            "params": { "tableName": "T" },
        }),
        "TargetConnection" => json!({ "name": "UI target", "datasetRef": ui }),
        _ => json!({ "schemaId": schema, "mappings": [
            { "source": "lower(first)", "destination": "person.name.firstName" },
            { "source": "lower(last)", "destination": "person.name.lastName" },
        ] }),
    };
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": kind, "spec": spec,
        "metadata": { "name": "ui", "annotations": { "aep-operator.io/external-id": id } },
    })
}

/// An object without the owner mark and without what Adobe notes about every change.
fn content(mut object: Value) -> Value {
    let noted = [
        "etag",
        "version",
        "updated",
        "updatedAt",
        "updatedBy",
        "updatedUser",
        "updatedClient",
        "modifiedDate",
        "modifiedBy",
        "state",
        "inputSchema",
    ];
    for member in noted {
        object.as_object_mut().unwrap().remove(member);
    }
    if let Some(tags) = object.get_mut("tags").and_then(Value::as_object_mut) {
        tags.remove("aep_operator_owner");
    }
    for text in ["name", "description"] {
        if let Some(value) = object[text].as_str().map(ToOwned::to_owned) {
            let text_alone = value.split("[aep-operator:").next().unwrap().trim();
            object[text] = json!(text_alone);
        }
    }
    object["outputSchema"]
        .as_object_mut()
        .map(|it| it.remove("id"));
    for row in object["mappings"].as_array_mut().into_iter().flatten() {
        for member in ["id", "createdDate", "modifiedDate"] {
            row.as_object_mut().unwrap().remove(member);
        }
    }
    object
}

fn held(world: &World, collection: &str, id: &str) -> Value {
    world.simulator.object("prod", collection, id).unwrap()
}

/// Waits until everything was listed again, and what follows from that has ended.
async fn listed_again(world: &World) {
    world.simulator.clear_calls();
    let routes = [
        "/dataSets",
        "/connections",
        "/sourceConnections",
        "/targetConnections",
        "/mappingSets",
    ];
    world
        .eventually("three more lists", || async {
            let counts = routes.map(|route| world.simulator.count("GET", route));
            let done = counts.iter().all(|count| *count >= 3);
            done.then_some(()).ok_or(format!("{counts:?}"))
        })
        .await;
}

#[tokio::test]
async fn what_the_smallest_manifest_leaves_out_stays_as_people_made_it() {
    let world = often_listed().await;
    let made = made_by_hand(&world).await;
    let before: Vec<_> = made
        .iter()
        .map(|(kind, id, _)| content(held(&world, kind, id)))
        .collect();
    world.simulator.clear_calls();
    for (_, _, manifest) in &made {
        world.apply(manifest).await.unwrap();
    }
    for (_, id, manifest) in &made {
        let object = world
            .reason(manifest["kind"].as_str().unwrap(), "ui", "Succeeded")
            .await;
        assert_eq!(object["status"]["id"], **id);
    }
    assert_eq!(
        world.writes(),
        made.len(),
        "one change each, to write the mark"
    );
    for ((kind, id, _), before) in made.iter().zip(before) {
        let now = held(&world, kind, id);
        let marked = now.to_string().contains("aep-operator:")
            || now["tags"]["aep_operator_owner"].is_array();
        assert!(marked, "{kind}");
        assert_eq!(content(now), before, "{kind}");
    }
    // What people go on to change there is theirs as well.
    for (kind, id, _) in &made[..4] {
        let before = held(&world, kind, id)["description"]
            .as_str()
            .unwrap()
            .to_owned();
        let edit = json!({ "description": format!("Really {before}") });
        world.simulator.edit("prod", kind, id, &edit).unwrap();
    }
    listed_again(&world).await;
    assert_eq!(world.writes(), 0, "nothing is drift");
}

#[tokio::test]
async fn a_changed_mapping_keeps_the_name_and_description_of_its_row() {
    let world = often_listed().await;
    let made = made_by_hand(&world).await;
    let (_, id, manifest) = made.last().unwrap();
    let mut manifest = manifest.clone();
    manifest["spec"]["mappings"][0]["source"] = json!("upper(first)");
    world.apply(&manifest).await.unwrap();
    world.reason("MappingSet", "ui", "Succeeded").await;
    let now = held(&world, "mappingSets", id);
    let rows = now["mappings"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|it| it["destination"] == "person.name.firstName")
        .unwrap();
    assert_eq!(row["source"], "upper(first)");
    assert_eq!(row["sourceType"], "text/x.aep-xl");
    assert_eq!(
        (&row["name"], &row["description"]),
        (&json!("first"), &json!("said by a person"))
    );
    assert_eq!(now["tags"][0]["name"], "team");
    assert_eq!(now["allowNullValues"], true);
    let event = world.event("MappingSet", "ui", "Updated").await;
    let note = event.note.unwrap();
    assert!(
        note.contains("`spec.mappings[person.name.firstName]`"),
        "{note}"
    );
    assert!(
        note.contains("lower(first)` → `") && note.contains("upper(first)`"),
        "{note}"
    );
}

#[tokio::test]
async fn data_sets_prepared_for_upsert_or_for_the_identity_service_are_not_fought() {
    let world = often_listed().await;
    let schema = profile_schema(&world).await;
    let data_set = |name: &str, mut spec: Value| {
        spec["name"] = json!(name);
        spec["schemaId"] = json!(schema);
        json!({
            "apiVersion": "aep-operator.io/v1alpha1", "kind": "Dataset", "spec": spec,
            "metadata": { "name": name },
        })
    };
    let cases = [
        ("upsert", json!({ "profileEnabled": true })),
        ("identity", json!({})),
        ("off", json!({ "profileEnabled": false })),
    ];
    let mut ids = Vec::new();
    for (name, spec) in cases {
        world.apply(&data_set(name, spec)).await.unwrap();
        let object = world.reason("Dataset", name, "Succeeded").await;
        ids.push(id(&object["status"]));
    }
    let upsert = json!({ "tags": { "unifiedProfile": ["enabled:true", "isUpsert:true"] } });
    let identity = json!({ "tags": { "unifiedIdentity": ["enabled:true"] } });
    for (id, edit) in ids.iter().zip([&upsert, &identity, &identity]) {
        world.simulator.edit("prod", "dataSets", id, edit).unwrap();
    }
    listed_again(&world).await;
    assert_eq!(world.writes(), 0);
    // Where a tag is written, its other values stay.
    let off = json!({ "spec": { "profileEnabled": false } });
    world.patch("Dataset", "upsert", off).await;
    world.reason("Dataset", "upsert", "Succeeded").await;
    let tags = &held(&world, "dataSets", &ids[0])["tags"];
    assert_eq!(
        tags["unifiedProfile"],
        json!(["enabled:false", "isUpsert:true"])
    );
    assert_eq!(tags["unifiedIdentity"], json!(["enabled:false"]));
    let event = world.event("Dataset", "upsert", "Updated").await;
    let note = event.note.unwrap();
    assert!(
        note.contains("`spec.profileEnabled` `true` → `false`"),
        "{note}"
    );
}

#[tokio::test]
async fn a_field_that_is_taken_out_of_the_spec_stays_as_it_is_at_adobe() {
    let world = often_listed().await;
    let schema = profile_schema(&world).await;
    let resource = |kind: &str, spec: &Value| {
        json!({
            "apiVersion": "aep-operator.io/v1alpha1", "kind": kind, "spec": spec,
            "metadata": { "name": "a" },
        })
    };
    let cases = [
        (
            "Dataset",
            "dataSets",
            json!({ "name": "A", "schemaId": schema }),
            json!({ "description": "text", "profileEnabled": true, "errorDiagnostics": true }),
        ),
        (
            "BaseConnection",
            "connections",
            json!({ "name": "A", "connectionSpec": { "id": DATA_LAKE } }),
            json!({ "description": "text" }),
        ),
    ];
    for (kind, collection, smallest, more) in cases {
        let mut full = smallest.clone();
        full.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        world.apply(&resource(kind, &full)).await.unwrap();
        let object = world.reason(kind, "a", "Succeeded").await;
        let id = id(&object["status"]);
        let before = content(held(&world, collection, &id));
        listed_again(&world).await;
        world.apply(&resource(kind, &smallest)).await.unwrap();
        let object = world.reason(kind, "a", "Succeeded").await;
        assert!(object["spec"]["description"].is_null());
        listed_again(&world).await;
        assert_eq!(world.writes(), 0, "{kind}");
        assert_eq!(content(held(&world, collection, &id)), before, "{kind}");
    }
}

#[tokio::test]
async fn each_change_is_told_with_its_fields() {
    let world = often_listed().await;
    let object = json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "BaseConnection",
        "metadata": { "name": "lake" },
        "spec": { "name": "One", "connectionSpec": { "id": DATA_LAKE } },
    });
    world.apply(&object).await.unwrap();
    world.reason("BaseConnection", "lake", "Succeeded").await;
    for (old, new) in [("One", "Two"), ("Two", "Three")] {
        let patch = json!({ "spec": { "name": new } });
        world.patch("BaseConnection", "lake", patch).await;
        world.reason("BaseConnection", "lake", "Succeeded").await;
        let wanted = format!("at Adobe: `spec.name` `{old}` → `{new}`");
        world
            .eventually(&format!("an event that says {wanted}"), || async {
                let notes = world.notes("BaseConnection", "lake", "Updated").await;
                let found = notes.iter().any(|it| it.ends_with(&wanted));
                found.then_some(()).ok_or(notes.join("; "))
            })
            .await;
    }
}

/// A connection to PayPal, with some of its parameters in the spec.
fn paypal(params: &Value, secrets: &[&str]) -> Value {
    let secrets = secrets.iter().map(|name| {
        let key = json!({ "name": "paypal", "key": name });
        json!({ "name": name, "valueFrom": { "secretKeyRef": key } })
    });
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": "BaseConnection",
        "metadata": { "name": "ui" },
        "spec": {
            "name": "UI paypal", "connectionSpec": { "id": PAYPAL },
            "auth": {
                "specName": "Client-Id-Secret Based Authentication", "params": params,
                "secretParams": secrets.collect::<Vec<_>>(),
            },
        },
    })
}

#[tokio::test]
async fn parameters_that_the_spec_does_not_name_survive_a_change_of_others() {
    let world = often_listed().await;
    let secrets = ["clientId", "clientSecret"];
    world
        .apply(&paypal(&json!({ "host": "a" }), &secrets))
        .await
        .unwrap();
    let object = world.reason("BaseConnection", "ui", "Succeeded").await;
    let id = id(&object["status"]);
    let more = json!({ "auth": { "params": { "region": "eu" } } });
    world
        .simulator
        .edit("prod", "connections", &id, &more)
        .unwrap();
    let before = held(&world, "connections", &id)["auth"]["params"].clone();
    world
        .apply(&paypal(&json!({ "host": "b" }), &secrets))
        .await
        .unwrap();
    world.reason("BaseConnection", "ui", "Succeeded").await;
    let mut expected = before;
    expected["host"] = json!("b");
    assert_eq!(held(&world, "connections", &id)["auth"]["params"], expected);
    let note = world
        .event("BaseConnection", "ui", "Updated")
        .await
        .note
        .unwrap();
    assert!(
        note.ends_with("at Adobe: `spec.auth.params.host`"),
        "{note}"
    );
}

#[tokio::test]
async fn a_secret_that_the_spec_does_not_name_is_not_lost_but_asked_for() {
    let world = often_listed().await;
    let made = made_by_hand(&world).await;
    let (_, id, manifest) = &made[1];
    let mut object = paypal(&json!({ "host": "b" }), &[]);
    object["metadata"] = manifest["metadata"].clone();
    world.apply(&object).await.unwrap();
    let refused = world.reason("BaseConnection", "ui", "InvalidSpec").await;
    let message = condition(&refused, "Stalled")["message"].to_string();
    assert!(message.contains("`spec.auth.secretParams`"), "{message}");
    let params = &held(&world, "connections", id)["auth"]["params"];
    assert_eq!(
        *params,
        json!({ "host": "a", "clientId": "b", "clientSecret": "c" })
    );
}

#[tokio::test]
async fn a_refusal_tells_a_change_at_adobe_from_an_edit_of_the_spec() {
    let world = often_listed().await;
    let object = |table: &str| {
        json!({
            "apiVersion": "aep-operator.io/v1alpha1", "kind": "SourceConnection",
            "metadata": { "name": "s" },
            "spec": {
                "name": "S", "baseConnectionRef": { "name": "ui" }, "data": { "format": "tabular" },
                "params": { "tableName": table },
            },
        })
    };
    let base = paypal(&json!({ "host": "a" }), &["clientId", "clientSecret"]);
    world.apply(&base).await.unwrap();
    world.apply(&object("T")).await.unwrap();
    let ready = world.reason("SourceConnection", "s", "Succeeded").await;
    let id = id(&ready["status"]);
    let edit = json!({ "params": { "tableName": "U" } });
    world
        .simulator
        .edit("prod", "sourceConnections", &id, &edit)
        .unwrap();
    let message = |object: Value| condition(&object, "Stalled")["message"].to_string();
    let drifted = message(
        world
            .reason("SourceConnection", "s", "ReplaceRequired")
            .await,
    );
    assert!(
        drifted.contains("`spec.params`") && drifted.contains("the spec was not edited"),
        "{drifted}"
    );
    assert!(!drifted.contains("restore the old value"), "{drifted}");
    listed_again(&world).await;
    let still = message(world.get("SourceConnection", "s").await);
    assert_eq!(still, drifted);
    world.apply(&object("V")).await.unwrap();
    let edited = message(
        world
            .says("SourceConnection", "s", "restore the old value")
            .await,
    );
    assert!(!edited.contains("the spec was not edited"), "{edited}");
}
