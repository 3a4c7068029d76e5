//! Connection specs and flow specs: found by name, and compared.

use crate::adobe::{Spec, SpecRef};
use crate::api::SpecSelector;
use crate::engine::{Error, Result, Session, bare_id};
use crate::kinds::compare::version;

/// The version of all known connection and flow specs.
const SPEC_VERSION: &str = "1.0";

/// Whether Adobe uses the wanted spec. Neither users nor reads always name the version.
pub(in crate::kinds) fn same_spec(wanted: &SpecRef, held: Option<&SpecRef>) -> bool {
    held.is_some_and(|held| {
        let versions = wanted.version.as_deref().zip(held.version.as_deref());
        wanted.id == held.id && versions.is_none_or(|(w, h)| version(w) == version(h))
    })
}

/// The spec as the user names it: by its id, or by its name, for which `by_name` finds the id.
async fn select<F>(
    selector: &SpecSelector,
    by_name: impl FnOnce(String) -> F + Send,
) -> Result<SpecRef>
where
    F: Future<Output = Result<String>> + Send,
{
    let id = match (&selector.id, &selector.name) {
        (Some(id), _) => bare_id("id", id)?,
        (None, Some(name)) => by_name(name.clone()).await?,
        (None, None) => {
            return Err(Error::Invalid(
                "a specification has neither `name` nor `id`: set one of them".into(),
            ));
        }
    };
    Ok(spec_ref(id, selector.version.clone()))
}

/// A spec by its id, as it is compared.
pub(in crate::kinds) fn spec_ref(id: String, version: Option<String>) -> SpecRef {
    SpecRef { id, version }
}

/// A spec as it is sent, always with a version.
pub(in crate::kinds) fn versioned(spec: &SpecRef) -> SpecRef {
    let version = spec.version.clone();
    SpecRef {
        id: spec.id.clone(),
        version: Some(version.unwrap_or_else(|| SPEC_VERSION.into())),
    }
}

/// The connection spec that a selector names, read once per sandbox.
pub(in crate::kinds) async fn connection_spec(
    session: &Session,
    selector: &SpecSelector,
) -> Result<SpecRef> {
    select(selector, |name| async move {
        let read = || async {
            let adobe = session.adobe();
            let found = adobe.flow_service().connection_spec_by_name(&name).await?;
            known(found, "connection", &name)
        };
        session.fact(format!("connectionSpec:{name}"), read).await
    })
    .await
}

/// The flow spec that a selector names, read once per sandbox.
pub(in crate::kinds) async fn flow_spec(
    session: &Session,
    selector: &SpecSelector,
) -> Result<SpecRef> {
    select(selector, |name| async move {
        let read = || async {
            let adobe = session.adobe();
            let found = adobe.flow_service().flow_spec_by_name(&name).await?;
            known(found, "flow", &name)
        };
        session.fact(format!("flowSpec:{name}"), read).await
    })
    .await
}

fn known(found: Option<Spec>, what: &str, name: &str) -> Result<String> {
    let found = found.map(|spec| spec.id);
    found.ok_or_else(|| {
        Error::Invalid(format!(
            "unknown {what} spec `{name}`: Adobe lists none of exactly this name. Correct the name, or give the \
             spec's `id`"
        ))
    })
}
