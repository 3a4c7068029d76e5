use proptest::prelude::*;
use serde_json::Value;

use crate::api::BaseConnection;
use crate::kinds::properties::values::{description, members, object, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

/// Connectors for which any way to authenticate will do.
const CONNECTORS: [&str; 2] = [
    "26d738e0-8963-47ea-aadf-c60de735468a",
    "102706fb-a5cd-42ee-afe0-bc42f017ff43",
];

impl Subject for BaseConnection {
    fn specs(_: &World) -> BoxedStrategy<Value> {
        let connector = members(vec![
            with("id", one_of(CONNECTORS)),
            perhaps("version", one_of(["1.0", "1"])),
        ]);
        let auth = members(vec![
            with(
                "specName",
                one_of(["Basic Authentication", "ConnectionString"]),
            ),
            perhaps("params", object()),
            perhaps("secretParams", proptest::collection::vec(secret(), 0..3)),
        ]);
        members(vec![
            with("name", text()),
            perhaps("description", description()),
            with("connectionSpec", connector),
            with("auth", auth),
        ])
    }
}

/// Names of which the simulator knows that they are secret.
fn secret() -> BoxedStrategy<Value> {
    let key = members(vec![with("name", text()), with("key", text())]);
    let source = members(vec![with("secretKeyRef", key)]);
    let name = one_of(["password", "sshKey", "connectionString"]);
    members(vec![with("name", name), with("valueFrom", source)])
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<BaseConnection>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<BaseConnection>();
}
