use proptest::prelude::*;
use serde_json::Value;

use crate::api::BaseConnection;
use crate::kinds::properties::values::{description, members, object, one_of, perhaps, text, with};
use crate::kinds::properties::{self, Subject, World};

/// `MySQL` and `PostgreSQL`, which have the same ways to authenticate.
const CONNECTORS: [&str; 2] = [
    "26d738e0-8963-47ea-aadf-c60de735468a",
    "74a1c565-4e59-48d7-9d67-7c03b8a13137",
];
const WAYS: [&str; 2] = [
    "Basic Authentication",
    "Connection String Based Authentication",
];
/// The parameters without which Adobe refuses one way or the other.
const PARAMS: [&str; 7] = [
    "server",
    "port",
    "database",
    "username",
    "password",
    "sslMode",
    "connectionString",
];

impl Subject for BaseConnection {
    const OPTIONAL: &'static [&'static str] = &[
        "/description",
        "/connectionSpec/version",
        "/auth",
        "/auth/params",
    ];

    fn specs(_: &World) -> BoxedStrategy<Value> {
        let connector = members(vec![
            with("id", one_of(CONNECTORS)),
            perhaps("version", one_of(["1.0", "1"])),
        ]);
        let auth = members(vec![
            with("specName", one_of(WAYS)),
            with("params", params()),
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

/// What both ways to authenticate need, among anything else.
fn params() -> BoxedStrategy<Value> {
    let needed = members(PARAMS.map(|name| with(name, text())).into());
    let both = (object(), needed).prop_map(|(mut params, needed)| {
        for (name, value) in needed.as_object().into_iter().flatten() {
            params[name.as_str()] = value.clone();
        }
        params
    });
    both.boxed()
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

#[test]
fn what_is_left_out_is_not_touched() {
    properties::what_is_left_out_is_not_touched::<BaseConnection>();
}
