//! What to do next about one custom resource: pure, one screen per question. The table of tests beside it reads like
//! `docs/guarantees.md`; [`perform`](super::perform) carries a step out.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use super::choice::{choose, decides};
use super::view::{Origin, Step, View};
use crate::api::OBSOLETE_MAX;
use crate::engine::error::Error;
use crate::engine::held::Held;
use crate::engine::mark::Mark;
use crate::engine::planned::{Plan, Planned};
use crate::engine::sandbox::precedence;
use crate::engine::verdict::Retry;

/// How often an object that may exist is looked for.
const SEARCH: Duration = Duration::from_secs(2);

/// How soon an object is looked for again that was there a moment ago.
const SOON: Duration = Duration::from_secs(1);

/// How soon tidying up is tried again that failed.
const TIDYING: Duration = Duration::from_secs(60);

/// The next step.
pub fn decide<P: Planned>(view: &View<'_, P>) -> Step<P> {
    if view.deleting {
        return delete(view);
    }
    match &view.progress.current {
        Some(current) => converge(view, current),
        None => locate(view),
    }
}

/// Which object the resource stands for: the one that the status names, else the annotation, else the mark.
fn locate<P: Planned>(view: &View<'_, P>) -> Step<P> {
    if let Some(id) = view.external_id.as_deref().filter(|id| decides(view, id)) {
        return adopt(view, id);
    }
    let denied = |id: &str| view.progress.denied.contains(id);
    let known = view.known_id.as_deref();
    if let Some(object) = known.and_then(|id| (view.object)(id)) {
        return take(view, object);
    }
    // A list that lacks the object is no proof of its absence, so it is read by its id: before anything else that carries
    // the mark counts, in any case.
    let readable = |id: &&str| !denied(id) && (!view.claimed.is_empty() || may_read(view));
    if let Some(id) = known.filter(readable) {
        return Step::Read(id.to_owned());
    }
    match choose(view) {
        Ok(Some(object)) => take(view, object),
        Ok(None) => begin(view, known),
        Err(first) => first,
    }
}

/// Takes an object that a list or a read has shown.
fn take<P: Planned>(view: &View<'_, P>, object: Arc<P::Held>) -> Step<P> {
    if view.progress.denied.contains(object.id()) {
        return missing(object.id(), SEARCH);
    }
    match view.check_owner(&object) {
        Err(error) => Step::Stop(error),
        Ok(()) if view.is_doubtful(object.id()) => Step::Read(object.id().to_owned()),
        Ok(()) if view.progress.listed => Step::Take(object, Origin::Recovered),
        Ok(()) => Step::Take(object, Origin::Known),
    }
}

/// Whether a read can change anything: not while what is missing must not be created again anyway.
fn may_read<P: Planned>(view: &View<'_, P>) -> bool {
    view.requested || (view.checked && (view.unapproved)().is_none())
}

/// The object that the annotation names. Until it carries our mark, no other resource may adopt it.
fn adopt<P: Planned>(view: &View<'_, P>, id: &str) -> Step<P> {
    if let Some(known) = view.known_id.as_deref().filter(|known| *known != id) {
        return invalid(format!(
            "the annotation `aep-operator.io/external-id` names {id}, but this resource stands for {known} already: \
             remove the annotation, or create a new resource for {id}"
        ));
    }
    if view.progress.denied.contains(id) {
        return invalid(format!(
            "the annotation `aep-operator.io/external-id` names {id}, which does not exist at Adobe: correct it, or \
             remove it to have a new object created"
        ));
    }
    let settled = |object: &Arc<P::Held>| {
        let mark = object.mark();
        view.is_fresh(id) || mark.is_some_and(|it| !view.is_abandoned(it))
    };
    match (view.object)(id).filter(settled) {
        Some(object) if !view.is_doubtful(id) => match view.check_owner(&object) {
            Ok(()) => Step::Take(object, Origin::Known),
            Err(error) => Step::Stop(error),
        },
        _ => Step::Read(id.to_owned()),
    }
}

/// There is no object, as far as is known.
fn begin<P: Planned>(view: &View<'_, P>, missing_id: Option<&str>) -> Step<P> {
    if let Some(error) = (view.unapproved)() {
        return Step::Stop(error);
    }
    if let Some(id) = missing_id.filter(|_| !view.checked) {
        // What it refers to may be gone, too, or the whole sandbox.
        return missing(id, SOON);
    }
    if let Some(refusal) = view.refusal {
        let again = refusal.left;
        return Step::Stop(Error::StillRefused { again });
    }
    if view.desired.is_none() {
        return Step::Dereference;
    }
    create(view, 1, missing_id, None)
}

/// Creates the object of a revision, unless an earlier create had no answer and may have created it, or an object may be
/// adopted. `missing` is the id of one that should be there and is not.
fn create<P: Planned>(
    view: &View<'_, P>,
    revision: u32,
    missing: Option<&str>,
    reason: Option<String>,
) -> Step<P> {
    if let Some(error) = (view.unapproved)() {
        return Step::Stop(error);
    }
    let may_exist = view.unknown_create.is_some() || view.adopts;
    match &view.progress.found {
        Some((of, found)) if *of == revision => {
            if let Some(step) = recover(view, revision, found, missing) {
                return step;
            }
        }
        _ if may_exist => return Step::Find(revision),
        _ => {}
    }
    if let Some(left) = view.unknown_create {
        return wait_or_list(view, left, missing);
    }
    if view.has_finalizer {
        Step::Create(revision, reason)
    } else {
        Step::AddFinalizer
    }
}

/// Ours among what a search found: the oldest that carries the very mark, else, if the user allows it, a namesake that nobody
/// owns.
fn recover<P: Planned>(
    view: &View<'_, P>,
    revision: u32,
    found: &[P::Held],
    missing_id: Option<&str>,
) -> Option<Step<P>> {
    // One of the list and the read is wrong, and as long as that is so nothing is created.
    if let Some(id) = missing_id.filter(|id| found.iter().any(|it| it.id() == *id)) {
        return Some(missing(id, SEARCH));
    }
    let mark = view.claim.at(revision);
    let living = found.iter().filter(|it| !(view.is_forgotten)(it.id()));
    let (ours, others): (Vec<_>, Vec<_>) = living.partition(|it| it.mark() == Some(&mark));
    let oldest = ours.iter().min_by_key(|it| precedence(**it)).copied();
    // Of a revision that was drawn there is one, or none of them is sure to be ours.
    if let Some(object) = oldest.filter(|_| revision == 1 || ours.len() == 1) {
        return Some(Step::Take(Arc::new(object.clone()), Origin::Recovered));
    }
    if !view.adopts {
        return None;
    }
    let desired = match view.desired?(revision) {
        Ok(desired) => desired,
        Err(error) => return Some(Step::Stop(error)),
    };
    let unowned = others.into_iter().filter(|it| it.mark().is_none());
    let namesakes: Vec<_> = unowned.filter(|it| P::is_namesake(&desired, it)).collect();
    match namesakes[..] {
        [] => None,
        [one] => Some(Step::Take(Arc::new(one.clone()), Origin::Adopted)),
        _ => {
            let ids: Vec<_> = namesakes.iter().take(5).map(|it| it.id()).collect();
            Some(invalid(format!(
                "{} objects of that name belong to nobody ({}): name the one to adopt in the annotation \
                 `aep-operator.io/external-id`",
                namesakes.len(),
                ids.join(", ")
            )))
        }
    }
}

/// A create may have taken effect: nothing is created before lists must show it and do not, and no other call tells that the
/// object is still there.
fn wait_or_list<P: Planned>(
    view: &View<'_, P>,
    left: Duration,
    missing_id: Option<&str>,
) -> Step<P> {
    match missing_id {
        _ if left.is_zero() => {}
        Some(id) => return missing(id, left.min(SEARCH)),
        None => return unknown(left.min(SEARCH)),
    }
    match missing_id {
        Some(id) if !view.progress.not_hidden.contains(id) => Step::Probe(id.to_owned()),
        _ => Step::List { required: true },
    }
}

/// From what the object is to what it should be.
fn converge<P: Planned>(view: &View<'_, P>, current: &Arc<P::Held>) -> Step<P> {
    let Some(desired_at) = view.desired else {
        return Step::Dereference;
    };
    if !view.has_finalizer {
        // What was found or adopted must be deleted one day, too.
        return Step::AddFinalizer;
    }
    if view.progress.denied.contains(current.id()) {
        return missing(current.id(), SOON);
    }
    if (view.is_cut)(current.id()) && view.was_synced && !view.requested {
        return invalid(cut(current.id()));
    }
    if let Err(error) = view.check_owner(current) {
        return Step::Stop(error);
    }
    let desired = match desired_at(view.revision()) {
        Ok(desired) => desired,
        Err(error) => return Step::Stop(error),
    };
    match P::plan(&desired, current) {
        Err(Error::Invalid(text)) if view.was_synced => invalid(format!(
            "this was changed at Adobe, the spec was not edited: {text}"
        )),
        Err(error) => Step::Stop(error),
        Ok(Plan::Keep) => tidy_up(view, current),
        Ok(Plan::Replace(what)) => replace(view, current, what),
        Ok(Plan::Change(change)) if P::creates(&change) => {
            if let Some(error) = (view.unapproved)() {
                return Step::Stop(error);
            }
            match view.unknown_create.filter(|_| view.refusal.is_none()) {
                // It may have been created already. A list tells, as soon as it cannot lag behind.
                Some(left) if !left.is_zero() => unknown(left),
                Some(_) => Step::List { required: true },
                None => confirmed(view, current, Step::Update(change)),
            }
        }
        Ok(Plan::Change(change)) => confirmed(view, current, Step::Update(change)),
        Ok(Plan::Wait(state)) => confirmed(view, current, Step::Stop(Error::Settling(state))),
    }
}

/// A step that is taken only on an object that was just read, and only if Adobe did not refuse it before.
fn confirmed<P: Planned>(view: &View<'_, P>, current: &Arc<P::Held>, step: Step<P>) -> Step<P> {
    if let Some(refusal) = view.refusal {
        let again = refusal.left;
        return Step::Stop(Error::StillRefused { again });
    }
    if view.is_fresh(current.id()) {
        step
    } else {
        Step::Read(current.id().to_owned())
    }
}

/// The object cannot become what it should be. One that was begun before takes its place, or a new one does, of a revision
/// that is recorded first.
fn replace<P: Planned>(view: &View<'_, P>, current: &Arc<P::Held>, what: String) -> Step<P> {
    if let (Some(next), Some(desired)) = (view.begun(), view.desired) {
        let revision = next.mark().map_or(1, Mark::revision);
        let plan = desired(revision).and_then(|desired| P::plan(&desired, next));
        if view.replaces || !matches!(plan, Ok(Plan::Replace(_))) {
            return Step::Take(next.clone(), Origin::Known);
        }
    }
    // What carries no mark, or another one, is not ours to be replaced.
    let ours = current.mark().is_some_and(|it| it.claim() == view.claim);
    if !ours || !view.replaces {
        return Step::Stop(if view.was_synced {
            Error::Drifted(what)
        } else {
            Error::ReplaceRequired(what)
        });
    }
    match (confirmed(view, current, Step::Reserve), view.drawn()) {
        (Step::Reserve, Some(revision)) => create(view, revision, None, Some(what)),
        (Step::Reserve, None) if view.obsolete.len() >= OBSOLETE_MAX => invalid(format!(
            "{OBSOLETE_MAX} objects that were replaced are still at Adobe: let them be deleted first"
        )),
        (first, _) => first,
    }
}

/// Deletes what was replaced, and what was to replace the present object before the spec went back, as soon as nothing uses
/// it. Both are known by their ids: what else carries the mark is a duplicate, which is left alone.
fn tidy_up<P: Planned>(view: &View<'_, P>, current: &Arc<P::Held>) -> Step<P> {
    let progress = view.progress;
    if view.unknown_create == Some(Duration::ZERO) && !progress.list_failed {
        // A replacement without an answer, which the spec no longer asks for, may be there all the same.
        return Step::List { required: false };
    }
    if let Some(given_up) = view.begun().filter(|it| it.id() != current.id()) {
        return Step::Record(given_up.id().to_owned());
    }
    let others = view.obsolete.iter();
    let mut others = others
        .filter(|id| *id != current.id() && !progress.retained.contains(*id))
        .peekable();
    if others.peek().is_some() && !view.is_fresh(current.id()) {
        // Nothing else is given up before it is sure that this one is there.
        return Step::Read(current.id().to_owned());
    }
    let mut in_use = !progress.retained.is_empty();
    for other in others {
        match (view.user)(other) {
            Some(_) => in_use = true,
            None => return Step::Retire(other.clone()),
        }
    }
    Step::Done(match view.unknown_create {
        _ if in_use => Some(Retry::Poll),
        Some(Duration::ZERO) => Some(Retry::After(TIDYING)),
        Some(left) => Some(Retry::After(left)),
        None => None,
    })
}

/// Deletes the objects that the status names. An object that only its mark names is recorded there first, and one at most:
/// what is left of several stays, and is reported as an orphan.
fn delete<P: Planned>(view: &View<'_, P>) -> Step<P> {
    if let Some(kind) = view.unlisted_user {
        return Step::Stop(Error::Unlisted(kind));
    }
    // What may have been created, be it the first object, a replacement or a part, is waited and looked for.
    match view.unknown_create {
        Some(Duration::ZERO) => return Step::List { required: true },
        Some(left) => return unknown(left),
        None => {}
    }
    if let Some(begun) = view.begun() {
        return Step::Record(begun.id().to_owned());
    }
    let claimed = view.claimed.iter().map(|it| it.id());
    let parts = claimed.filter(|id| view.parts.iter().any(|part| part == id));
    let known = view.known_id.iter().chain(&view.obsolete);
    let mut ids: Vec<_> = known.map(String::as_str).chain(parts).collect();
    if let (true, Some(only)) = (ids.is_empty(), view.claimed.first()) {
        return Step::Record(only.id().to_owned());
    }
    ids.sort_unstable();
    let next = ids.into_iter().find(|id| !view.progress.done.contains(*id));
    match next.map(|id| (id, (view.user)(id))) {
        None => Step::Done(None),
        Some((_, Some(user))) => Step::Stop(Error::UsedAtAdobe(user)),
        Some((id, None)) => Step::Delete(id.to_owned()),
    }
}

/// What a user reads where Adobe does not keep the mark.
fn cut(id: &str) -> String {
    format!(
        "Adobe did not keep the owner mark that was written on {id}, or only a part of it: its description or name is too \
         long with the mark. Shorten `spec.description` or the resource's name. Until then the object is not found again if \
         this status is lost. If somebody edited it instead, set the annotation `aep-operator.io/requested-at`"
    )
}

fn missing<P: Planned>(id: &str, again: Duration) -> Step<P> {
    let id = id.to_owned();
    Step::Stop(Error::Missing { id, again })
}

fn unknown<P: Planned>(again: Duration) -> Step<P> {
    Step::Stop(Error::CreateUnknown { again })
}

fn invalid<P: Planned>(text: String) -> Step<P> {
    Step::Stop(Error::Invalid(text))
}
