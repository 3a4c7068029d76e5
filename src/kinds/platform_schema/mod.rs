//! `PlatformSchema`: a schema, the class or field group that holds its own fields, and its identities.
//!
//! The registry knows them as separate resources without transactions. Titles, which are unique, and marks in all
//! descriptions let a create that was interrupted go on where it stopped.

mod constraints;
mod desired;
mod differences;
mod evolution;
mod fields;
mod held;
mod identities;
mod plan;
#[cfg(test)]
mod properties;
mod registry;
#[cfg(test)]
mod tests;

use serde_json::json;

use self::desired::Desired;
use self::held::{Composition, Held, Part, compose, kind_of};
use self::plan::Change;
use self::registry::{
    as_parts, complete, make_part, make_schema, own_part, patch_part, patch_schema, path_id,
    remove, set_aside, stated, waiting_part,
};
use crate::adobe::{Listing, PatchOp, RegistryType};
use crate::api::{AepResource as _, PlatformSchema, PlatformSchemaStatus};
use crate::engine::{
    Difference, Error, Held as _, Lookup, ManagedKind, Mark, Objects, Plan, Planned, Result,
    Session,
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

    fn differences(desired: &Desired, held: &Held, change: &Change) -> Vec<Difference> {
        differences::differences(desired, held, change)
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

    async fn list(session: &Session) -> Result<Listing<Held>> {
        let adobe = session.adobe();
        let registry = adobe.schema_registry();
        let (schemas, classes, groups, descriptors) = futures::try_join!(
            registry.list(RegistryType::Schema, &[]),
            registry.list(RegistryType::Class, &[]),
            registry.list(RegistryType::FieldGroup, &[]),
            registry.descriptors(&[]),
        )?;
        let mut unreadable = schemas.unreadable;
        unreadable.extend(classes.unreadable);
        unreadable.extend(groups.unreadable);
        let mut parts = as_parts(RegistryType::Class, classes.items);
        parts.extend(as_parts(RegistryType::FieldGroup, groups.items));
        let composed = compose(&session.tenant, schemas.items, parts, descriptors.items);
        let mut listing = Listing {
            items: composed,
            unreadable,
        };
        set_aside(&mut listing, &descriptors.unreadable);
        Ok(listing)
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
        let parts = as_parts(desired.part_kind(), parts.items);
        let mut found = compose(&session.tenant, schemas.items, parts, Vec::new());
        found.retain(|held| is_titled(held, desired));
        for held in &mut found {
            complete(registry, held).await?;
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
        let mut held = Held {
            part,
            schema: Some(schema),
            descriptors: Vec::new(),
        };
        complete(registry, &mut held).await?;
        Ok(Some(held))
    }

    async fn delete(session: &Session, held: &Held) -> Result<()> {
        // A part alone is what an interrupted create left. Only a list shows whether its schema was created all the same.
        if held.schema.is_none() {
            let all = Self::list(session).await?;
            let whole = all
                .items
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
        let held = Held {
            part,
            ..Held::default()
        };
        match make_schema(registry, desired, &held).await {
            // The part is there and must be remembered; the next step meets the same refusal and reports it.
            Err(error) if held.part.is_some() && !is_ambiguous(&error) => Ok(held),
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
        let mut changed = held.clone();
        match change {
            Change::CreateFields => changed.part = make_part(registry, desired).await?,
            Change::CreateSchema => changed = make_schema(registry, desired, held).await?,
            Change::PatchFields(ops) => patch_part(registry, desired, &mut changed, &ops).await?,
            Change::PatchSchema(ops) => patch_schema(registry, desired, &mut changed, &ops).await?,
            Change::CreateDescriptor(body) => {
                let made = registry.create_descriptor(&body).await?;
                changed.descriptors.push(stated(&body, made.id));
            }
            Change::EnableProfile(tags) => {
                let ops = [PatchOp::add("/meta:immutableTags", json!(tags))];
                patch_schema(registry, desired, &mut changed, &ops).await?;
                if let Some(schema) = &mut changed.schema {
                    schema.tags = tags;
                }
            }
        }
        Ok(changed)
    }

    fn owned(&self, mut held: Held) -> Held {
        let recorded = self.status.as_ref().map(Self::parts).unwrap_or_default();
        let listed = self.spec.field_groups.as_deref().unwrap_or_default();
        if let (Some(schema), Some(part)) = (&held.schema, &held.part) {
            let made = schema.refs.contains(&part.id) && !listed.contains(&part.id);
            if !made && !recorded.contains(&part.id) {
                held.part = None;
            }
        }
        held
    }

    fn record(desired: &Desired, held: &Held, status: &mut PlatformSchemaStatus) {
        let schema = held.schema.as_ref();
        let own = held
            .part
            .as_ref()
            .filter(|_| desired.own_fields().is_some());
        let part = |kind| own.filter(|part| part.kind == kind);
        status.alt_id = schema.map(|it| it.alt_id.clone());
        status.version = schema.and_then(|it| it.version.clone());
        status.class_id = part(RegistryType::Class).map(|it| it.id.clone());
        status.field_group_id = part(RegistryType::FieldGroup).map(|it| it.id.clone());
    }
}

fn is_titled(held: &Held, desired: &Desired) -> bool {
    let schema = held.schema.as_ref();
    let part = held.part.as_ref();
    schema.is_some_and(|it| it.title == desired.title)
        || part.is_some_and(|it| it.title == desired.part_title())
}

fn is_ambiguous(error: &Error) -> bool {
    matches!(error, Error::Adobe(error) if error.is_ambiguous())
}
