//! The connection spec of a source connection that is created: the one in the spec, or that of its base connection.

use crate::adobe::SpecRef;
use crate::api::condition_types::READY;
use crate::api::{BaseConnection, Kind, Reference, SourceConnectionSpec};
use crate::engine::{Error, Lookup, Result, Session, reasons};
use crate::kinds::flow_service;

pub(super) async fn connection_spec(
    spec: &SourceConnectionSpec,
    lookup: &Lookup<'_>,
    session: &Session,
) -> Result<SpecRef> {
    if let Some(selector) = &spec.connection_spec {
        return flow_service::connection_spec(session, selector).await;
    }
    let Some(base) = &spec.base_connection_ref else {
        return Err(Error::Invalid(
            "`spec.connectionSpec` is missing: set it, or `spec.baseConnectionRef`".into(),
        ));
    };
    let found = lookup.get::<BaseConnection>(&base.name)?;
    let id = found.status.as_ref();
    let id = id.and_then(|status| status.connection_spec_id.clone());
    let id = id.ok_or_else(|| Error::Waiting {
        reference: Reference::new(Kind::BaseConnection, &base.name),
        why: "its connection spec is not known yet".into(),
    })?;
    if !is_accepted(&found) {
        return Ok(SpecRef { id, version: None });
    }
    let version = found.spec.connection_spec.version.clone();
    Ok(flow_service::spec_ref(id, version))
}

/// Whether Adobe holds the connection spec that the base connection names. The change of a version may have been refused.
fn is_accepted(base: &BaseConnection) -> bool {
    let status = base.status.as_ref().map(|status| &status.common);
    status.is_some_and(|status| {
        let ready = status.condition(READY).map(|it| it.reason.as_str());
        status.observed_generation == base.metadata.generation
            && ready.is_some_and(|it| [reasons::SUCCEEDED, reasons::PROGRESSING].contains(&it))
    })
}
