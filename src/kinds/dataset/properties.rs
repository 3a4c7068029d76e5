use proptest::prelude::*;
use serde_json::Value;

use crate::api::Dataset;
use crate::kinds::properties::values::{description, members, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

const CONTENT_TYPES: [&str; 3] = [
    "application/vnd.adobe.xed-full+json;version=1",
    "application/vnd.adobe.xed-full+json; version=1.0",
    "application/vnd.adobe.xed+json;version=1",
];

impl Subject for Dataset {
    const OPTIONAL: &'static [&'static str] = &[
        "/description",
        "/schemaContentType",
        "/profileEnabled",
        "/errorDiagnostics",
    ];

    fn specs(world: &World) -> BoxedStrategy<Value> {
        let schemas = [world.schema.clone(), world.profile_schema.clone()];
        members(vec![
            with("name", text()),
            perhaps("description", description()),
            with("schemaId", one_of(schemas)),
            perhaps("schemaContentType", one_of(CONTENT_TYPES)),
            perhaps("profileEnabled", any::<bool>()),
            perhaps("errorDiagnostics", any::<bool>()),
            perhaps("deletionProtection", one_of(["WhileNotEmpty", "None"])),
        ])
    }

    fn admits(world: &World, spec: &Value) -> bool {
        spec["profileEnabled"] != true || spec["schemaId"] == *world.profile_schema
    }
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<Dataset>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<Dataset>();
}

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<Dataset>();
}
