//! Schemas evolve as far as Adobe lets them, and keep what their resource does not speak of.

use aep_simulator::Options;
use aep_simulator::profile::Profile;
use aep_test_kit::{World, condition, sample};
use serde_json::{Value, json};

const EVENT: &str = "https://ns.adobe.com/xdm/context/experienceevent";
const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const KIND: &str = "PlatformSchema";

/// A world with an open sandbox and nothing else.
async fn open() -> World {
    opened(World::new().await).await
}

async fn opened(world: World) -> World {
    for object in sample("payments") {
        if object["kind"] == "Secret" || object["kind"] == "Sandbox" {
            world.apply(&object).await.unwrap();
        }
    }
    world.reason("Sandbox", "default", "Succeeded").await;
    world
}

fn schema(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "aep-operator.io/v1alpha1", "kind": KIND,
        "metadata": { "name": name }, "spec": spec,
    })
}

fn with_fields(class: &str, fields: &Value) -> Value {
    schema(
        "s",
        &json!({ "title": "Evolving", "class": class, "fields": fields }),
    )
}

/// The own fields as Adobe has them.
fn held(world: &World) -> Value {
    let group = world.simulator.objects("prod", "fieldgroups").remove(0);
    group["definitions"]["customFields"]["properties"]["_acme"]["properties"].clone()
}

/// A schema in use: a dataset has records of it, so that Adobe allows nothing but what makes it less restrictive.
async fn in_use(world: &World, class: &str, fields: &Value) {
    world.apply(&with_fields(class, fields)).await.unwrap();
    let made = world.reason(KIND, "s", "Succeeded").await;
    let body = json!({ "name": "Records", "schemaRef": { "id": made["status"]["id"] } });
    world.at_adobe("POST", "/catalog/dataSets", &body).await;
    let dataset = world.simulator.objects("prod", "dataSets").remove(0);
    let id = dataset["id"].as_str().unwrap();
    let records = json!({ "lastSuccessfulBatch": "1" });
    world
        .simulator
        .edit("prod", "dataSets", id, &records)
        .unwrap();
}

/// The schema becomes ready with these fields, by one call.
async fn arrives(world: &World, class: &str, fields: &Value) {
    world.simulator.clear_calls();
    world.apply(&with_fields(class, fields)).await.unwrap();
    world.reason(KIND, "s", "Succeeded").await;
    let counts = world.simulator.counts();
    assert_eq!(world.writes(), 1, "{counts:?}");
    assert_eq!(
        world.simulator.count("PATCH", "/tenant/fieldgroups/{id}"),
        1
    );
}

fn members(number: &Value, required: &[&str], tiers: &Value) -> Value {
    json!({ "loyalty": {
        "type": "object", "required": required,
        "properties": { "number": number, "tier": { "type": "string", "meta:enum": tiers } },
    }})
}

#[tokio::test]
async fn what_makes_a_field_less_restrictive_arrives() {
    let world = open().await;
    let state = |values: &[&str], labels: Value| json!({ "state": { "type": "string", "enum": values, "meta:enum": labels } });
    let before = state(&["new", "paid"], json!({ "new": "New", "paid": "Paid" }));
    in_use(&world, EVENT, &before).await;
    let labels = json!({ "new": "New", "paid": "Paid", "refunded": "Refunded" });
    arrives(
        &world,
        EVENT,
        &state(&["new", "paid", "refunded"], labels.clone()),
    )
    .await;
    let now = held(&world);
    assert_eq!(now["state"]["enum"], json!(["new", "paid", "refunded"]));
    assert_eq!(now["state"]["meta:enum"], labels);
}

#[tokio::test]
async fn a_bound_a_required_field_and_suggested_values_are_loosened_together() {
    let world = open().await;
    let number = |longest: u32| json!({ "type": "string", "maxLength": longest });
    let tiers = json!({ "gold": "Gold", "silver": "Silver" });
    in_use(
        &world,
        PROFILE,
        &members(&number(10), &["number", "tier"], &tiers),
    )
    .await;
    let tiers = json!({ "gold": "Gold", "silver": "Silver", "platinum": "Platinum" });
    arrives(&world, PROFILE, &members(&number(20), &["number"], &tiers)).await;
    let now = held(&world);
    assert_eq!(now["loyalty"]["required"], json!(["number"]));
    let fields = &now["loyalty"]["properties"];
    assert_eq!(fields["number"]["maxLength"], 20);
    assert_eq!(fields["tier"]["meta:enum"], tiers);
}

#[tokio::test]
async fn a_constraint_that_the_spec_no_longer_has_is_removed_at_adobe() {
    let world = open().await;
    let before = json!({
        "state": { "type": "string", "enum": ["new", "paid"], "meta:enum": { "new": "New", "paid": "Paid" } },
        "code": { "type": "string", "minLength": 2, "maxLength": 9, "pattern": "^[A-Z]+$" },
        "mail": { "type": "string", "format": "email" },
        "count": { "type": "integer", "minimum": 1, "maximum": 10 },
        "tags": { "type": "array", "minItems": 1, "items": { "type": "string", "maxLength": 5 } },
        "loyalty": {
            "type": "object", "required": ["number"], "properties": { "number": { "type": "string" } },
        },
    });
    in_use(&world, PROFILE, &before).await;
    let after = json!({
        "state": { "type": "string" }, "code": { "type": "string" }, "mail": { "type": "string" },
        "count": { "type": "integer" }, "tags": { "type": "array", "items": { "type": "string" } },
        "loyalty": { "type": "object", "properties": { "number": { "type": "string" } } },
    });
    arrives(&world, PROFILE, &after).await;
    let now = held(&world).to_string();
    for constraint in [
        "enum",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "minItems",
        "required",
    ] {
        assert!(!now.contains(constraint), "{constraint} in {now}");
    }
}

#[tokio::test]
async fn a_constraint_added_at_adobe_is_removed_again() {
    let world = open().await;
    let fields = json!({ "state": { "type": "string" } });
    world.apply(&with_fields(EVENT, &fields)).await.unwrap();
    world.reason(KIND, "s", "Succeeded").await;
    let group = world.simulator.objects("prod", "fieldgroups").remove(0);
    let id = group["meta:altId"].as_str().unwrap();
    let path = "/definitions/customFields/properties/_acme/properties/state/enum";
    let ops = json!([{ "op": "add", "path": path, "value": ["new"] }]);
    let call = format!("/schemaregistry/tenant/fieldgroups/{id}");
    world.at_adobe("PATCH", &call, &ops).await;
    let look = json!({ "metadata": { "annotations": { "aep-operator.io/requested-at": "now" } } });
    world.patch(KIND, "s", look).await;
    world
        .eventually("the constraint to be gone", || async {
            let now = held(&world)["state"].clone();
            now.get("enum")
                .is_none()
                .then_some(())
                .ok_or(now.to_string())
        })
        .await;
}

#[tokio::test]
async fn a_field_is_deprecated_in_place() {
    let world = open().await;
    let area = |more: Value| {
        let mut area = json!({ "type": "integer", "title": "Expansion area" });
        area.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "propertyName": { "type": "string" }, "expansionArea": area })
    };
    in_use(&world, PROFILE, &area(json!({}))).await;
    arrives(
        &world,
        PROFILE,
        &area(json!({ "meta:status": "deprecated" })),
    )
    .await;
    assert_eq!(held(&world)["expansionArea"]["meta:status"], "deprecated");
}

#[tokio::test]
async fn what_makes_a_field_more_restrictive_is_refused_by_name_and_nothing_is_sent() {
    let world = open().await;
    let before = json!({
        "state": { "type": "string", "enum": ["new", "paid"] },
        "tier": { "type": "string", "meta:enum": { "gold": "Gold" } },
        "loyalty": {
            "type": "object", "properties": { "number": { "type": "string", "maxLength": 10 } },
        },
    });
    world.apply(&with_fields(PROFILE, &before)).await.unwrap();
    world.reason(KIND, "s", "Succeeded").await;
    world.simulator.clear_calls();
    for (pointer, value, words) in [
        (
            "/state/enum",
            json!(["new"]),
            "`spec.fields.state` has `enum:",
        ),
        (
            "/tier/enum",
            json!(["gold"]),
            "`spec.fields.tier` has no `enum`",
        ),
        (
            "/state/pattern",
            json!("^[a-z]*$"),
            "`spec.fields.state` has no `pattern`",
        ),
        (
            "/loyalty/required",
            json!(["number"]),
            "`spec.fields.loyalty` has no `required`",
        ),
        (
            "/loyalty/properties/number/maxLength",
            json!(5),
            "`spec.fields.loyalty.number` has `maxLength: 10` at Adobe and `maxLength: 5` in the spec",
        ),
    ] {
        let mut after = before.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        after.pointer_mut(parent).unwrap()[key] = value;
        world.apply(&with_fields(PROFILE, &after)).await.unwrap();
        let refused = world.says(KIND, "s", words).await;
        assert_eq!(condition(&refused, "Stalled")["reason"], "InvalidSpec");
        let message = condition(&refused, "Stalled")["message"].to_string();
        assert!(message.contains("less restrictive only"), "{message}");
    }
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_field_group_on_another_host_is_included() {
    let options = Options {
        profile: Profile::Strict,
        ..Options::default()
    };
    let world = opened(World::with(options).await).await;
    let plan = "https://ns.adobe.com/xdm/classes/plan";
    for (name, title, class, group) in [
        (
            "braze",
            "Braze currents",
            EVENT,
            "https://ns.braze.com/currents/users-event",
        ),
        (
            "fhir",
            "Insurance plans",
            plan,
            "https://ns.fhir.org/fieldgroups/coverage",
        ),
        (
            "double",
            "Appointments",
            PROFILE,
            "https://ns.fhir.org/fieldgroups//appointment",
        ),
    ] {
        let spec = json!({ "title": title, "class": class, "fieldGroups": [group] });
        world.apply(&schema(name, &spec)).await.unwrap();
        world.reason(KIND, name, "Succeeded").await;
        let schemas = world.simulator.objects("prod", "schemas");
        let made = schemas.iter().find(|it| it["title"] == title).unwrap();
        assert_eq!(made["allOf"][1]["$ref"], group);
    }
    let elsewhere = json!({ "title": "x", "class": EVENT, "fieldGroups": ["ftp://ns.fhir.org/x"] });
    world.apply(&schema("x", &elsewhere)).await.unwrap_err();
}

/// A schema that somebody made by hand, with all that its resource will not speak of; gives its `$id`.
async fn by_hand(world: &World) -> String {
    let group = json!({
        "title": "Loyalty", "type": "object", "meta:intendedToExtend": [PROFILE],
        "definitions": { "customFields": { "properties": { "_acme": {
            "type": "object", "properties": { "tier": { "type": "string", "title": "Tier" } },
        }}}},
        "allOf": [{ "$ref": "#/definitions/customFields" }],
    });
    let create = async |kind: &str, body: &Value| {
        let path = format!("/schemaregistry/tenant/{kind}");
        world.at_adobe("POST", &path, body).await
    };
    let group = create("fieldgroups", &group).await;
    let details = "https://ns.adobe.com/xdm/context/profile-personal-details";
    let body = json!({
        "title": "Customers", "type": "object", "description": "All customers, made by hand",
        "allOf": [{ "$ref": PROFILE }, { "$ref": details }, { "$ref": group["$id"] }],
    });
    let made = create("schemas", &body).await;
    let id = made["$id"].as_str().unwrap();
    for descriptor in [
        json!({
            "@type": "xdm:descriptorIdentity", "xdm:sourceProperty": "/personalEmail/address",
            "xdm:namespace": "Email", "xdm:property": "xdm:code", "xdm:isPrimary": true,
        }),
        json!({
            "@type": "xdm:alternateDisplayInfo", "xdm:sourceProperty": "/_acme/tier",
            "xdm:title": { "en_us": "Level" },
        }),
    ] {
        let mut descriptor = descriptor;
        descriptor["xdm:sourceSchema"] = json!(id);
        descriptor["xdm:sourceVersion"] = json!(1);
        create("descriptors", &descriptor).await;
    }
    let path = format!(
        "/schemaregistry/tenant/schemas/{}",
        made["meta:altId"].as_str().unwrap()
    );
    let union = json!([{ "op": "add", "path": "/meta:immutableTags", "value": ["union"] }]);
    world.at_adobe("PATCH", &path, &union).await;
    id.to_owned()
}

/// Everything in the registry, but for what every change changes.
fn registry(world: &World) -> Value {
    let kinds = ["schemas", "fieldgroups", "descriptors"];
    let mut all: Value = kinds
        .iter()
        .map(|kind| json!(world.simulator.objects("prod", kind)))
        .collect();
    for object in all
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .flat_map(|it| it.as_array_mut().unwrap())
    {
        object
            .as_object_mut()
            .unwrap()
            .retain(|key, _| key != "meta:registryMetadata" && key != "version");
    }
    all
}

#[tokio::test]
async fn a_schema_taken_over_with_the_least_manifest_keeps_what_it_has() {
    let world = open().await;
    let id = by_hand(&world).await;
    let mut expected = registry(&world);
    let mark = format!(
        "[aep-operator:{0}/default/PlatformSchema/{0}/customers]",
        world.namespace
    );
    expected[0][0]["description"] = json!(format!("All customers, made by hand {mark}"));
    world.simulator.clear_calls();
    let mut object = schema(
        "customers",
        &json!({ "title": "Customers", "class": PROFILE }),
    );
    object["metadata"]["annotations"] = json!({ "aep-operator.io/external-id": id });
    world.apply(&object).await.unwrap();
    let taken = world.reason(KIND, "customers", "Succeeded").await;
    assert_eq!(taken["status"]["id"], id);
    assert_eq!(registry(&world), expected);
    // A field that it does speak of is changed alone.
    let title = json!({ "spec": { "title": "Our customers" } });
    world.patch(KIND, "customers", title).await;
    world.reason(KIND, "customers", "Succeeded").await;
    expected[0][0]["title"] = json!("Our customers");
    assert_eq!(registry(&world), expected);
    assert_eq!(world.writes(), 2);
}

#[tokio::test]
async fn a_description_that_the_spec_gives_up_stays_at_adobe() {
    let world = open().await;
    let spec = json!({
        "title": "Orders", "description": "All orders", "class": EVENT,
        "fields": { "tier": { "type": "string", "title": "Tier", "description": "Level" } },
    });
    world.apply(&schema("s", &spec)).await.unwrap();
    world.reason(KIND, "s", "Succeeded").await;
    let before = registry(&world);
    assert!(
        before[0][0]["description"]
            .as_str()
            .unwrap()
            .starts_with("All orders [")
    );
    world.simulator.clear_calls();
    let less =
        json!({ "title": "Orders", "class": EVENT, "fields": { "tier": { "type": "string" } } });
    world.apply(&schema("s", &less)).await.unwrap();
    world.reason(KIND, "s", "Succeeded").await;
    assert_eq!(registry(&world), before);
    assert_eq!(world.writes(), 0);
}

fn titled(name: &str, title: &str) -> Value {
    let fields = json!({ "tier": { "type": "string" } });
    schema(
        name,
        &json!({ "title": title, "class": EVENT, "fields": fields }),
    )
}

#[tokio::test]
async fn resources_that_want_each_others_titles_are_told_so_and_how_to_swap_them() {
    let world = open().await;
    world.apply(&titled("swap-a", "Web events")).await.unwrap();
    world.apply(&titled("swap-b", "App events")).await.unwrap();
    world.reason(KIND, "swap-a", "Succeeded").await;
    world.reason(KIND, "swap-b", "Succeeded").await;
    world.apply(&titled("swap-a", "App events")).await.unwrap();
    // One way, the message names the holder alone.
    let holder = format!("of {}/swap-b, which", world.namespace);
    world.says(KIND, "swap-a", &holder).await;
    world.apply(&titled("swap-b", "Web events")).await.unwrap();
    for (name, other) in [("swap-a", "swap-b"), ("swap-b", "swap-a")] {
        let holder = format!(
            "of {}/{other}, and PlatformSchema/{other} and this",
            world.namespace
        );
        world.says(KIND, name, &holder).await;
        let told = world.reason(KIND, name, "TitleTaken").await;
        let message = condition(&told, "Stalled")["message"].to_string();
        assert!(message.contains("want each other's titles"), "{message}");
    }
    // As the message says.
    world
        .apply(&titled("swap-a", "Web events (moving)"))
        .await
        .unwrap();
    world.reason(KIND, "swap-a", "Succeeded").await;
    world.reason(KIND, "swap-b", "Succeeded").await;
    world.apply(&titled("swap-a", "App events")).await.unwrap();
    world.reason(KIND, "swap-a", "Succeeded").await;
}
