use proptest::prelude::*;
use serde_json::Value;

use crate::api::Dataflow;
use crate::kinds::properties::values::{description, members, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

const TABLES: &str = "14518937-270c-4525-bdec-c2ba7cce3860";
const FILES: &str = "9753525b-82c7-4dce-8a9b-5ccfce2b9876";
const STREAM: &str = "d69717ba-71b4-4313-b654-49f9cf126d7a";

impl Subject for Dataflow {
    const OPTIONAL: &'static [&'static str] = &[
        "/description",
        "/deltaColumn",
        "/mappingSetId",
        "/mappingSetVersion",
        "/schedule",
        "/state",
    ];

    fn specs(world: &World) -> BoxedStrategy<Value> {
        let kind = members(vec![with("id", one_of([TABLES, FILES, STREAM]))]);
        members(vec![
            with("name", text()),
            perhaps("description", description()),
            with("flowSpec", kind),
            with("sourceConnectionId", one_of(world.sources.clone())),
            with("targetConnectionId", one_of(world.targets.clone())),
            perhaps("mappingSetId", one_of(world.mapping_sets.keys().cloned())),
            perhaps("mappingSetVersion", one_of([0, 1])),
            perhaps("deltaColumn", column()),
            perhaps("schedule", prop_oneof![1 => once(), 3 => repeated()]),
            perhaps("state", one_of(["Enabled", "Disabled"])),
            perhaps("contract", one_of(["Current", "Legacy2020"])),
        ])
    }

    fn admits(world: &World, spec: &Value) -> bool {
        is_mapped(world, spec) && is_scheduled(spec)
    }
}

fn column() -> BoxedStrategy<Value> {
    members(vec![
        with("name", text()),
        perhaps("dateFormat", text()),
        perhaps("timezone", one_of(["UTC", "CET"])),
    ])
}

/// Long ago, in a while, and in quite a while.
fn start() -> BoxedStrategy<Value> {
    one_of([
        "2020-01-01T00:00:00Z",
        "2090-01-01T00:00:00Z",
        "2090-06-01T12:30:15.5+02:00",
    ])
}

fn once() -> BoxedStrategy<Value> {
    members(vec![
        with("startTime", start()),
        with("frequency", one_of(["Once"])),
    ])
}

fn repeated() -> BoxedStrategy<Value> {
    members(vec![
        with("startTime", start()),
        with("frequency", one_of(["Minute", "Hour", "Day", "Week"])),
        with("interval", 15..100_000),
        perhaps("backfill", any::<bool>()),
    ])
}

/// Only a mapping set that is there, in a version that is there.
fn is_mapped(world: &World, spec: &Value) -> bool {
    let version = spec["mappingSetVersion"].as_i64();
    match spec["mappingSetId"].as_str() {
        Some(id) => version.unwrap_or_default() < world.mapping_sets[id],
        None => version.is_none(),
    }
}

/// Streams run all the time, all else as scheduled; tables that are read again and again need a column.
fn is_scheduled(spec: &Value) -> bool {
    let schedule = &spec["schedule"];
    let kind = &spec["flowSpec"]["id"];
    let delta = !spec["deltaColumn"].is_null();
    if *kind == STREAM || schedule.is_null() {
        return *kind == STREAM && schedule.is_null();
    }
    if schedule["frequency"] == "Once" {
        return !delta && schedule["interval"].is_null() && schedule["backfill"].is_null();
    }
    !schedule["interval"].is_null() && (delta || *kind == FILES)
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<Dataflow>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<Dataflow>();
}

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<Dataflow>();
}
