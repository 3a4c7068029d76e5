//! The dataset that a target connection writes.

use crate::api::{Dataset, Kind, Reference, TargetConnectionSpec};
use crate::engine::{Error, Lookup, Result, Session};

/// A dataset and its schema, by their ids.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    pub(super) id: String,
    pub(super) schema: String,
}

impl Written {
    pub(super) async fn of(
        spec: &TargetConnectionSpec,
        lookup: &Lookup<'_>,
        session: &Session,
    ) -> Result<Self> {
        let id = ("spec.datasetId", spec.dataset_id.as_ref());
        let id = lookup.id::<Dataset>(spec.dataset_ref.as_ref(), id)?;
        let id = id.ok_or_else(|| {
            let text = "no dataset is named: set `spec.datasetRef` or `spec.datasetId`";
            Error::Invalid(text.into())
        })?;
        let schema = match &spec.dataset_ref {
            Some(dataset) => managed_schema(lookup, &dataset.name)?,
            None => schema_of(session, &id).await?,
        };
        Ok(Self { id, schema })
    }
}

fn managed_schema(lookup: &Lookup<'_>, name: &str) -> Result<String> {
    let found = lookup.get::<Dataset>(name)?;
    // Not from its spec: a dataset that is about to be replaced still has the schema with which it was created.
    let schema = found.status.as_ref().and_then(|it| it.schema_id.clone());
    schema.ok_or_else(|| Error::Waiting {
        reference: Reference::new(Kind::Dataset, name),
        why: "its schema is not known yet".into(),
    })
}

/// The schema of a dataset that is not managed here: a dataset keeps its schema for life.
async fn schema_of(session: &Session, id: &str) -> Result<String> {
    let read = || async {
        let adobe = session.adobe();
        let found = adobe.catalog().get(id).await?;
        let found = found.ok_or_else(|| {
            Error::Invalid(format!(
                "dataset `{id}` does not exist in this sandbox: correct `spec.datasetId`"
            ))
        })?;
        let schema = found.schema_ref.map(|schema| schema.id);
        schema.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::Invalid(format!(
                "dataset `{id}` has no schema, so no dataflow can write it: name another one in `spec.datasetId`"
            ))
        })
    };
    session.fact(format!("datasetSchema:{id}"), read).await
}
