use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::api::PlatformSchema;
use crate::kinds::properties::values::{description, members, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

const PROFILE: &str = "https://ns.adobe.com/xdm/context/profile";
const IDENTITY_MAP: &str = "https://ns.adobe.com/xdm/context/identitymap";
const DETAILS: &str = "https://ns.adobe.com/xdm/context/profile-personal-details";
const WORK: &str = "https://ns.adobe.com/xdm/context/profile-work-details";
const EMAIL: &str = "/personalEmail/address";
const CUSTOMER: &str = "/_tenant/customerId";

/// Names of raw columns, some of which mean something elsewhere in a JSON Schema or in a JSON pointer.
const COLUMNS: [&str; 8] = [
    "name",
    "properties",
    "items",
    "type",
    "a/b",
    "x~1y",
    "größe",
    "_id",
];
/// Names of a field group's fields, for which Adobe allows fewer characters.
const FIELDS: [&str; 6] = ["name", "properties", "items", "type", "a-b", "x_1"];

impl Subject for PlatformSchema {
    const OPTIONAL: &'static [&'static str] = &["/description", "/fieldGroups", "/identities"];

    fn specs(_: &World) -> BoxedStrategy<Value> {
        let raw = members(vec![
            with("title", text()),
            perhaps("description", description()),
            with("adHoc", members(vec![with("fields", fields(&COLUMNS))])),
        ]);
        let composed = members(vec![
            with("title", text()),
            perhaps("description", description()),
            with("class", one_of([PROFILE])),
            perhaps(
                "fieldGroups",
                vec(one_of([IDENTITY_MAP, DETAILS, WORK]), 0..5),
            ),
            perhaps("fields", own_fields()),
            perhaps("identities", identities()),
            perhaps("profileEnabled", any::<bool>()),
        ]);
        prop_oneof![1 => raw, 3 => composed].boxed()
    }

    fn admits(_: &World, spec: &Value) -> bool {
        let raw = spec.get("adHoc").is_some();
        let none = ["fieldGroups", "fields", "identities", "profileEnabled"];
        let shaped = raw != spec.get("class").is_some();
        shaped && (!raw || none.iter().all(|key| spec.get(*key).is_none())) && is_identified(spec)
    }

    fn allows(before: &Value, after: &Value) -> bool {
        before.get("adHoc").is_some() == after.get("adHoc").is_some()
            && (before["profileEnabled"] != true || after["profileEnabled"] == true)
    }
}

/// Names of fields with what they are.
fn fields(names: &'static [&'static str]) -> BoxedStrategy<Value> {
    let fields = btree_map(select(names), field(names), 0..4);
    fields
        .prop_map(|it| {
            it.into_iter()
                .map(|(name, it)| (name.to_owned(), it))
                .collect()
        })
        .boxed()
}

/// Fields with one of which identities can be made.
fn own_fields() -> BoxedStrategy<Value> {
    let string = members(vec![with("type", one_of(["string"]))]);
    let id = members(vec![perhaps("customerId", string)]);
    let both = (fields(&FIELDS), id).prop_map(|(mut fields, id)| {
        if let Some(string) = id.get("customerId") {
            fields["customerId"] = string.clone();
        }
        fields
    });
    both.boxed()
}

fn field(known: &'static [&'static str]) -> BoxedStrategy<Value> {
    let number = members(vec![
        with("type", one_of(["integer", "number"])),
        perhaps("title", text()),
        perhaps("minimum", -1000..0_i64),
        perhaps("maximum", any::<u32>()),
        perhaps("multipleOf", 1..3_u32),
    ]);
    let string = members(vec![
        with("type", one_of(["string"])),
        perhaps("title", text()),
        perhaps("description", text()),
        perhaps("format", one_of(["date", "date-time", "email"])),
        perhaps("enum", vec(one_of(["a", "b", "c"]), 1..4)),
        perhaps(
            "meta:enum",
            members(vec![perhaps("a", text()), perhaps("d", text())]),
        ),
        perhaps("meta:xdmType", one_of(["string", "date"])),
        perhaps("meta:status", one_of(["deprecated"])),
        perhaps("minLength", 0..3_u32),
        perhaps("maxLength", 3..6_u32),
        perhaps("pattern", one_of(["^a", "^b"])),
    ]);
    let leaf = prop_oneof![number, string];
    let nested = leaf.prop_recursive(3, 8, 3, move |inner| {
        let fields = btree_map(select(known), inner.clone(), 0..3);
        let fields = fields.prop_map(|it| {
            let named = it.into_iter().map(|(name, it)| (name.to_owned(), it));
            named.collect::<Value>()
        });
        let object = members(vec![
            with("type", one_of(["object"])),
            perhaps("title", text()),
            perhaps("required", vec(select(known).prop_map(Value::from), 0..3)),
            with("properties", fields),
        ]);
        let array = members(vec![
            with("type", one_of(["array"])),
            perhaps("minItems", 0..3_u32),
            with("items", inner),
        ]);
        prop_oneof![object, array]
    });
    nested.boxed()
}

fn identities() -> BoxedStrategy<Value> {
    let identity = members(vec![
        with("path", one_of([EMAIL, CUSTOMER])),
        with("namespace", one_of(["Email", "email", "ECID"])),
        perhaps("primary", any::<bool>()),
    ]);
    vec(identity, 0..3).prop_map(Value::from).boxed()
}

/// Identities are fields that are there, each once and one of them primary at most; Profile needs to know people by
/// something.
fn is_identified(spec: &Value) -> bool {
    let includes = |id: &str| {
        let mut groups = spec["fieldGroups"].as_array().into_iter().flatten();
        groups.any(|it| it == id)
    };
    let identities = spec["identities"].as_array().cloned().unwrap_or_default();
    let primary = identities.iter().filter(|it| it["primary"] == true).count();
    let is_there = |path: &Value| match path.as_str() {
        Some(EMAIL) => includes(DETAILS),
        _ => spec["fields"].get("customerId").is_some(),
    };
    let mut paths: Vec<_> = identities.iter().map(|it| it["path"].to_string()).collect();
    paths.sort();
    paths.dedup();
    identities.iter().all(|it| is_there(&it["path"]))
        && paths.len() == identities.len()
        && primary <= 1
        && (spec["profileEnabled"] != true || primary == 1 || includes(IDENTITY_MAP))
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<PlatformSchema>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<PlatformSchema>();
}

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<PlatformSchema>();
}
