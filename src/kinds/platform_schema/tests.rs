use serde_json::{Value, json};

use super::desired::Desired;
use super::held::{Composition, Held, Part, UNION, compose, kind_of};
use super::identities::identity_body;
use super::plan::Change;
use super::registry::stated;
use crate::adobe::{PatchOp, RegistryResource, RegistryType};
use crate::api::{Kind, PlatformSchema, PlatformSchemaSpec, PlatformSchemaStatus};
use crate::engine::{Error, Held as _, ManagedKind as _, Mark, Plan, Planned as _};

const GROUP: &str = "https://ns.adobe.com/xdm/context/profile-personal-details";
const OWN: &str = "https://ns.adobe.com/acme/mixins/f1";
const CLASS: &str = "https://ns.adobe.com/xdm/context/profile";
const SCHEMA: &str = "https://ns.adobe.com/acme/schemas/ab";

fn mark() -> Mark {
    Mark::new("o", Kind::PlatformSchema, "ns", "payments")
}

fn desired(spec: Value) -> Desired {
    let spec: PlatformSchemaSpec = serde_json::from_value(spec).unwrap();
    Desired::of(&spec, mark(), "acme").unwrap()
}

fn target() -> Value {
    json!({
        "title": "Payments", "class": CLASS, "fieldGroups": [GROUP, GROUP],
        "fields": { "product": { "type": "object", "properties": { "name": { "type": "string" } } } },
        "identities": [{ "path": "/_tenant/product/name", "namespace": "Email", "primary": true }],
        "profileEnabled": true,
    })
}

fn raw() -> Value {
    json!({ "title": "Raw", "adHoc": { "fields": { "Product_Id": { "type": "string" } } } })
}

/// A schema without fields of its own.
fn bare() -> Value {
    json!({ "title": "Payments", "class": CLASS, "fieldGroups": [GROUP] })
}

/// A schema with one raw column.
fn column(definition: &Value) -> Value {
    json!({ "title": "Raw", "adHoc": { "fields": { "A": definition } } })
}

fn resource(mut body: Value, id: &str) -> RegistryResource {
    body["$id"] = json!(id);
    body["meta:altId"] = json!(crate::adobe::alt_id(id));
    serde_json::from_value(body).unwrap()
}

/// What Adobe makes of the bodies: with additions, and with all steps taken.
fn image(desired: &Desired) -> Held {
    let mut body = desired.part_body().unwrap();
    let (kind, id) = match desired.part_kind() {
        RegistryType::Class => {
            let columns = body["allOf"][1]["properties"]["_adhoc"].take();
            body["allOf"][1]["properties"] = json!({ "_c1ff": columns });
            (
                RegistryType::Class,
                "https://ns.adobe.com/acme/classes/c1ff",
            )
        }
        kind => {
            let fields = "/definitions/customFields/properties/_acme/properties/product";
            if let Some(field) = body.pointer_mut(fields) {
                field["meta:xdmType"] = json!("object");
            }
            (kind, OWN)
        }
    };
    let part = Part::of(kind, resource(body, id));
    let mut schema = Composition::of(resource(desired.schema_body(Some(id)), SCHEMA));
    schema
        .tags
        .extend(desired.profile.then(|| UNION.to_owned()));
    let descriptors = desired.identities.iter();
    let descriptors = descriptors.map(|it| stated(&identity_body(SCHEMA, it), "d".into()));
    Held {
        schema: Some(schema),
        part: Some(part),
        descriptors: descriptors.collect(),
    }
}

fn planned(spec: Value, held: &Held) -> Plan<Change> {
    PlatformSchema::plan(&desired(spec), held).unwrap()
}

fn refusal(spec: Value, held: &Held) -> String {
    match PlatformSchema::plan(&desired(spec), held) {
        Err(Error::Invalid(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_adobe_holds_as_sent_is_kept() {
    for spec in [target(), raw()] {
        let desired = desired(spec);
        assert_eq!(
            PlatformSchema::plan(&desired, &image(&desired)).unwrap(),
            Plan::Keep
        );
    }
}

#[test]
fn a_new_schema_gets_its_own_fields_first() {
    let none = Held::default();
    assert_eq!(planned(target(), &none), Plan::Change(Change::CreateFields));
    assert_eq!(planned(bare(), &none), Plan::Change(Change::CreateSchema));
}

#[test]
fn a_schema_without_own_fields_is_kept_whatever_else_bears_its_mark() {
    let mut held = Held {
        schema: Some(Composition::of(resource(
            desired(bare()).schema_body(None),
            SCHEMA,
        ))),
        ..Held::default()
    };
    assert_eq!(planned(bare(), &held), Plan::Keep);
    held.part = image(&desired(target())).part;
    assert_eq!(planned(bare(), &held), Plan::Keep);
}

#[test]
fn an_identity_namespace_in_other_case_is_kept() {
    let mut held = image(&desired(target()));
    held.descriptors[0].namespace = "EMAIL".into();
    assert_eq!(planned(target(), &held), Plan::Keep);
}

#[test]
fn a_new_title_goes_to_the_part_first_and_then_to_the_schema() {
    let mut held = image(&desired(target()));
    let mut spec = target();
    spec["title"] = json!("Other");
    let expected = Change::PatchFields(vec![PatchOp::replace("/title", "Other (fields)")]);
    assert_eq!(planned(spec.clone(), &held), Plan::Change(expected));
    held.part.as_mut().unwrap().title = "Other (fields)".into();
    let expected = Change::PatchSchema(vec![PatchOp::replace("/title", "Other")]);
    assert_eq!(planned(spec, &held), Plan::Change(expected));
}

#[test]
fn a_description_that_adobe_lacks_is_added() {
    let desired = desired(target());
    let mut held = image(&desired);
    held.schema.as_mut().unwrap().description.clear();
    let ops = vec![PatchOp::add("/description", mark().to_string())];
    let expected = Plan::Change(Change::PatchSchema(ops));
    assert_eq!(PlatformSchema::plan(&desired, &held).unwrap(), expected);
}

#[test]
fn a_new_nested_field_is_added_where_the_fields_are_stored() {
    let mut spec = target();
    spec["fields"]["product"]["properties"]["kind"] = json!({ "type": "string" });
    let path = "/definitions/customFields/properties/_acme/properties/product/properties/kind";
    let ops = vec![PatchOp::add(path, json!({ "type": "string" }))];
    let held = image(&desired(target()));
    assert_eq!(planned(spec, &held), Plan::Change(Change::PatchFields(ops)));
}

#[test]
fn a_new_column_is_added_below_the_key_that_adobe_chose() {
    let mut spec = raw();
    spec["adHoc"]["fields"]["Price"] = json!({ "type": "number" });
    let path = "/allOf/1/properties/_c1ff/properties/Price";
    let ops = vec![PatchOp::add(path, json!({ "type": "number" }))];
    assert_eq!(
        planned(spec, &image(&desired(raw()))),
        Plan::Change(Change::PatchFields(ops))
    );
}

#[test]
fn a_removed_or_retyped_field_is_refused_by_name() {
    let held = image(&desired(raw()));
    let mut spec = raw();
    spec["adHoc"]["fields"]["Product_Id"] = json!({ "type": "integer" });
    assert!(refusal(spec.clone(), &held).contains("`spec.adHoc.fields.Product_Id`"));
    spec["adHoc"]["fields"] = json!({ "Other": { "type": "string" } });
    assert!(refusal(spec, &held).contains("`spec.adHoc.fields.Product_Id`"));
}

#[test]
fn a_new_field_of_list_elements_is_added() {
    let list = |fields: Value| {
        let items = json!({ "type": "object", "properties": fields });
        column(&json!({ "type": "array", "items": items }))
    };
    let held = image(&desired(list(json!({ "a": { "type": "string" } }))));
    let spec = list(json!({ "a": { "type": "string" }, "b": { "type": "string" } }));
    let path = "/allOf/1/properties/_c1ff/properties/A/items/properties/b";
    let ops = vec![PatchOp::add(path, json!({ "type": "string" }))];
    assert_eq!(planned(spec, &held), Plan::Change(Change::PatchFields(ops)));
}

#[test]
fn title_and_description_of_a_field_may_change() {
    let held = image(&desired(column(
        &json!({ "type": "string", "title": "Old" }),
    )));
    let spec = column(&json!({ "type": "string", "title": "New", "description": "Text" }));
    let path = |key| format!("/allOf/1/properties/_c1ff/properties/A/{key}");
    let ops = vec![
        PatchOp::add(path("description"), "Text"),
        PatchOp::add(path("title"), "New"),
    ];
    assert_eq!(planned(spec, &held), Plan::Change(Change::PatchFields(ops)));
}

#[test]
fn own_fields_are_found_beside_other_ones() {
    let body = json!({ "definitions": { "customFields": { "properties": {
        "Account": { "properties": { "a": {} } }, "_acme": { "properties": { "b": {} } },
    } } } });
    let part = Part::of(RegistryType::FieldGroup, resource(body, OWN));
    let pointer = "/definitions/customFields/properties/_acme/properties";
    assert_eq!(part.pointer.as_deref(), Some(pointer));
    assert_eq!(Value::from(part.fields), json!({ "b": {} }));
}

#[test]
fn own_fields_cannot_be_given_up_on_either_side() {
    let held = image(&desired(target()));
    assert!(refusal(bare(), &held).contains("`spec.fields` was removed"));
    let mut held = image(&desired(raw()));
    let part = held.part.as_mut().unwrap();
    part.pointer = None;
    part.fields.clear();
    assert!(refusal(raw(), &held).contains("holds no fields of ours"));
    let mut spec = raw();
    spec["adHoc"]["fields"] = json!({});
    assert_eq!(planned(spec, &held), Plan::Keep);
}

#[test]
fn a_field_group_that_the_spec_lacks_is_refused_unless_it_may_be_the_part() {
    let mut held = image(&desired(target()));
    let contain = |held: &mut Held, id: &str| {
        let schema = held.schema.as_mut().unwrap();
        schema.refs.push(id.to_owned());
    };
    let other = "https://ns.adobe.com/acme/mixins/f2";
    contain(&mut held, other);
    assert!(refusal(target(), &held).contains(other));
    held.part = None;
    assert_eq!(planned(target(), &held), Plan::Change(Change::CreateFields));
    assert!(refusal(bare(), &held).contains(OWN));
    let adobes = "https://ns.adobe.com/xdm/context/profile-work-details";
    contain(&mut held, adobes);
    assert!(refusal(target(), &held).contains(adobes));
}

#[test]
fn field_groups_can_be_added_but_not_removed() {
    let held = image(&desired(target()));
    let mut spec = target();
    let other = "https://ns.adobe.com/xdm/context/profile-work-details";
    spec["fieldGroups"] = json!([GROUP, other]);
    let ops = vec![PatchOp::add("/allOf/-", json!({ "$ref": other }))];
    assert_eq!(
        planned(spec.clone(), &held),
        Plan::Change(Change::PatchSchema(ops))
    );
    spec["fieldGroups"] = json!([]);
    assert!(refusal(spec, &held).contains(GROUP));
}

#[test]
fn what_is_refused_is_refused_before_anything_else_is_changed() {
    let held = image(&desired(target()));
    let mut spec = target();
    spec["fields"]["other"] = json!({ "type": "string" });
    spec["fieldGroups"] = json!([]);
    assert!(refusal(spec.clone(), &held).contains(GROUP));
    spec["fieldGroups"] = json!([GROUP]);
    spec["identities"] = json!([
        { "path": "/_tenant/other", "namespace": "Email" },
        { "path": "/_tenant/product/name", "namespace": "Phone" },
    ]);
    assert!(refusal(spec, &held).contains("`/_acme/product/name`"));
}

#[test]
fn what_the_spec_leaves_out_is_adobes() {
    let spec = json!({ "title": "Payments", "class": CLASS });
    let mut held = image(&desired(target()));
    held.part.as_mut().unwrap().mark = None;
    let schema = held.schema.as_mut().unwrap();
    schema.description = format!("Made by hand {}", mark());
    schema
        .refs
        .push("https://ns.adobe.com/acme/mixins/f2".into());
    assert_eq!(planned(spec.clone(), &held), Plan::Keep);
    // The mark is all that is added to what somebody wrote.
    held.schema.as_mut().unwrap().description = "Made by hand".into();
    let text = format!("Made by hand {}", mark());
    let ops = vec![PatchOp::replace("/description", text)];
    assert_eq!(
        planned(spec.clone(), &held),
        Plan::Change(Change::PatchSchema(ops))
    );
    let mut described = spec;
    described["description"] = json!("");
    let ops = vec![PatchOp::replace("/description", mark().to_string())];
    assert_eq!(
        planned(described, &held),
        Plan::Change(Change::PatchSchema(ops))
    );
}

#[test]
fn an_identity_of_which_the_spec_does_not_say_whether_it_is_primary_is_kept() {
    let held = image(&desired(target()));
    let mut spec = target();
    spec["identities"] = json!([{ "path": "/_tenant/product/name", "namespace": "Email" }]);
    assert_eq!(planned(spec.clone(), &held), Plan::Keep);
    spec["identities"][0]["primary"] = json!(false);
    assert!(refusal(spec, &held).contains("`primary: true`"));
}

#[test]
fn another_class_is_a_replacement() {
    let mut spec = target();
    spec["class"] = json!("https://ns.adobe.com/xdm/context/experienceevent");
    let expected = Plan::Replace("`spec.class`".into());
    assert_eq!(planned(spec, &image(&desired(target()))), expected);
}

#[test]
fn raw_columns_whose_class_is_gone_are_a_replacement() {
    let mut held = image(&desired(raw()));
    held.part = None;
    assert_eq!(planned(raw(), &held), Plan::Replace("`spec.adHoc`".into()));
}

#[test]
fn an_identity_cannot_become_the_primary_one() {
    let mut held = image(&desired(target()));
    held.descriptors[0].primary = false;
    assert!(refusal(target(), &held).contains("`primary: false`"));
}

#[test]
fn identities_come_before_the_profile() {
    let mut held = image(&desired(target()));
    let statement = held.descriptors.pop();
    held.schema.as_mut().unwrap().tags = vec!["other".into()];
    let step = planned(target(), &held);
    let Plan::Change(Change::CreateDescriptor(body)) = step else {
        panic!("{step:?}")
    };
    let expected = json!({
        "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": SCHEMA, "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/_acme/product/name", "xdm:namespace": "Email",
        "xdm:property": "xdm:code", "xdm:isPrimary": true,
    });
    assert_eq!(body, expected);
    held.descriptors.extend(statement);
    assert_eq!(
        planned(target(), &held),
        Plan::Change(Change::EnableProfile(vec!["other".into(), UNION.into()]))
    );
}

#[test]
fn a_part_without_schema_asks_for_the_schema_and_a_schema_without_fields_for_the_fields() {
    let mut held = image(&desired(target()));
    assert!(held.is_whole());
    let schema = held.schema.take();
    assert!(!held.is_whole());
    assert_eq!(held.id(), OWN);
    assert_eq!(held.mark(), Some(&mark()));
    assert_eq!(planned(target(), &held), Plan::Change(Change::CreateSchema));
    held.schema = schema;
    held.part = None;
    assert_eq!(planned(target(), &held), Plan::Change(Change::CreateFields));
}

#[test]
fn lists_are_put_together_by_reference_and_by_mark() {
    let desired = desired(target());
    let part = image(&desired).part.unwrap();
    let schema = || resource(desired.schema_body(Some(OWN)), SCHEMA);
    let all = compose("acme", vec![schema()], vec![part.clone()], Vec::new());
    assert_eq!((all.len(), all[0].part.as_ref()), (1, Some(&part)));
    let loose = resource(desired.schema_body(None), SCHEMA);
    let all = compose("acme", vec![loose], vec![part.clone()], Vec::new());
    assert_eq!((all.len(), all[0].part.as_ref()), (1, Some(&part)));
    let unmarked = Part {
        mark: None,
        ..part.clone()
    };
    let all = compose("acme", vec![schema()], vec![unmarked], Vec::new());
    assert_eq!((all.len(), all[0].part.is_some()), (1, true));
    let all = compose("acme", Vec::new(), vec![part.clone()], Vec::new());
    assert_eq!((all.len(), all[0].schema.is_none()), (1, true));
    let replaced = Part {
        mark: Some(mark().at(2)),
        ..part
    };
    let all = compose("acme", vec![schema()], vec![replaced], Vec::new());
    assert_eq!((all.len(), all[0].part.as_ref()), (2, None));
}

#[test]
fn a_part_belongs_to_the_schema_of_its_mark_or_else_of_its_title() {
    let held = image(&desired(target()));
    let (mut schema, mut part) = (held.schema.unwrap(), held.part.unwrap());
    part.title = "Other (fields)".into();
    assert!(schema.owns(&part));
    schema.mark = None;
    assert!(!schema.owns(&part));
    part.title = "Payments (fields)".into();
    assert!(schema.owns(&part));
    schema.mark = Some(mark().at(2));
    assert!(!schema.owns(&part));
    assert_eq!(desired(raw()).part_title(), "Raw (class)");
}

#[test]
fn the_type_of_a_resource_is_in_its_id() {
    let ids = ["classes/a", "mixins/b", "fieldgroups/c", "schemas/d"];
    let types = ids.map(|id| kind_of(&format!("https://ns.adobe.com/acme/{id}")));
    let [class, mixin, group, schema] = types;
    assert_eq!(class, RegistryType::Class);
    assert_eq!(
        (mixin, group),
        (RegistryType::FieldGroup, RegistryType::FieldGroup)
    );
    assert_eq!(schema, RegistryType::Schema);
}

#[test]
fn a_schema_takes_part_in_the_profile_by_its_tag() {
    for (tags, union) in [
        (json!(["union"]), true),
        (json!(["other"]), false),
        (json!(["other", "union"]), true),
    ] {
        let body = json!({ "meta:immutableTags": tags });
        let schema = Composition::of(resource(body, SCHEMA));
        assert_eq!(schema.is_in_profile(), union);
    }
}

#[test]
fn a_schema_of_the_same_title_may_be_adopted() {
    let mut held = image(&desired(target()));
    assert!(PlatformSchema::is_namesake(&desired(target()), &held));
    held.schema.as_mut().unwrap().title = "Other".into();
    assert!(!PlatformSchema::is_namesake(&desired(target()), &held));
    assert!(!PlatformSchema::is_namesake(
        &desired(target()),
        &Held::default()
    ));
}

#[test]
fn class_schema_and_descriptors_are_created_and_all_else_is_changed() {
    let created = [
        Change::CreateFields,
        Change::CreateSchema,
        Change::CreateDescriptor(Value::Null),
    ];
    assert!(created.iter().all(PlatformSchema::creates));
    let changed = [
        Change::PatchFields(Vec::new()),
        Change::PatchSchema(Vec::new()),
        Change::EnableProfile(Vec::new()),
    ];
    assert!(!changed.iter().any(PlatformSchema::creates));
}

#[test]
fn a_field_group_that_a_mark_alone_makes_a_part_is_not_deleted_with_the_schema() {
    let resource =
        |spec: Value| PlatformSchema::new("payments", serde_json::from_value(spec).unwrap());
    let mut own = resource(target());
    let whole = image(&desired(target()));
    assert_eq!(own.owned(whole.clone()), whole, "the schema refers to it");
    // Somebody marks a field group that the spec lists.
    let mut spec = bare();
    spec["fieldGroups"] = json!([GROUP, OWN]);
    assert!(resource(spec).owned(whole.clone()).part.is_none());
    // Or one that the schema does not refer to.
    let mut attached = whole;
    attached.schema.as_mut().unwrap().refs.clear();
    assert!(own.owned(attached.clone()).part.is_none());
    let mut status = PlatformSchemaStatus::default();
    PlatformSchema::record(&desired(bare()), &attached, &mut status);
    assert_eq!(status.field_group_id, None, "nor is it recorded");
    PlatformSchema::record(&desired(target()), &attached, &mut status);
    own.status = Some(status);
    assert_eq!(
        own.owned(attached.clone()),
        attached,
        "what was recorded is ours"
    );
}
