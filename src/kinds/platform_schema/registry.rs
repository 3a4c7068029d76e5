//! Requests to the Schema Registry: one schema takes several resources.

use serde_json::Value;

use super::desired::Desired;
use super::held::{Composition, Held, Part, Statement, kind_of};
use crate::adobe::{
    Class, Listing, PatchOp, RegistryResource, RegistryType, SchemaRegistry, Unreadable, alt_id,
};
use crate::api::PlatformSchema;
use crate::engine::{Error, Held as _, Mark, Result, Session};

/// Deletes the schema with its identities, and then the part that was made for it.
pub(super) async fn remove(session: &Session, held: &Held) -> Result<()> {
    let adobe = session.adobe();
    let registry = adobe.schema_registry();
    if let Some(schema) = &held.schema {
        if schema.is_in_profile() {
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

pub(super) fn as_parts(kind: RegistryType, resources: Vec<RegistryResource>) -> Vec<Part> {
    let resources = resources.into_iter();
    resources.map(|it| Part::of(kind, it)).collect()
}

/// A schema with a descriptor that cannot be read cannot be read as a whole.
pub(super) fn set_aside(listing: &mut Listing<Held>, descriptors: &[Unreadable]) {
    for descriptor in descriptors {
        let is_about = |it: &Held| {
            it.schema
                .as_ref()
                .is_some_and(|it| descriptor.mentions(&it.id))
        };
        let about: Vec<_> = listing.items.extract_if(.., |it| is_about(it)).collect();
        let about = about.into_iter().map(|held| {
            let mark = held.mark().map(ToString::to_string);
            Unreadable::new(
                held.id(),
                mark.into_iter().collect(),
                descriptor.error.clone(),
            )
        });
        listing.unreadable.extend(about);
    }
}

pub(super) fn path_id(id: &str) -> Result<String> {
    alt_id(id).ok_or_else(|| {
        Error::Invalid(format!(
            "`{id}` is not the `$id` of a schema: it should start with `https://ns.adobe.com/`"
        ))
    })
}

/// The class or field group made for the schema, among those that it refers to.
pub(super) async fn own_part(
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
pub(super) async fn waiting_part(
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

/// Reads the descriptors of a schema; an ad-hoc schema has none.
pub(super) async fn complete(registry: SchemaRegistry<'_>, held: &mut Held) -> Result<()> {
    let ad_hoc = held.part.as_ref().map(|part| part.kind) == Some(RegistryType::Class);
    if let Some(schema) = held.schema.as_ref().filter(|_| !ad_hoc) {
        let filter = [format!("xdm:sourceSchema=={}", schema.id)];
        let found = registry.descriptors(&filter).await?;
        let mut unreadable = found.unreadable.into_iter();
        if let Some(odd) = unreadable.find(|it| it.mentions(&schema.id)) {
            return Err(odd.error.into());
        }
        let mut found = found.items;
        found.retain(|descriptor| descriptor.source_schema == schema.id);
        held.descriptors = found.into_iter().map(Into::into).collect();
    }
    Ok(())
}

pub(super) async fn make_part(
    registry: SchemaRegistry<'_>,
    desired: &Desired,
) -> Result<Option<Part>> {
    let Some(body) = desired.part_body() else {
        return Ok(None);
    };
    let kind = desired.part_kind();
    let (resource, _) = make(registry, kind, &body, desired).await?;
    Ok(Some(Part::of(kind, resource)))
}

pub(super) async fn make_schema(
    registry: SchemaRegistry<'_>,
    desired: &Desired,
    held: &Held,
) -> Result<Held> {
    let own = held
        .part
        .as_ref()
        .filter(|_| desired.own_fields().is_some());
    let body = desired.schema_body(own.map(|part| part.id.as_str()));
    let (resource, known) = make(registry, RegistryType::Schema, &body, desired).await?;
    let mut made = Held {
        schema: Some(Composition::of(resource)),
        part: held.part.clone(),
        descriptors: Vec::new(),
    };
    if known {
        complete(registry, &mut made).await?;
    }
    Ok(made)
}

/// Creates a resource, or takes the one of that title if it is ours; also returns whether it existed.
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
    let taken = || Error::TitleTaken {
        id: id.clone(),
        circle: Vec::new(),
    };
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

pub(super) async fn patch_part(
    registry: SchemaRegistry<'_>,
    desired: &Desired,
    held: &mut Held,
    ops: &[PatchOp],
) -> Result<()> {
    let Some(part) = &mut held.part else {
        return Ok(());
    };
    registry.patch(part.kind, &part.alt_id, ops).await?;
    part.title = desired.part_title();
    part.description = desired.described(&part.description);
    part.mark = Some(desired.mark.clone());
    part.fields = desired.own_fields().cloned().unwrap_or_default();
    Ok(())
}

/// Patches the schema. References that were sent count as held, or the next reconcile would append them again.
pub(super) async fn patch_schema(
    registry: SchemaRegistry<'_>,
    desired: &Desired,
    held: &mut Held,
    ops: &[PatchOp],
) -> Result<()> {
    let Some(schema) = &mut held.schema else {
        return Ok(());
    };
    let patched = registry
        .patch(RegistryType::Schema, &schema.alt_id, ops)
        .await?;
    schema.version = patched.version.or(schema.version.take());
    schema.title.clone_from(&desired.title);
    schema.description = desired.described(&schema.description);
    schema.mark = Some(desired.mark.clone());
    let added = ops.iter().filter(|op| op.path == "/allOf/-");
    let added = added.filter_map(|op| op.value.as_ref()?.get("$ref")?.as_str());
    schema.refs.extend(added.map(ToOwned::to_owned));
    Ok(())
}

/// The descriptor as it was sent: responses may leave members out.
pub(super) fn stated(body: &Value, id: String) -> Statement {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    Statement {
        id,
        type_: text("@type"),
        path: text("xdm:sourceProperty"),
        namespace: text("xdm:namespace"),
        primary: body["xdm:isPrimary"].as_bool().unwrap_or_default(),
    }
}
