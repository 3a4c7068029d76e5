//! What a dataflow names: its two ends, and what happens between them.

use serde_json::Value;

use super::Mapping;
use crate::api::{Dataflow, DeltaColumn, LocalRef, MappingSet, SourceConnection, TargetConnection};
use crate::engine::{Error, Pass, Result};
use crate::kinds::normal;

type At<'a, 'b> = &'a Pass<'b, Dataflow>;

pub(super) fn mapping(pass: At<'_, '_>) -> Result<Option<Mapping>> {
    let spec = &pass.object().spec;
    if let Some(LocalRef { name }) = &spec.mapping_set_ref {
        let id = pass.id_of::<MappingSet>(name)?;
        let found = pass.dependency::<MappingSet>(name)?;
        let version = found.status.as_ref().and_then(|status| status.version);
        let version = version.unwrap_or_default();
        return Ok(Some(Mapping { id, version }));
    }
    let Some(id) = &spec.mapping_set_id else {
        return Ok(None);
    };
    let id = normal::id("spec.mappingSetId", id)?;
    let version = spec.mapping_set_version.unwrap_or_default();
    Ok(Some(Mapping { id, version }))
}

pub(super) fn source(pass: At<'_, '_>) -> Result<String> {
    let spec = &pass.object().spec;
    match (&spec.source_connection_ref, &spec.source_connection_id) {
        (Some(source), _) => pass.id_of::<SourceConnection>(&source.name),
        (None, Some(id)) => normal::id("spec.sourceConnectionId", id),
        (None, None) => Err(unnamed("source")),
    }
}

pub(super) fn target(pass: At<'_, '_>) -> Result<String> {
    let spec = &pass.object().spec;
    match (&spec.target_connection_ref, &spec.target_connection_id) {
        (Some(target), _) => pass.id_of::<TargetConnection>(&target.name),
        (None, Some(id)) => normal::id("spec.targetConnectionId", id),
        (None, None) => Err(unnamed("target")),
    }
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
