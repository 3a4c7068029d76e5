//! Identities, each of which is a descriptor.

use serde_json::{Value, json};

use super::desired::Desired;
use super::held::Held;
use crate::api::Identity;
use crate::engine::{Error, Result};

/// The type of a descriptor that declares an identity.
const IDENTITY: &str = "xdm:descriptorIdentity";

/// The descriptor to create next.
pub(super) fn missing_identity(
    desired: &Desired,
    held: &Held,
    schema: &str,
) -> Result<Option<Value>> {
    let mut missing = None;
    for identity in &desired.identities {
        let same = held.descriptors.iter().find(|it| {
            it.type_ == IDENTITY
                && it.path == identity.path
                && it.namespace.eq_ignore_ascii_case(&identity.namespace)
        });
        match same {
            None => {
                other_namespace(held, identity)?;
                missing = missing.or(Some(identity));
            }
            Some(it)
                if identity
                    .primary
                    .is_some_and(|primary| primary != it.primary) =>
            {
                return Err(Error::Invalid(format!(
                    "identity `{}` has `primary: {}` at Adobe, which cannot be changed in place: \
                     restore it in `spec.identities`, or delete descriptor {} at Adobe",
                    identity.path, it.primary, it.id
                )));
            }
            Some(_) => {}
        }
    }
    Ok(missing.map(|identity| identity_body(schema, identity)))
}

/// A field is an identity of one namespace: a second descriptor would leave the first one in force.
fn other_namespace(held: &Held, identity: &Identity) -> Result<()> {
    let mut same_path = held.descriptors.iter();
    let other = same_path.find(|it| it.type_ == IDENTITY && it.path == identity.path);
    other.map_or(Ok(()), |other| {
        Err(Error::Invalid(format!(
            "identity `{}` has the namespace `{}` at Adobe, which cannot be changed in place: restore it in \
             `spec.identities`, or delete descriptor {} at Adobe",
            identity.path, other.namespace, other.id
        )))
    })
}

/// The descriptor that makes a field an identity.
pub(super) fn identity_body(schema: &str, identity: &Identity) -> Value {
    json!({
        "@type": IDENTITY,
        "xdm:sourceSchema": schema,
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": identity.path,
        "xdm:namespace": identity.namespace,
        "xdm:property": "xdm:code",
        "xdm:isPrimary": identity.primary.unwrap_or_default(),
    })
}
