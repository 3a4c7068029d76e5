use serde_json::{Value, json};

use super::desired::Desired;
use super::held::{Composition, Held, Part, compose};
use super::identities::identity_body;
use super::plan::{Change, plan};
use super::registry::stated;
use crate::adobe::{PatchOp, RegistryResource, RegistryType};
use crate::api::{Kind, PlatformSchemaSpec};
use crate::engine::{Error, Held as _, Mark, Plan};

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
    schema.union = desired.profile;
    let descriptors = desired.identities.iter();
    let descriptors = descriptors.map(|it| stated(&identity_body(SCHEMA, it), "d".into()));
    Held {
        schema: Some(schema),
        part: Some(part),
        descriptors: descriptors.collect(),
    }
}

fn planned(spec: Value, held: &Held) -> Plan<Change> {
    plan(&desired(spec), held).unwrap()
}

fn refusal(spec: Value, held: &Held) -> String {
    match plan(&desired(spec), held) {
        Err(Error::Invalid(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_adobe_holds_as_sent_is_kept() {
    for spec in [target(), raw()] {
        let desired = desired(spec);
        assert_eq!(plan(&desired, &image(&desired)).unwrap(), Plan::Keep);
    }
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
fn another_class_is_a_replacement() {
    let mut spec = target();
    spec["class"] = json!("https://ns.adobe.com/xdm/context/experienceevent");
    let expected = Plan::Replace("`spec.class`".into());
    assert_eq!(planned(spec, &image(&desired(target()))), expected);
}

#[test]
fn identities_come_before_the_profile() {
    let mut held = image(&desired(target()));
    let statement = held.descriptors.pop();
    held.schema.as_mut().unwrap().union = false;
    let step = planned(target(), &held);
    let Plan::Change(Change::CreateDescriptor(body)) = step else {
        panic!("{step:?}")
    };
    assert_eq!(body["xdm:sourceProperty"], "/_acme/product/name");
    held.descriptors.extend(statement);
    assert_eq!(
        planned(target(), &held),
        Plan::Change(Change::EnableProfile)
    );
}

#[test]
fn a_part_without_schema_asks_for_the_schema_and_a_schema_without_fields_for_the_fields() {
    let mut held = image(&desired(target()));
    let schema = held.schema.take();
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
    let all = compose("acme", Vec::new(), vec![part], Vec::new());
    assert_eq!((all.len(), all[0].schema.is_none()), (1, true));
}
