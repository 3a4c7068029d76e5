//! `PlatformSchema`: a schema, the class or field group that holds its own fields, and its identities.
//!
//! The registry knows them as separate resources without transactions. Titles, which are unique, and marks in all
//! descriptions let a create that was interrupted go on where it stopped.

mod desired;
mod held;
mod plan;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use desired::Desired;
use held::{Composition, Held, Part, compose, kind_of};
use plan::Change;

use crate::adobe::{Class, PatchOp, RegistryResource, RegistryType, SchemaRegistry, alt_id};
use crate::api::{PlatformSchema, PlatformSchemaStatus};
use crate::engine::{
    Error, Held as _, Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result, Session,
};
use crate::kinds::compare;

impl Planned for PlatformSchema {
    type Desired = Desired;
    type Held = Held;
    type Change = Change;

    const COMPOSITE: bool = true;

    fn plan(desired: &Desired, held: &Held) -> Result<Plan<Change>> {
        plan::plan(desired, held)
    }

    fn is_namesake(desired: &Desired, held: &Held) -> bool {
        let schema = held.schema.as_ref();
        schema.is_some_and(|it| it.title == desired.title)
    }

    fn creates(change: &Change) -> bool {
        matches!(
            change,
            Change::CreateFields | Change::CreateSchema | Change::CreateDescriptor(_)
        )
    }
}

impl Objects for PlatformSchema {
    type Kind = Self;

    async fn list(session: &Session) -> Result<Vec<Held>> {
        let adobe = session.adobe();
        let registry = adobe.schema_registry();
        let (schemas, classes, groups, descriptors) = futures::try_join!(
            registry.list(RegistryType::Schema, &[]),
            registry.list(RegistryType::Class, &[]),
            registry.list(RegistryType::FieldGroup, &[]),
            registry.descriptors(&[]),
        )?;
        let mut parts = as_parts(RegistryType::Class, classes);
        parts.extend(as_parts(RegistryType::FieldGroup, groups));
        Ok(compose(&session.tenant, schemas, parts, descriptors))
    }

    async fn find(session: &Session, desired: &Desired) -> Result<Vec<Held>> {
        let adobe = session.adobe();
        let registry = adobe.schema_registry();
        let filter = |title: &str| {
            let plain = compare::is_plain(&desired.title);
            plain.then(|| format!("title=={title}"))
        };
        let (schema, part) = (filter(&desired.title), filter(&desired.part_title()));
        let (schemas, parts) = futures::try_join!(
            registry.list(RegistryType::Schema, schema.as_slice()),
            registry.list(desired.part_kind(), part.as_slice()),
        )?;
        let parts = as_parts(desired.part_kind(), parts);
        let mut found = compose(&session.tenant, schemas, parts, Vec::new());
        found.retain(|seen| is_titled(seen, desired));
        for seen in &mut found {
            complete(registry, seen).await?;
        }
        Ok(found)
    }

    async fn read(session: &Session, id: &str) -> Result<Option<Held>> {
        let adobe = session.adobe();
        let registry = adobe.schema_registry();
        let kind = kind_of(id);
        let Some(resource) = registry.get(kind, &path_id(id)?).await? else {
            return Ok(None);
        };
        if kind != RegistryType::Schema {
            let part = Some(Part::of(kind, resource));
            return Ok(Some(Held {
                part,
                ..Held::default()
            }));
        }
        let schema = Composition::of(resource);
        let part = match own_part(registry, &session.tenant, &schema).await? {
            Some(part) => Some(part),
            None => waiting_part(session, registry, &schema).await?,
        };
        let mut seen = Held {
            part,
            schema: Some(schema),
            descriptors: Vec::new(),
        };
        complete(registry, &mut seen).await?;
        Ok(Some(seen))
    }

    async fn delete(session: &Session, held: &Held) -> Result<()> {
        // A part alone is what an interrupted create left. Whether its schema came to be all the same, only a list tells.
        if held.schema.is_none() {
            let all = Self::list(session).await?;
            let whole = all
                .iter()
                .find(|it| it.schema.is_some() && it.mark() == held.mark());
            if let Some(whole) = whole {
                remove(session, whole).await?;
            }
        }
        remove(session, held).await
    }
}

impl ManagedKind for PlatformSchema {
    type Objects = Self;
    type Refs = ();
    type Observing = ();

    async fn dereference(&self, _: &Lookup<'_>, _: &Session) -> Result<()> {
        Ok(())
    }

    fn desired(&self, (): &(), mark: Mark, tenant: &str) -> Result<Desired> {
        Desired::of(&self.spec, mark, tenant)
    }

    async fn create(session: &Session, desired: &Desired) -> Result<Held> {
        let adobe = session.adobe();
        let registry = adobe.schema_registry();
        let part = make_part(registry, desired).await?;
        let seen = Held {
            part,
            ..Held::default()
        };
        match make_schema(registry, desired, &seen).await {
            // The part is there and must be remembered; the next step meets the same refusal and reports it.
            Err(error) if seen.part.is_some() && !is_ambiguous(&error) => Ok(seen),
            result => result,
        }
    }

    async fn update(
        session: &Session,
        desired: &Desired,
        held: &Held,
        change: Change,
    ) -> Result<Held> {
        let adobe = session.adobe();
        let registry = adobe.schema_registry();
        let mut seen = held.clone();
        match change {
            Change::CreateFields => seen.part = make_part(registry, desired).await?,
            Change::CreateSchema => seen = make_schema(registry, desired, held).await?,
            Change::PatchFields(ops) => patch_part(registry, desired, &mut seen, &ops).await?,
            Change::PatchSchema(ops) => patch_schema(registry, desired, &mut seen, &ops).await?,
            Change::CreateDescriptor(body) => {
                let made = registry.create_descriptor(&body).await?;
                seen.descriptors.push(stated(&body, made.id));
            }
            Change::EnableProfile => {
                let ops = [PatchOp::add("/meta:immutableTags", json!(["union"]))];
                patch_schema(registry, desired, &mut seen, &ops).await?;
                if let Some(schema) = &mut seen.schema {
                    schema.union = true;
                }
            }
        }
        Ok(seen)
    }

    fn record(_: &Desired, held: &Held, status: &mut PlatformSchemaStatus) {
        let schema = held.schema.as_ref();
        let part = |kind| held.part.as_ref().filter(|part| part.kind == kind);
        status.alt_id = schema.map(|it| it.alt_id.clone());
        status.version = schema.and_then(|it| it.version.clone());
        status.class_id = part(RegistryType::Class).map(|it| it.id.clone());
        status.field_group_id = part(RegistryType::FieldGroup).map(|it| it.id.clone());
    }
}

/// Deletes the schema with its identities, and then the part of it that is ours.
async fn remove(session: &Session, held: &Held) -> Result<()> {
    let adobe = session.adobe();
    let registry = adobe.schema_registry();
    if let Some(schema) = &held.schema {
        if schema.union {
            let text = "Real-Time Customer Profile, which Adobe lets no schema leave: set \
                        `deletionPolicy: Orphan`";
            return Err(Error::InUse(text.into()));
        }
        for descriptor in &held.descriptors {
            registry.delete_descriptor(&descriptor.id).await?;
        }
        registry
            .delete(RegistryType::Schema, &schema.alt_id)
            .await?;
    }
    // A part without our mark may serve others.
    let ours = |part: &&Part| part.mark.is_some() && part.mark.as_ref() == held.mark();
    if let Some(part) = held.part.as_ref().filter(ours) {
        registry.delete(part.kind, &part.alt_id).await?;
    }
    Ok(())
}

fn is_titled(seen: &Held, desired: &Desired) -> bool {
    let schema = seen.schema.as_ref();
    let part = seen.part.as_ref();
    schema.is_some_and(|it| it.title == desired.title)
        || part.is_some_and(|it| it.title == desired.part_title())
}

fn as_parts(kind: RegistryType, resources: Vec<RegistryResource>) -> Vec<Part> {
    let resources = resources.into_iter();
    resources.map(|it| Part::of(kind, it)).collect()
}

fn is_ambiguous(error: &Error) -> bool {
    matches!(error, Error::Adobe(error) if error.is_ambiguous())
}

fn path_id(id: &str) -> Result<String> {
    alt_id(id).ok_or_else(|| {
        Error::Invalid(format!(
            "`{id}` is not the `$id` of a schema: it should start with `https://ns.adobe.com/`"
        ))
    })
}

/// The class or field group made for the schema, among those it refers to.
async fn own_part(
    registry: SchemaRegistry<'_>,
    tenant: &str,
    schema: &Composition,
) -> Result<Option<Part>> {
    for (kind, id) in schema.own_candidates(tenant) {
        let found = registry.get(kind, &path_id(id)?).await?;
        let part = found.map(|resource| Part::of(kind, resource));
        if let Some(part) = part.filter(|part| schema.owns(part)) {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

/// The class or field group that was made for the schema, which does not refer to it yet.
async fn waiting_part(
    session: &Session,
    registry: SchemaRegistry<'_>,
    schema: &Composition,
) -> Result<Option<Part>> {
    let schemas = session.collection::<PlatformSchema>();
    let known = schemas.index(|it| it.get(&schema.id));
    let Some(part) = known.as_ref().and_then(|it| it.part.as_ref()) else {
        return Ok(None);
    };
    let found = registry.get(part.kind, &part.alt_id).await?;
    let found = found.map(|resource| Part::of(part.kind, resource));
    Ok(found.filter(|part| part.mark.is_some() && part.mark == schema.mark))
}

/// Adds the descriptors, which an ad-hoc schema has none of.
async fn complete(registry: SchemaRegistry<'_>, seen: &mut Held) -> Result<()> {
    let ad_hoc = seen.part.as_ref().map(|part| part.kind) == Some(RegistryType::Class);
    if let Some(schema) = seen.schema.as_ref().filter(|_| !ad_hoc) {
        let filter = [format!("xdm:sourceSchema=={}", schema.id)];
        let mut found = registry.descriptors(&filter).await?;
        found.retain(|descriptor| descriptor.source_schema == schema.id);
        seen.descriptors = found.into_iter().map(Into::into).collect();
    }
    Ok(())
}

async fn make_part(registry: SchemaRegistry<'_>, desired: &Desired) -> Result<Option<Part>> {
    let Some(body) = desired.part_body() else {
        return Ok(None);
    };
    let kind = desired.part_kind();
    let (resource, _) = make(registry, kind, &body, desired).await?;
    Ok(Some(Part::of(kind, resource)))
}

async fn make_schema(registry: SchemaRegistry<'_>, desired: &Desired, held: &Held) -> Result<Held> {
    let own = held
        .part
        .as_ref()
        .filter(|_| desired.own_fields().is_some());
    let body = desired.schema_body(own.map(|part| part.id.as_str()));
    let (resource, known) = make(registry, RegistryType::Schema, &body, desired).await?;
    let mut seen = Held {
        schema: Some(Composition::of(resource)),
        part: held.part.clone(),
        descriptors: Vec::new(),
    };
    if known {
        complete(registry, &mut seen).await?;
    }
    Ok(seen)
}

/// Creates a resource, or takes the one of that title if it is ours; tells whether it was there.
async fn make(
    registry: SchemaRegistry<'_>,
    kind: RegistryType,
    body: &Value,
    desired: &Desired,
) -> Result<(RegistryResource, bool)> {
    let error = match registry.create(kind, body).await {
        Ok(resource) => return Ok((resource, false)),
        Err(error) => error,
    };
    let Class::TitleTaken { id } = error.class() else {
        return Err(error.into());
    };
    let taken = || Error::TitleTaken { id: id.clone() };
    if kind_of(id) != kind {
        return Err(taken());
    }
    let found = registry.get(kind, &path_id(id)?).await?.ok_or_else(taken)?;
    let ours = match found.description.as_deref().and_then(Mark::read) {
        Some(mark) => mark == desired.mark,
        None => desired.adopt,
    };
    if ours {
        Ok((found, true))
    } else {
        Err(taken())
    }
}

async fn patch_part(
    registry: SchemaRegistry<'_>,
    desired: &Desired,
    seen: &mut Held,
    ops: &[PatchOp],
) -> Result<()> {
    let Some(part) = &mut seen.part else {
        return Ok(());
    };
    registry.patch(part.kind, &part.alt_id, ops).await?;
    part.title = desired.part_title();
    part.description.clone_from(&desired.description);
    part.mark = Some(desired.mark.clone());
    part.fields = desired.own_fields().cloned().unwrap_or_default();
    Ok(())
}

/// Patches the schema. What was sent counts as there, since an appended reference must not be appended twice.
async fn patch_schema(
    registry: SchemaRegistry<'_>,
    desired: &Desired,
    seen: &mut Held,
    ops: &[PatchOp],
) -> Result<()> {
    let Some(schema) = &mut seen.schema else {
        return Ok(());
    };
    let answer = registry
        .patch(RegistryType::Schema, &schema.alt_id, ops)
        .await?;
    schema.version = answer.version.or(schema.version.take());
    schema.title.clone_from(&desired.title);
    schema.description.clone_from(&desired.description);
    schema.mark = Some(desired.mark.clone());
    let added = ops.iter().filter(|op| op.path == "/allOf/-");
    let added = added.filter_map(|op| op.value.as_ref()?.get("$ref")?.as_str());
    schema.refs.extend(added.map(ToOwned::to_owned));
    Ok(())
}

/// The descriptor as it was sent: answers may be short.
fn stated(body: &Value, id: String) -> held::Statement {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    held::Statement {
        id,
        type_: text("@type"),
        path: text("xdm:sourceProperty"),
        namespace: text("xdm:namespace"),
        primary: body["xdm:isPrimary"].as_bool().unwrap_or_default(),
    }
}
