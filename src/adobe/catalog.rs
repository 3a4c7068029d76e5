//! Catalog: data sets.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::call::{Call, Method};
use super::listing::{Item, Listing, Unreadable};
use super::page::{self, Page};
use super::tolerant;
use super::{Adobe, Class, Error, PatchOp, Result, Service};

/// Data sets per page; the documented maximum.
const PAGE: usize = 100;
/// What is read of a data set. Whole data sets are so large that listing them takes minutes.
const FIELDS: &str = "name,description,schemaRef,tags,enableErrorDiagnostics,created,updated";

/// The calls of Catalog.
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    adobe: &'a Adobe,
}

impl Adobe {
    /// Data sets.
    #[must_use]
    pub fn catalog(&self) -> Catalog<'_> {
        Catalog { adobe: self }
    }
}

/// The schema of a data set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaRef {
    /// The schema's `$id`; empty for an old data set without one.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub id: String,
    /// The media type by which the schema is read; spellings differ in spaces and versions.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub content_type: String,
}

/// A data set to be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewDataSet {
    /// The name, which need not be unique.
    pub name: String,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema.
    pub schema_ref: SchemaRef,
    /// Tags: lists of values by key. Keys of Adobe's own start with `adobe`, `acp_` or `aep/`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Vec<String>>,
    /// Whether rows that fail are kept for diagnosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_error_diagnostics: Option<bool>,
}

/// The parts of a data set that are used here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataSet {
    /// 24 hexadecimal digits.
    #[serde(default)]
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The schema.
    #[serde(default)]
    pub schema_ref: Option<SchemaRef>,
    /// Tags, those of Adobe's housekeeping included.
    #[serde(default, deserialize_with = "tags")]
    pub tags: BTreeMap<String, Vec<String>>,
    /// Whether rows that fail are kept for diagnosis.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub enable_error_diagnostics: Option<bool>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub created: Option<i64>,
    /// Milliseconds since 1970. Housekeeping moves it.
    #[serde(default, deserialize_with = "tolerant::millis")]
    pub updated: Option<i64>,
    /// The last batch that was ingested. Only read where it is asked for.
    #[serde(default)]
    pub last_successful_batch: Option<String>,
}

impl Catalog<'_> {
    /// Creates a data set and returns its id. The same call twice makes two data sets.
    pub async fn create(&self, body: &NewDataSet) -> Result<String> {
        let call = call(Method::Post, "/dataSets")
            .query("requestDataSource", "true")
            .body(body)?;
        let made: Vec<String> = self.adobe.ask(&call).await?;
        let id = made
            .first()
            .and_then(|reference| reference.rsplit('/').next());
        match id.filter(|id| !id.is_empty()) {
            Some(id) => Ok(id.to_owned()),
            None => Err(Error::new(
                Service::Catalog,
                Class::Unreadable,
                "the answer names no data set",
            )
            .of_unrepeatable_call()),
        }
    }

    /// Reads a data set; `None` when there is none.
    pub async fn get(&self, id: &str) -> Result<Option<DataSet>> {
        let call = call(Method::Get, "/dataSets/{id}")
            .id(id)
            .query("properties", FIELDS);
        match self.adobe.ask::<DataSets>(&call).await {
            Ok(found) => found.only(id),
            Err(error) if *error.class() == Class::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists data sets, oldest first: all of them, those with a tag of that key and value, or those of exactly that name.
    /// A new one may take some seconds to show up.
    pub async fn list(
        &self,
        tag: Option<(&str, &str)>,
        name: Option<&str>,
    ) -> Result<Listing<DataSet>> {
        let mut call = call(Method::Get, "/dataSets")
            .query("properties", FIELDS)
            .query("orderBy", "asc:created")
            .query("limit", PAGE.to_string());
        if let Some((key, value)) = tag {
            call = call.query("tags", format!("{key}:{value}"));
        }
        // In a filter, a comma, a star or a leading exclamation mark has a meaning of its own.
        if let Some(name) = name.filter(|name| !name.contains([',', '*']) && !name.starts_with('!'))
        {
            call = call.query("name", name);
        }
        let mut found = page::all::<DataSets>(self.adobe, call).await?;
        let items = &mut found.items;
        items.retain(|data_set| name.is_none_or(|name| data_set.name.as_deref() == Some(name)));
        Ok(found)
    }

    /// Whether records were ingested into a data set.
    pub async fn has_records(&self, id: &str) -> Result<bool> {
        let call = call(Method::Get, "/batches")
            .query("dataSet", id)
            .query("status", "success")
            .query("properties", "recordCount,relatedObjects")
            .query("limit", PAGE.to_string());
        match self.adobe.ask::<BTreeMap<String, Batch>>(&call).await {
            Ok(batches) => {
                // So many empty batches do not tell of the ones before.
                let full = batches.len() >= PAGE;
                Ok(full || batches.values().any(|batch| batch.has_records_of(id)))
            }
            // Where batches cannot be asked for, the data set itself tells of its last one.
            Err(error) if error.status() == Some(404) => self.has_last_batch(id).await,
            Err(error) => Err(error),
        }
    }

    async fn has_last_batch(&self, id: &str) -> Result<bool> {
        let call = call(Method::Get, "/dataSets/{id}")
            .id(id)
            .query("properties", "lastSuccessfulBatch");
        match self.adobe.ask::<DataSets>(&call).await {
            Ok(found) => {
                let found = found.only(id)?;
                Ok(found.is_some_and(|it| it.last_successful_batch.is_some()))
            }
            Err(error) => Err(error),
        }
    }

    /// Changes a data set by JSON Patch. Address single tags, never all of them: housekeeping writes there too.
    pub async fn patch(&self, id: &str, ops: &[PatchOp]) -> Result<()> {
        let call = call(Method::Patch, "/dataSets/{id}")
            .id(id)
            .content_type("application/json-patch+json")
            .body(ops)?;
        self.adobe.send(&call).await.map(drop)
    }

    /// Deletes a data set with its data; it may be gone already.
    pub async fn delete(&self, id: &str) -> Result<()> {
        match self
            .adobe
            .send(&call(Method::Delete, "/dataSets/{id}").id(id))
            .await
        {
            Err(error) if *error.class() != Class::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn call(method: Method, route: &'static str) -> Call {
    Call::new(Service::Catalog, method, route)
}

fn tags<'de, D: Deserializer<'de>>(
    input: D,
) -> std::result::Result<BTreeMap<String, Vec<String>>, D::Error> {
    let tags: Option<BTreeMap<String, Value>> = Option::deserialize(input)?;
    let tags = tags.unwrap_or_default().into_iter();
    Ok(tags
        .map(|(key, values)| (key, tolerant::texts(&values)))
        .collect())
}

/// A batch that was ingested.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    /// Not told of every batch.
    #[serde(default)]
    record_count: Value,
    #[serde(default, deserialize_with = "tolerant::or_default")]
    related_objects: Vec<Related>,
}

/// What a batch belongs to.
#[derive(Default, Deserialize)]
struct Related {
    #[serde(default, deserialize_with = "tolerant::or_default")]
    id: String,
}

impl Batch {
    /// Whether it has records, and if it says to what it belongs, records of this data set.
    fn has_records_of(&self, id: &str) -> bool {
        let related = &self.related_objects;
        let of_it = related.is_empty() || related.iter().any(|it| it.id == id);
        of_it && tolerant::as_integer(&self.record_count) != Some(0)
    }
}

/// Data sets by id: one page, or a single data set.
#[derive(Deserialize)]
struct DataSets(BTreeMap<String, Item<DataSet>>);

impl DataSets {
    /// The data set of that id, if it is there.
    fn only(self, id: &str) -> Result<Option<DataSet>> {
        for item in self.items(Service::Catalog) {
            match item {
                Ok(found) if found.id == id => return Ok(Some(found)),
                Err(odd) if odd.id.as_deref() == Some(id) => return Err(odd.error),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl Page for DataSets {
    type Item = DataSet;
    /// An offset.
    const CURSOR: &'static str = "start";

    fn next(&self, before: usize) -> Option<String> {
        (self.0.len() >= PAGE).then(|| (before + self.0.len()).to_string())
    }

    fn items(self, service: Service) -> Vec<std::result::Result<DataSet, Unreadable>> {
        let items = self.0.into_iter();
        let split = |(id, item): (String, Item<DataSet>)| {
            item.split(service, Some(id.clone()), |it| DataSet { id, ..it })
        };
        items.map(split).collect()
    }

    fn id(item: &DataSet) -> &str {
        &item.id
    }
}
