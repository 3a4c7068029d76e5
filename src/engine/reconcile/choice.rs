//! Which of several objects a resource stands for, where its status does not tell. Pure.

use std::sync::Arc;

use super::view::{Step, View};
use crate::engine::held::Held;
use crate::engine::mark::Mark;
use crate::engine::planned::{Plan, Planned};

/// Whether the annotation decides: not once what it names was adopted and replaced, or is found by its mark.
pub fn decides<P: Planned>(view: &View<'_, P>, id: &str) -> bool {
    let Some(known) = view.known_id.as_deref() else {
        let found = |it: &Arc<P::Held>| it.id() == id || view.progress.denied.contains(id);
        return !view.claimed.iter().any(found);
    };
    let known = (view.object)(known);
    let mark = known.as_ref().and_then(|it| it.mark());
    !mark.is_some_and(|it| it.claim() == view.claim && it.revision() > 1)
}

/// Where the status names no object that exists, the mark is all that is left. Of several that carry it, only one can be ours,
/// and copies are younger: the oldest that fits the spec counts, whatever its revision.
pub fn choose<P: Planned>(view: &View<'_, P>) -> Result<Option<Arc<P::Held>>, Step<P>> {
    let fresh = view.claimed.iter().filter(|it| !view.is_obsolete(it.id()));
    let mut candidates: Vec<_> = fresh.collect();
    // The order stays but for these: what was begun, and what the annotation names.
    let preferred = |id| view.begun().is_some_and(|it| it.id() == id);
    let named = |id| view.external_id.as_deref() == Some(id);
    candidates.sort_by_key(|it| (!preferred(it.id()), !named(it.id())));
    if candidates.len() < 2 {
        return Ok(candidates.first().copied().cloned());
    }
    let Some(desired_at) = view.desired else {
        return Err(Step::Dereference);
    };
    let fits = |it: &&Arc<P::Held>| {
        let revision = it.mark().map_or(1, Mark::revision);
        let plan = desired_at(revision).and_then(|desired| P::plan(&desired, it));
        !matches!(plan, Ok(Plan::Replace(_)))
    };
    let fitting = candidates.iter().copied().find(fits);
    Ok(fitting.or(candidates.first().copied()).cloned())
}
