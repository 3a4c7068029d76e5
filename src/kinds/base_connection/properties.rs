use proptest::prelude::*;
use serde_json::Value;

use super::{Credentials, Desired};
use crate::api::{self, BaseConnection, BaseConnectionSpec, BaseConnectionStatus};
use crate::engine::{Mark, Result};
use crate::kinds::normal::{Label, spec_ref};
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

    fn desired(
        spec: &BaseConnectionSpec,
        mark: Mark,
        _: &World,
        status: &BaseConnectionStatus,
    ) -> Result<Desired> {
        let connector = spec.connection_spec.clone();
        Ok(Desired {
            label: Label::new(mark, &spec.name, spec.description.as_deref()),
            spec: spec_ref(connector.id.unwrap_or_default(), connector.version),
            auth: spec.auth.as_ref().map(|auth| credentials(auth, status)),
        })
    }
}

/// Names of which the simulator knows that they are secret.
fn secret() -> BoxedStrategy<Value> {
    let key = members(vec![with("name", text()), with("key", text())]);
    let source = members(vec![with("secretKeyRef", key)]);
    let name = one_of(["password", "sshKey", "connectionString"]);
    members(vec![with("name", name), with("valueFrom", source)])
}

/// The key of a secret stands for its value.
fn credentials(auth: &api::Auth, status: &BaseConnectionStatus) -> Credentials {
    let mut params = auth.params.clone();
    let secrets = auth.secret_params.iter().map(|secret| {
        let value = secret.value_from.secret_key_ref.key.clone();
        params.remove(&secret.name);
        (secret.name.clone(), value.into())
    });
    let secrets: Vec<_> = secrets.collect();
    Credentials {
        spec_name: auth.spec_name.clone(),
        fingerprint: format!("{:?}", auth.secret_params),
        given: status.credentials_fingerprint.clone(),
        params,
        secrets,
    }
}

#[test]
fn nothing_written_is_drift() {
    properties::nothing_written_is_drift::<BaseConnection>();
}

#[test]
fn every_change_arrives_or_is_refused() {
    properties::every_change_arrives_or_is_refused::<BaseConnection>();
}
