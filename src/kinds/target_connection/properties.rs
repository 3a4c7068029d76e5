use proptest::prelude::*;
use serde_json::Value;

use crate::api::TargetConnection;
use crate::kinds::properties::values::{description, members, object, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

const CONTENT_TYPES: [&str; 3] = [
    "application/vnd.adobe.xed+json;version=1",
    "application/vnd.adobe.xed-full+json;version=1",
    "application/vnd.adobe.xed-full+json; version=1.0",
];

/// The only place where targets are written to.
const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

impl Subject for TargetConnection {
    const OPTIONAL: &'static [&'static str] = &[
        "/description",
        "/baseConnectionId",
        "/data",
        "/data/format",
        "/data/schemaVersion",
        "/params",
        "/contract",
    ];

    fn specs(world: &World) -> BoxedStrategy<Value> {
        let data = members(vec![
            perhaps("format", one_of(["parquet_xdm", "json"])),
            perhaps("schemaVersion", one_of(CONTENT_TYPES)),
        ]);
        members(vec![
            with("name", text()),
            perhaps("description", description()),
            with("datasetId", one_of(world.datasets.clone())),
            perhaps(
                "connectionSpec",
                members(vec![with("id", one_of([DATA_LAKE]))]),
            ),
            perhaps("baseConnectionId", one_of(world.bases.clone())),
            perhaps("data", data),
            perhaps("params", object()),
            perhaps("contract", one_of(["Current", "Legacy2020"])),
        ])
    }
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<TargetConnection>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<TargetConnection>();
}

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<TargetConnection>();
}
