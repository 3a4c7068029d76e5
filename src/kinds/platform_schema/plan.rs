//! From what the registry holds to the next safe step: fields, schema, identities, profile.

use serde_json::{Map, Value, json};

use super::desired::{Desired, Shape};
use super::evolution::compare_fields;
use super::held::{Composition, Held, Part, UNION};
use super::identities::missing_identity;
use crate::adobe::PatchOp;
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
    /// Let the schema take part in Real-Time Customer Profile; all of its tags.
    EnableProfile(Vec<String>),
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
    let profile = (desired.profile && !schema.is_in_profile()).then(|| {
        let tags = schema.tags.iter().cloned();
        Change::EnableProfile(tags.chain([UNION.to_owned()]).collect())
    });
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
        // One without a mark was never in the spec.
        (None, Some(part)) if schema.refs.contains(&part.id) && part.mark.is_some() => {
            Err(Error::Invalid(format!(
                "`spec.fields` was removed, but schema {} holds them: removing fields is a breaking \
             change; restore them or create a new resource under another name",
                schema.id
            )))
        }
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
        &desired.described(&part.description),
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
    if let Some(extra) = extra(desired, schema, &wanted, own.is_none()) {
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
        &desired.described(&schema.description),
        &schema.description,
    );
    for id in wanted.iter().filter(|id| !schema.refs.contains(id)) {
        ops.push(PatchOp::add("/allOf/-", json!({ "$ref": id })));
    }
    Ok((!ops.is_empty()).then_some(Change::PatchSchema(ops)))
}

/// A field group that the schema contains and the spec lacks, unless the spec leaves field groups to Adobe.
fn extra<'s>(
    desired: &Desired,
    schema: &'s Composition,
    wanted: &[String],
    lacks_part: bool,
) -> Option<&'s String> {
    if !desired.lists_field_groups() {
        return None;
    }
    // As long as the part is missing, one of the tenant's own may be it.
    let is_missing = lacks_part && desired.own_fields().is_some();
    let may_be_own = |id: &String| {
        let mut candidates = schema.own_candidates(&desired.tenant);
        is_missing && candidates.any(|(_, candidate)| candidate == id)
    };
    let mut extras = schema.refs.iter().filter(|id| !wanted.contains(id));
    extras.find(|id| !may_be_own(id))
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
