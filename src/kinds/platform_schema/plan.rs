//! From what the registry holds to the next safe step: fields, schema, identities, profile.

use serde_json::{Map, Value, json};

use super::desired::{Desired, Shape, identity_body};
use super::held::{Composition, Held, IDENTITY, Part, segment};
use crate::adobe::PatchOp;
use crate::api::Identity;
use crate::engine::{Error, Plan, Result};

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the field group for own fields.
    CreateFields,
    /// Make the schema of parts that are there.
    CreateSchema,
    /// Change class or field group.
    PatchFields(Vec<PatchOp>),
    /// Change the schema.
    PatchSchema(Vec<PatchOp>),
    /// Declare an identity.
    CreateDescriptor(Value),
    /// Let the schema take part in Real-Time Customer Profile.
    EnableProfile,
}

pub(super) fn plan(desired: &Desired, held: &Held) -> Result<Plan<Change>> {
    let Some(schema) = &held.schema else {
        let lacks_part = desired.own_fields().is_some() && held.part.is_none();
        return Ok(Plan::Change(if lacks_part {
            Change::CreateFields
        } else {
            Change::CreateSchema
        }));
    };
    let part = held.part.as_ref();
    if let Some(fixed) = fixed(desired, schema, part) {
        return Ok(Plan::Replace(fixed.into()));
    }
    // Whatever is refused is refused before the first step, not between two of them.
    let fields = fields_step(desired, schema, part)?;
    let composition = schema_step(desired, schema, part)?;
    let identity = missing_identity(desired, held, &schema.id)?;
    let profile = (desired.profile && !schema.union).then_some(Change::EnableProfile);
    let step = fields
        .or(composition)
        .or(identity.map(Change::CreateDescriptor))
        .or(profile);
    Ok(step.map_or(Plan::Keep, Plan::Change))
}

/// The field that differs and that Adobe cannot change.
fn fixed(desired: &Desired, schema: &Composition, part: Option<&Part>) -> Option<&'static str> {
    match &desired.shape {
        Shape::AdHoc { .. } if part.is_none() => Some("`spec.adHoc`"),
        Shape::Composed { class, .. } if !schema.refs.contains(class) => Some("`spec.class`"),
        _ => None,
    }
}

fn fields_step(
    desired: &Desired,
    schema: &Composition,
    part: Option<&Part>,
) -> Result<Option<Change>> {
    match (desired.own_fields(), part) {
        (None, Some(part)) if schema.refs.contains(&part.id) => Err(Error::Invalid(format!(
            "`spec.fields` was removed, but schema {} holds them: removing fields is a breaking \
             change; restore them or create a new resource under another name",
            schema.id
        ))),
        (None, _) => Ok(None),
        (Some(_), None) => Ok(Some(Change::CreateFields)),
        (Some(fields), Some(part)) => {
            let ops = part_ops(desired, fields, part)?;
            Ok((!ops.is_empty()).then_some(Change::PatchFields(ops)))
        }
    }
}

fn part_ops(desired: &Desired, fields: &Map<String, Value>, part: &Part) -> Result<Vec<PatchOp>> {
    let mut ops = Vec::new();
    text_op(&mut ops, "/title", &desired.part_title(), &part.title);
    text_op(
        &mut ops,
        "/description",
        &desired.description,
        &part.description,
    );
    match &part.pointer {
        Some(pointer) => compare_fields(
            &mut ops,
            pointer,
            desired.fields_path(),
            fields,
            &part.fields,
        )?,
        None if fields.is_empty() => {}
        None => {
            return Err(Error::Invalid(format!(
                "{} holds no fields of ours any more: delete it at Adobe, or restore its fields",
                part.id
            )));
        }
    }
    Ok(ops)
}

fn schema_step(
    desired: &Desired,
    schema: &Composition,
    part: Option<&Part>,
) -> Result<Option<Change>> {
    let own = desired.own_fields().and(part).map(|part| part.id.as_str());
    let wanted = desired.refs(own);
    // As long as the part is missing, one of the tenant's own may be it.
    let is_missing = own.is_none() && desired.own_fields().is_some();
    let may_be_own = |id: &String| {
        let mut candidates = schema.own_candidates(&desired.tenant);
        is_missing && candidates.any(|(_, candidate)| candidate == id)
    };
    let mut extras = schema.refs.iter().filter(|id| !wanted.contains(id));
    if let Some(extra) = extras.find(|id| !may_be_own(id)) {
        return Err(Error::Invalid(format!(
            "schema {} contains {extra}, which `spec.fieldGroups` lacks: removing a field group is \
             a breaking change; restore it or create a new resource under another name",
            schema.id
        )));
    }
    let mut ops = Vec::new();
    text_op(&mut ops, "/title", &desired.title, &schema.title);
    text_op(
        &mut ops,
        "/description",
        &desired.description,
        &schema.description,
    );
    for id in wanted.iter().filter(|id| !schema.refs.contains(id)) {
        ops.push(PatchOp::add("/allOf/-", json!({ "$ref": id })));
    }
    Ok((!ops.is_empty()).then_some(Change::PatchSchema(ops)))
}

fn missing_identity(desired: &Desired, held: &Held, schema: &str) -> Result<Option<Value>> {
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
            Some(it) if it.primary != identity.primary.unwrap_or_default() => {
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

fn text_op(ops: &mut Vec<PatchOp>, path: &str, wanted: &str, found: &str) {
    if wanted == found {
        return;
    }
    // `replace` would fail where Adobe left an empty text out.
    ops.push(if found.is_empty() {
        PatchOp::add(path, wanted)
    } else {
        PatchOp::replace(path, wanted)
    });
}

/// Fields may be added. Whatever else differs would break records that are there, so it is refused before Adobe does.
fn compare_fields(
    ops: &mut Vec<PatchOp>,
    pointer: &str,
    path: &str,
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
) -> Result<()> {
    if let Some(name) = found.keys().find(|name| !wanted.contains_key(*name)) {
        return Err(Error::Invalid(format!(
            "`{path}.{name}` exists at Adobe but not in the spec: removing a field is a breaking \
             change; restore it or create a new resource under another name"
        )));
    }
    for (name, wanted) in wanted {
        let pointer = format!("{pointer}/{}", segment(name));
        let path = format!("{path}.{name}");
        match found.get(name) {
            Some(found) => compare_field(ops, &pointer, &path, wanted, found)?,
            None => ops.push(PatchOp::add(pointer, wanted.clone())),
        }
    }
    Ok(())
}

fn compare_field(
    ops: &mut Vec<PatchOp>,
    pointer: &str,
    path: &str,
    wanted: &Value,
    found: &Value,
) -> Result<()> {
    let empty = Map::new();
    for (key, want) in wanted.as_object().unwrap_or(&empty) {
        let have = found.get(key).unwrap_or(&Value::Null);
        let at = format!("{pointer}/{}", segment(key));
        match (key.as_str(), want, have) {
            ("properties", Value::Object(want), Value::Object(have)) => {
                compare_fields(ops, &at, path, want, have)?;
            }
            ("items", Value::Object(_), Value::Object(_)) => {
                compare_field(ops, &at, path, want, have)?;
            }
            _ if is_within(want, have) => {}
            ("title" | "description", _, _) => ops.push(PatchOp::add(at, want.clone())),
            _ => {
                return Err(Error::Invalid(format!(
                    "`{path}` has `{key}: {have}` at Adobe and `{key}: {want}` in the spec: \
                     redefining a field is a breaking change; restore it or add another field"
                )));
            }
        }
    }
    Ok(())
}

/// Whether Adobe holds everything that the user said; what it adds does not count.
fn is_within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(key, want)| is_within(want, found.get(key).unwrap_or(&Value::Null))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(want, have)| is_within(want, have))
        }
        (Value::Number(wanted), Value::Number(found)) => {
            wanted == found || wanted.as_f64() == found.as_f64()
        }
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        _ => wanted == found,
    }
}
