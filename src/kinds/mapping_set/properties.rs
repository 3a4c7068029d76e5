use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::api::MappingSet;
use crate::kinds::properties::values::{members, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

/// Fields that the schema has.
const FIELDS: [&str; 5] = [
    "_id",
    "person.name.firstName",
    "person.name.lastName",
    "person.birthDate",
    "person.birthYear",
];
const EXPRESSIONS: [&str; 3] = [
    "lower(a)",
    "concat(first, \" \", last)",
    "iif(a.equals('b'), null, c)",
];

impl Subject for MappingSet {
    const OPTIONAL: &'static [&'static str] = &[
        "/validation",
        "/contract",
        "/mappings/0/sourceType",
        "/mappings/1/sourceType",
    ];

    fn specs(world: &World) -> BoxedStrategy<Value> {
        let fields = btree_map(select(&FIELDS[..]), source(), 1..4).prop_map(mappings);
        let anything = btree_map(text(), source(), 1..4).prop_map(mappings);
        let schemas = [world.schema.clone(), world.profile_schema.clone()];
        members(vec![
            with("schemaId", one_of(schemas)),
            with("mappings", prop_oneof![fields, anything]),
            perhaps("validation", one_of(["Strict", "Skip"])),
            perhaps("contract", one_of(["Current", "Legacy2020"])),
        ])
    }

    fn admits(world: &World, spec: &Value) -> bool {
        let rows = || spec["mappings"].as_array().into_iter().flatten();
        let field = |row: &Value| {
            row["destination"]
                .as_str()
                .is_some_and(|it| FIELDS.contains(&it))
        };
        let known = spec["schemaId"] == *world.schema && rows().all(field);
        let plain = |row: &Value| matches!(row["sourceType"].as_str(), None | Some("Attribute"));
        (known || spec["validation"] == "Skip")
            && (spec["contract"] != "Legacy2020" || rows().all(plain))
    }
}

/// What a field is filled from.
fn source() -> BoxedStrategy<Value> {
    let plain = members(vec![
        with("source", text()),
        perhaps("sourceType", one_of(["Attribute", "Static"])),
    ]);
    let calculated = members(vec![
        with("source", one_of(EXPRESSIONS)),
        with("sourceType", one_of(["Expression"])),
    ]);
    prop_oneof![3 => plain, 1 => calculated].boxed()
}

fn mappings<D: Into<Value>>(rows: BTreeMap<D, Value>) -> Value {
    let rows = rows.into_iter().map(|(destination, mut row)| {
        row["destination"] = destination.into();
        row
    });
    json!(rows.rev().collect::<Vec<_>>())
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<MappingSet>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<MappingSet>();
}

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<MappingSet>();
}
