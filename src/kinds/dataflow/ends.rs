//! What a dataflow names: its two ends, and what happens between them.

use serde_json::Value;

use super::mapping::Wanted;
use crate::api::{
    DataflowSpec, DeltaColumn, LocalRef, MappingSet, SourceConnection, TargetConnection,
};
use crate::engine::{Error, Lookup, Result, bare_id};

/// The objects at Adobe that a dataflow connects.
#[derive(Debug)]
pub(super) struct Ends {
    pub source: String,
    pub target: String,
    pub mapping: Option<Wanted>,
}

impl Ends {
    pub(super) fn of(spec: &DataflowSpec, lookup: &Lookup<'_>) -> Result<Self> {
        let id = (
            "spec.sourceConnectionId",
            spec.source_connection_id.as_ref(),
        );
        let source = lookup.id::<SourceConnection>(spec.source_connection_ref.as_ref(), id)?;
        let id = (
            "spec.targetConnectionId",
            spec.target_connection_id.as_ref(),
        );
        let target = lookup.id::<TargetConnection>(spec.target_connection_ref.as_ref(), id)?;
        Ok(Self {
            source: source.ok_or_else(|| unnamed("source"))?,
            target: target.ok_or_else(|| unnamed("target"))?,
            mapping: mapping(spec, lookup)?,
        })
    }
}

fn mapping(spec: &DataflowSpec, lookup: &Lookup<'_>) -> Result<Option<Wanted>> {
    if let Some(LocalRef { name }) = &spec.mapping_set_ref {
        let id = lookup.id_of::<MappingSet>(name)?;
        let found = lookup.get::<MappingSet>(name)?;
        let version = found.status.as_ref().and_then(|status| status.version);
        let version = Some(version.unwrap_or_default());
        let field = "spec.mappingSetRef";
        return Ok(Some(Wanted { field, id, version }));
    }
    let Some(id) = &spec.mapping_set_id else {
        return Ok(None);
    };
    let field = "spec.mappingSetId";
    let id = bare_id(field, id)?;
    let version = spec.mapping_set_version;
    Ok(Some(Wanted { field, id, version }))
}

fn unnamed(end: &str) -> Error {
    Error::Invalid(format!(
        "no {end} connection is named: set `spec.{end}ConnectionRef` or `spec.{end}ConnectionId`"
    ))
}

pub(super) fn delta(column: &DeltaColumn) -> Result<Value> {
    serde_json::to_value(column).map_err(|error| {
        Error::Invalid(format!(
            "`spec.deltaColumn` cannot be sent: {error}. Correct it"
        ))
    })
}
