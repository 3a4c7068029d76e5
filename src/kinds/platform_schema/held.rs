//! What the registry holds of one schema: the schema, the class or field group made for it, its descriptors.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::fields::locate;
use crate::adobe::{Descriptor, RegistryResource, RegistryType};
use crate::engine::{self, Held as _, Mark};

/// The tag of a schema that takes part in Real-Time Customer Profile.
pub(super) const UNION: &str = "union";

/// A schema with its parts. Without `schema` it is what an interrupted create left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    pub(super) schema: Option<Composition>,
    pub(super) part: Option<Part>,
    pub(super) descriptors: Vec<Statement>,
}

/// The schema itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Composition {
    pub id: String,
    pub alt_id: String,
    pub version: Option<String>,
    pub title: String,
    pub description: String,
    /// `$id`s of class and field groups, each once.
    pub refs: Vec<String>,
    /// Tags that are there for good, [`UNION`] among them.
    pub tags: Vec<String>,
    pub mark: Option<Mark>,
    pub created: Option<i64>,
}

/// The class or field group that holds the schema's own fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub kind: RegistryType,
    pub id: String,
    pub alt_id: String,
    pub title: String,
    pub description: String,
    pub mark: Option<Mark>,
    pub created: Option<i64>,
    /// JSON pointer of the map of fields, which differs between shapes of storage.
    pub pointer: Option<String>,
    pub fields: Map<String, Value>,
}

/// A descriptor of the schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub id: String,
    pub type_: String,
    pub path: String,
    pub namespace: String,
    pub primary: bool,
}

impl engine::Held for Held {
    type Memory = ();

    fn id(&self) -> &str {
        let schema = self.schema.as_ref().map(|schema| schema.id.as_str());
        let part = self.part.as_ref().map(|part| part.id.as_str());
        schema.or(part).unwrap_or_default()
    }

    fn mark(&self) -> Option<&Mark> {
        let schema = self.schema.as_ref().and_then(|it| it.mark.as_ref());
        schema.or_else(|| self.part.as_ref().and_then(|it| it.mark.as_ref()))
    }

    fn created(&self) -> Option<i64> {
        let schema = self.schema.as_ref().and_then(|it| it.created);
        schema.or_else(|| self.part.as_ref().and_then(|it| it.created))
    }

    fn uses(&self) -> Vec<&str> {
        Vec::new()
    }

    fn includes(&self, id: &str) -> bool {
        self.id() == id || self.part.as_ref().is_some_and(|part| part.id == id)
    }

    fn is_whole(&self) -> bool {
        self.schema.is_some()
    }
}

impl Composition {
    pub fn of(resource: RegistryResource) -> Self {
        let mut refs: Vec<String> = Vec::new();
        for entry in &resource.all_of {
            let target = entry.get("$ref").and_then(Value::as_str);
            if let Some(target) = target.filter(|target| refs.iter().all(|known| known != target)) {
                refs.push(target.to_owned());
            }
        }
        let description = resource.description.unwrap_or_default();
        Self {
            id: resource.id,
            alt_id: resource.alt_id,
            version: resource.version,
            title: resource.title.unwrap_or_default(),
            mark: Mark::read(&description),
            description,
            refs,
            tags: resource.immutable_tags,
            created: resource.created,
        }
    }

    /// Whether it takes part in Real-Time Customer Profile.
    pub fn is_in_profile(&self) -> bool {
        self.tags.iter().any(|tag| tag == UNION)
    }

    /// The `$id`s among which the class or field group made for this schema is, the likeliest first.
    pub fn own_candidates(&self, tenant: &str) -> impl Iterator<Item = (RegistryType, &str)> {
        let prefix = format!("https://ns.adobe.com/{tenant}/");
        self.refs.iter().rev().filter_map(move |id| {
            let kind = kind_of(id);
            let ours = id.starts_with(&prefix) && kind != RegistryType::Schema;
            ours.then_some((kind, id.as_str()))
        })
    }

    /// Whether the part was made for this schema. Where a mark was removed, the title decides.
    pub fn owns(&self, part: &Part) -> bool {
        match (&self.mark, &part.mark) {
            (Some(mine), Some(its)) => mine == its,
            _ => part.title == part_title(&self.title, part.kind),
        }
    }
}

impl Part {
    pub fn of(kind: RegistryType, resource: RegistryResource) -> Self {
        let (pointer, fields) = match locate(&resource) {
            Some((pointer, fields)) => (Some(pointer), fields),
            None => (None, Map::new()),
        };
        let description = resource.description.unwrap_or_default();
        Self {
            kind,
            id: resource.id,
            alt_id: resource.alt_id,
            title: resource.title.unwrap_or_default(),
            mark: Mark::read(&description),
            description,
            created: resource.created,
            pointer,
            fields,
        }
    }
}

impl From<Descriptor> for Statement {
    fn from(descriptor: Descriptor) -> Self {
        Self {
            id: descriptor.id,
            type_: descriptor.type_,
            path: descriptor.source_property,
            namespace: descriptor.namespace.unwrap_or_default(),
            primary: descriptor.is_primary.unwrap_or_default(),
        }
    }
}

/// The type of a resource, by its `$id`, where field groups still bear their former name.
pub(super) fn kind_of(id: &str) -> RegistryType {
    if id.contains("/classes/") {
        RegistryType::Class
    } else if id.contains("/mixins/") || id.contains("/fieldgroups/") {
        RegistryType::FieldGroup
    } else {
        RegistryType::Schema
    }
}

/// The title of what is made for a schema: titles are unique across types, so the schema's own will not do.
pub(super) fn part_title(title: &str, kind: RegistryType) -> String {
    match kind {
        RegistryType::Class => format!("{title} (class)"),
        _ => format!("{title} (fields)"),
    }
}

/// Combines the results of lists: every schema with its part and descriptors, then parts that wait for their schema.
pub(super) fn compose(
    tenant: &str,
    schemas: Vec<RegistryResource>,
    parts: Vec<Part>,
    descriptors: Vec<Descriptor>,
) -> Vec<Held> {
    let mut parts: HashMap<String, Part> =
        parts.into_iter().map(|it| (it.id.clone(), it)).collect();
    let mut statements: HashMap<String, Vec<Statement>> = HashMap::new();
    for descriptor in descriptors {
        let about = statements.entry(descriptor.source_schema.clone());
        about.or_default().push(descriptor.into());
    }
    let mut all = Vec::with_capacity(schemas.len());
    for resource in schemas {
        let schema = Composition::of(resource);
        let own = schema
            .own_candidates(tenant)
            .find(|(_, id)| parts.get(*id).is_some_and(|part| schema.owns(part)))
            .map(|(_, id)| id.to_owned());
        let part = own.and_then(|id| parts.remove(&id));
        let descriptors = statements.remove(&schema.id).unwrap_or_default();
        all.push(Held {
            schema: Some(schema),
            part,
            descriptors,
        });
    }
    attach(&mut all, parts);
    all
}

/// A marked part that no schema refers to belongs to the schema of the same mark, or waits for it.
fn attach(all: &mut Vec<Held>, parts: HashMap<String, Part>) {
    let mut by_mark: HashMap<Mark, usize> = HashMap::new();
    for (index, held) in all.iter().enumerate().filter(|(_, it)| it.part.is_none()) {
        if let Some(mark) = held.mark() {
            by_mark.insert(mark.clone(), index);
        }
    }
    for part in parts.into_values() {
        let Some(mark) = &part.mark else { continue };
        match by_mark.remove(mark).and_then(|index| all.get_mut(index)) {
            Some(held) => held.part = Some(part),
            None => all.push(Held {
                part: Some(part),
                ..Held::default()
            }),
        }
    }
}
