//! Data Prep: mapping sets, which map each field of the source to the target schema.

mod wire;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::{Call, Method};
use super::listing::{Item, Listing, Unreadable};
use super::page::{self, Page};
use super::{Adobe, Class, Result, Service};
use wire::{Validation, Wire, WireRow, version};

/// Mapping sets per page.
const PAGE: usize = 100;

/// The calls of Data Prep.
#[derive(Clone, Copy)]
pub struct DataPrep<'a> {
    adobe: &'a Adobe,
}

impl Adobe {
    /// Mapping sets.
    #[must_use]
    pub fn data_prep(&self) -> DataPrep<'_> {
        DataPrep { adobe: self }
    }
}

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MappingRef {
    /// The mapping set's id.
    pub id: String,
    /// The new version. Flows keep using the version that they name.
    #[serde(default, deserialize_with = "version")]
    pub version: i64,
}

/// A mapping set, in the latest version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Wire")]
pub struct MappingSet {
    /// The id.
    pub id: String,
    /// Counts the changes, from 0.
    pub version: i64,
    /// The name, which need not be unique.
    pub name: Option<String>,
    /// The `$id` of the target schema.
    pub schema_id: Option<String>,
    /// The media type under which the schema is used.
    pub content_type: Option<String>,
    /// The rows, in no particular order.
    pub mappings: Vec<MappingRow>,
    /// Milliseconds since 1970.
    pub created: Option<i64>,
    /// What else clients may have written.
    pub rest: Rest,
}

/// Members that are not known here, but for those that Adobe fills in by itself. Almost always empty, so kept small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest(Option<Box<Map<String, Value>>>);

impl Rest {
    /// The members, if there are any.
    pub fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().flat_map(|it| it.iter())
    }
}

impl From<Map<String, Value>> for Rest {
    fn from(members: Map<String, Value>) -> Self {
        Self((!members.is_empty()).then(|| Box::new(members)))
    }
}

/// One row: how one field is mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "WireRow")]
pub struct MappingRow {
    /// A path, an expression or a fixed value, as `source_type` says.
    pub source: String,
    /// The path in the target schema.
    pub destination: String,
    /// What `source` is.
    pub source_type: SourceKind,
    /// What else clients may have written, such as a name and a description.
    pub rest: Rest,
}

/// What the source of a row is. Adobe reads and writes different spellings; here there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// The path of a field.
    #[default]
    Attribute,
    /// A calculated field.
    Expression,
    /// A fixed value.
    Static,
    /// Something unknown, as Adobe spells it.
    Other(String),
}

/// Why Adobe refuses a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingFault {
    /// The row's destination.
    pub destination: String,
    /// The row's source.
    pub source: String,
    /// Adobe's message.
    pub message: String,
}

impl DataPrep<'_> {
    /// Creates a mapping set, whose paths Adobe does not check. The same call twice makes two.
    pub async fn create(&self, body: &Value) -> Result<MappingRef> {
        self.adobe
            .ask(&call(Method::Post, "/mappingSets").body(body)?)
            .await
    }

    /// Reads a mapping set; `None` when there is none.
    pub async fn get(&self, id: &str) -> Result<Option<MappingSet>> {
        match self
            .adobe
            .ask(&call(Method::Get, "/mappingSets/{id}").id(id))
            .await
        {
            Ok(found) => Ok(Some(found)),
            // The answer to an unknown id is undocumented: a 400 that says so is a likely one.
            Err(error) => match error.class() {
                Class::NotFound => Ok(None),
                Class::Rejected if error.message().to_lowercase().contains("not found") => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Lists mapping sets, oldest first: all of them, or those of exactly that name.
    pub async fn list(&self, name: Option<&str>) -> Result<Listing<MappingSet>> {
        let mut call = call(Method::Get, "/mappingSets")
            .query("orderBy", "+createdDate")
            .query("limit", PAGE.to_string())
            .query("start", "0");
        if let Some(name) = name {
            call = call.query("name", name);
        }
        let mut found = page::all::<Data>(self.adobe, call).await?;
        let items = &mut found.items;
        items.retain(|set| name.is_none_or(|name| set.name.as_deref() == Some(name)));
        Ok(found)
    }

    /// Replaces a mapping set's rows and so makes a new version, even if nothing differs.
    pub async fn replace(&self, id: &str, body: &Value) -> Result<MappingRef> {
        self.adobe
            .ask(&call(Method::Put, "/mappingSets/{id}").id(id).body(body)?)
            .await
    }

    /// Deletes a mapping set as far as that is possible: Adobe does not document the call, so a 404 or 405 of any shape
    /// counts as done. An HTML page instead of an answer may be a transient failure of the gateway, so it has to come three times.
    /// A mapping set that is left behind does no harm.
    pub async fn delete(&self, id: &str) -> Result<()> {
        let call = call(Method::Delete, "/mappingSets/{id}").id(id);
        for _ in 0..3 {
            let Err(error) = self.adobe.send(&call).await else {
                break;
            };
            match (error.status(), error.class()) {
                (Some(405), _) | (_, Class::NotFound) => break,
                (Some(404), Class::Unreadable) => {}
                _ => return Err(error),
            }
        }
        Ok(())
    }

    /// Validates a mapping set without storing it; without faults, it is valid.
    pub async fn validate(&self, body: &Value) -> Result<Vec<MappingFault>> {
        let call = call(Method::Post, "/mappingSets/validate")
            .body(body)?
            .repeatable();
        let validation: Validation = self.adobe.ask(&call).await?;
        let rows = body
            .get("mappings")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let entries = validation.validation_response.into_iter().enumerate();
        let faults = entries.flat_map(|(index, entry)| entry.faults(rows.get(index)));
        let redacted = |text: String| self.adobe.redacted(&text);
        Ok(faults
            .map(|fault| MappingFault {
                destination: redacted(fault.destination),
                source: redacted(fault.source),
                message: redacted(fault.message),
            })
            .collect())
    }
}

fn call(method: Method, route: &'static str) -> Call {
    Call::new(Service::DataPrep, method, route)
}

/// A page of mapping sets. Its count is unreliable; a short page is the last.
#[derive(Deserialize)]
struct Data {
    data: Vec<Item<MappingSet>>,
}

impl Page for Data {
    type Item = MappingSet;
    /// An offset.
    const CURSOR: &'static str = "start";

    fn next(&self, before: usize) -> Option<String> {
        (self.data.len() >= PAGE).then(|| (before + self.data.len()).to_string())
    }

    fn items(self, service: Service) -> Vec<std::result::Result<MappingSet, Unreadable>> {
        let items = self.data.into_iter();
        items.map(|it| it.split(service, None, |it| it)).collect()
    }

    fn id(item: &MappingSet) -> &str {
        &item.id
    }
}
