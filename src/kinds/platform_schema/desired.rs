//! What the registry should hold, and the bodies that say so.

use serde_json::{Map, Value, json};

use super::held::part_title;
use crate::adobe::RegistryType;
use crate::api::{AdoptionPolicy, Identity, PlatformSchemaSpec};
use crate::engine::{Error, Mark, Result};

/// The behaviour of raw columns.
const ADHOC: &str = "https://ns.adobe.com/xdm/data/adhoc";
/// Adobe's answer to a larger body is not documented; etcd's to a larger resource is.
const MOST_BYTES: usize = 256 * 1024;

/// A schema as the spec wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    pub(super) mark: Mark,
    pub(super) tenant: String,
    pub(super) title: String,
    /// `None` leaves it to Adobe.
    pub(super) description: Option<String>,
    pub(super) shape: Shape,
    pub(super) identities: Vec<Identity>,
    pub(super) profile: bool,
    /// Whether what bears no mark may be taken over.
    pub(super) adopt: bool,
}

/// The two ways to make a schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Raw columns in a class of its own.
    AdHoc { fields: Map<String, Value> },
    /// A class, field groups, and own fields in a field group of its own.
    Composed {
        class: String,
        /// `None` leaves them to Adobe.
        field_groups: Option<Vec<String>>,
        fields: Option<Map<String, Value>>,
    },
}

impl Desired {
    pub(super) fn of(spec: &PlatformSchemaSpec, mark: Mark, tenant: &str) -> Result<Self> {
        let shape = match (&spec.ad_hoc, &spec.class) {
            (Some(ad_hoc), _) => Shape::AdHoc {
                fields: bounded("spec.adHoc.fields", &ad_hoc.fields)?,
            },
            (None, Some(class)) => Shape::Composed {
                class: class.clone(),
                field_groups: spec.field_groups.as_ref().map(|ids| distinct(class, ids)),
                fields: match spec.fields.as_ref().filter(|fields| !fields.is_empty()) {
                    Some(fields) => Some(bounded("spec.fields", fields)?),
                    None => None,
                },
            },
            (None, None) => {
                let text = "neither `spec.adHoc` nor `spec.class` is set: set one of them";
                return Err(Error::Invalid(text.into()));
            }
        };
        let identities = spec.identities.iter().map(|identity| Identity {
            path: below_tenant(&identity.path, tenant),
            ..identity.clone()
        });
        Ok(Self {
            description: spec.description.clone(),
            mark,
            tenant: tenant.to_owned(),
            title: spec.title.clone(),
            shape,
            identities: identities.collect(),
            profile: spec.profile_enabled == Some(true),
            adopt: spec.management.adoption_policy == AdoptionPolicy::IfUnowned,
        })
    }

    /// The description with the mark, where Adobe has this one.
    pub(super) fn described(&self, found: &str) -> String {
        match &self.description {
            Some(text) => self.mark.sign(Some(text)),
            None => self.mark.sign_over(found),
        }
    }

    /// Whether the spec says of which field groups the schema consists.
    pub(super) fn lists_field_groups(&self) -> bool {
        let Shape::Composed { field_groups, .. } = &self.shape else {
            return false;
        };
        field_groups.is_some()
    }

    /// The type of the part that holds own fields.
    pub(super) fn part_kind(&self) -> RegistryType {
        match self.shape {
            Shape::AdHoc { .. } => RegistryType::Class,
            Shape::Composed { .. } => RegistryType::FieldGroup,
        }
    }

    /// Own fields, and with them a part; `None` when there is nothing to hold.
    pub(super) fn own_fields(&self) -> Option<&Map<String, Value>> {
        match &self.shape {
            Shape::AdHoc { fields } => Some(fields),
            Shape::Composed { fields, .. } => fields.as_ref(),
        }
    }

    /// The part of the spec in which own fields are written.
    pub(super) fn fields_path(&self) -> &'static str {
        match self.shape {
            Shape::AdHoc { .. } => "spec.adHoc.fields",
            Shape::Composed { .. } => "spec.fields",
        }
    }

    pub(super) fn part_title(&self) -> String {
        part_title(&self.title, self.part_kind())
    }

    /// `$id`s of which the schema is composed.
    pub(super) fn refs(&self, part: Option<&str>) -> Vec<String> {
        let own = part.map(ToOwned::to_owned);
        match &self.shape {
            Shape::AdHoc { .. } => own.into_iter().collect(),
            Shape::Composed {
                class,
                field_groups,
                ..
            } => {
                let groups = field_groups.as_deref().unwrap_or_default();
                let given = std::iter::once(class).chain(groups).cloned();
                let own = own.filter(|own| !groups.contains(own));
                given.chain(own).collect()
            }
        }
    }

    pub(super) fn schema_body(&self, part: Option<&str>) -> Value {
        let refs = self.refs(part).into_iter();
        let all_of: Vec<Value> = refs.map(|id| json!({ "$ref": id })).collect();
        json!({
            "type": "object", "title": self.title, "description": self.described(""),
            "allOf": all_of,
        })
    }

    /// The class or field group that holds own fields, if there are any.
    pub(super) fn part_body(&self) -> Option<Value> {
        let mut body = json!({
            "type": "object", "title": self.part_title(), "description": self.described(""),
        });
        match &self.shape {
            Shape::AdHoc { fields } => {
                body["allOf"] = json!([
                    { "$ref": ADHOC },
                    { "properties": { "_adhoc": { "type": "object", "properties": fields } } },
                ]);
            }
            Shape::Composed { class, fields, .. } => {
                let fields = fields.as_ref()?;
                let tenant = format!("_{}", self.tenant);
                body["meta:intendedToExtend"] = json!([class]);
                body["definitions"] = json!({ "customFields": { "properties": {
                    tenant: { "type": "object", "properties": fields },
                } } });
                body["allOf"] = json!([{ "$ref": "#/definitions/customFields" }]);
            }
        }
        Some(body)
    }
}

fn below_tenant(path: &str, tenant: &str) -> String {
    let tenant = format!("_{tenant}");
    let segments = path.split('/');
    let segments = segments.map(|it| if it == "_tenant" { tenant.as_str() } else { it });
    segments.collect::<Vec<_>>().join("/")
}

fn distinct(class: &str, ids: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(ids.len());
    for id in ids.iter().filter(|id| *id != class) {
        if !distinct.contains(id) {
            distinct.push(id.clone());
        }
    }
    distinct
}

fn bounded(field: &str, fields: &Map<String, Value>) -> Result<Map<String, Value>> {
    let size = serde_json::to_vec(fields).map_or(0, |bytes| bytes.len());
    if size <= MOST_BYTES {
        return Ok(fields.clone());
    }
    Err(Error::Invalid(format!(
        "`{field}` takes {size} bytes, more than the {MOST_BYTES} allowed: move fields to another \
         schema"
    )))
}
