use proptest::prelude::*;
use serde_json::Value;

use crate::api::SourceConnection;
use crate::kinds::properties::values::{description, members, object, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

const PAYPAL: &str = "221c7626-58f6-4eec-8ee2-042b0226f03b";
const LANDING_ZONE: &str = "26f526f2-58f4-4712-961d-e41bf1ccc0e8";
const FORMATS: [&str; 4] = ["tabular", "delimited", "json", "parquet_xdm"];
const CONTENT_TYPES: [&str; 3] = [
    "application/vnd.adobe.xed-full+json;version=1",
    "application/vnd.adobe.xed-full-notext+json; version=1",
    "application/vnd.adobe.xed-full-notext+json;version=1.0",
];

impl Subject for SourceConnection {
    const OPTIONAL: &'static [&'static str] = &[
        "/description",
        "/baseConnectionId",
        "/data",
        "/data/schemaId",
        "/data/schemaVersion",
        "/data/properties",
        "/params",
    ];

    fn specs(world: &World) -> BoxedStrategy<Value> {
        let connector = members(vec![with("id", one_of([PAYPAL, LANDING_ZONE]))]);
        let data = members(vec![
            with("format", one_of(FORMATS)),
            perhaps(
                "schemaId",
                one_of([world.schema.clone(), world.profile_schema.clone()]),
            ),
            perhaps("schemaVersion", one_of(CONTENT_TYPES)),
            perhaps("properties", object()),
        ]);
        members(vec![
            with("name", text()),
            perhaps("description", description()),
            perhaps("baseConnectionId", one_of(world.bases.clone())),
            with("connectionSpec", connector),
            with("data", data),
            perhaps("params", object()),
        ])
    }

    /// A landing zone is Adobe's own and needs no credentials, all else does.
    fn admits(_: &World, spec: &Value) -> bool {
        let own = spec["connectionSpec"]["id"] == LANDING_ZONE;
        own == spec["baseConnectionId"].is_null()
    }
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<SourceConnection>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<SourceConnection>();
}

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<SourceConnection>();
}
