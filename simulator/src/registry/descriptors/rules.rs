//! What a descriptor must be like.

use serde_json::{Value, json};

use crate::collection::Collection;
use crate::http::Answer;
use crate::identity_service;
use crate::profile::Profile;
use crate::registry::errors::refusal;
use crate::registry::{find, find_schema, resolve, text};
use crate::world::{Context, Sandbox};

const IDENTITY: &str = "xdm:descriptorIdentity";

const TYPES: [&str; 11] = [
    IDENTITY,
    "xdm:alternateDisplayInfo",
    "xdm:descriptorOneToOne",
    "xdm:descriptorRelationship",
    "xdm:descriptorReferenceIdentity",
    "xdm:descriptorDeprecated",
    "xdm:descriptorLabel",
    "xdm:descriptorTimeSeriesGranularity",
    "xdm:descriptorPrimaryKey",
    "xdm:descriptorVersion",
    "xdm:descriptorTimestamp",
];

/// What makes two descriptors the same one.
const NATURAL_KEY: [&str; 6] = [
    "@type",
    "xdm:sourceSchema",
    "xdm:sourceProperty",
    "xdm:namespace",
    "xdm:identityNamespace",
    "xdm:destinationSchema",
];

/// Checks a descriptor and brings its namespace into canonical case.
pub(super) fn check(
    descriptor: &mut Value,
    id: &str,
    sandbox: &Sandbox,
    cx: &mut Context<'_>,
) -> Result<(), Answer> {
    problem(descriptor, id, sandbox, cx.profile).map_or(Ok(()), |detail| {
        Err(refusal(
            cx,
            "XDM-SIM-DESCRIPTOR-400",
            "Descriptor validation error",
            &detail,
        ))
    })
}

fn problem(
    descriptor: &mut Value,
    id: &str,
    sandbox: &Sandbox,
    profile: Profile,
) -> Option<String> {
    let kind = text(descriptor, "@type").to_owned();
    if !TYPES.contains(&kind.as_str()) {
        return Some(format!("{kind:?} is no @type of a descriptor"));
    }
    if let Some(detail) = source_problem(descriptor, &kind, sandbox) {
        return Some(detail);
    }
    for key in ["xdm:namespace", "xdm:identityNamespace"] {
        if let Some(given) = descriptor.get(key).cloned() {
            let given = crate::registry::filter::plain(&given);
            let Some(code) = identity_service::canonical(sandbox, &given, profile) else {
                return Some(format!("The identity namespace {given} does not exist"));
            };
            if text(descriptor, "xdm:property") != "xdm:id" {
                descriptor[key] = json!(code);
            }
        }
    }
    if kind == IDENTITY && text(descriptor, "xdm:namespace").is_empty() {
        return Some("An identity descriptor needs xdm:namespace".to_owned());
    }
    let destination = text(descriptor, "xdm:destinationSchema");
    if !destination.is_empty() && find_schema(sandbox, destination).is_none() {
        return Some(format!(
            "The destination schema {destination} does not exist"
        ));
    }
    rival_problem(descriptor, id, sandbox)
}

/// The described resource must be the tenant's own and have the field.
fn source_problem(descriptor: &Value, kind: &str, sandbox: &Sandbox) -> Option<String> {
    let source = text(descriptor, "xdm:sourceSchema");
    let Some(resource) = find(sandbox, source) else {
        return Some(format!("The source schema {source:?} does not exist"));
    };
    if text(resource, "meta:containerId") != "tenant" {
        return Some(format!(
            "{source} is a global resource; descriptors belong to a tenant's own"
        ));
    }
    if kind == IDENTITY && find_schema(sandbox, source).is_none() {
        return Some(format!("{source} is no schema"));
    }
    if kind == "xdm:descriptorTimeSeriesGranularity" {
        return None;
    }
    let given = descriptor
        .get("xdm:sourceProperty")
        .cloned()
        .unwrap_or_default();
    let paths: Vec<_> = match &given {
        Value::Array(paths) => paths.iter().filter_map(Value::as_str).collect(),
        Value::String(path) => vec![path.as_str()],
        _ => return Some("A descriptor needs xdm:sourceProperty".to_owned()),
    };
    let fields = resolve::properties(sandbox, resource);
    paths
        .into_iter()
        .find_map(|path| match resolve::field_of_path(&fields, path) {
            None => Some(format!("The schema has no field {path}")),
            Some(field) if kind == IDENTITY && !matches!(text(field, "type"), "string" | "") => {
                Some(format!(
                    "The field {path} is no string and cannot be an identity"
                ))
            }
            Some(_) => None,
        })
}

/// No second descriptor of the same meaning, and one primary identity per schema.
fn rival_problem(descriptor: &Value, id: &str, sandbox: &Sandbox) -> Option<String> {
    let primary = |d: &Value| text(d, "@type") == IDENTITY && d["xdm:isPrimary"] == json!(true);
    let others = sandbox
        .registry
        .get("descriptors")
        .into_iter()
        .flat_map(Collection::iter);
    others
        .filter(|(other, _)| *other != id)
        .find_map(|(other, known)| {
            if NATURAL_KEY
                .iter()
                .all(|key| known.get(*key) == descriptor.get(*key))
            {
                return Some(format!("The descriptor {other} already says the same"));
            }
            let same_schema =
                text(known, "xdm:sourceSchema") == text(descriptor, "xdm:sourceSchema");
            (same_schema && primary(known) && primary(descriptor))
                .then(|| format!("The schema already has a primary identity, {other}"))
        })
}
