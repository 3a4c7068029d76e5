//! Carries out, step by step, what [`decide`] decides.

use std::time::{Duration, Instant};

use super::context::Context;
use super::decide::decide;
use super::report::Report;
use super::view::{Progress, Step, View, resource};
use super::work::{Work, key};
use crate::api::{AdoptionPolicy, ReplacePolicy};
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::kind::ManagedKind;
use crate::engine::sandbox::{AnyCollection as _, Collection};
use crate::engine::verdict::Retry;

/// More steps than any object takes; more means that two of them undo each other.
const STEPS: usize = 200;

/// Brings Adobe to what the spec says, or deletes what the resource owns there, and notes in the status what is there
/// whatever becomes of it. Returns when to come back although all is well, if something remains to be tidied up.
pub async fn perform<K: ManagedKind>(
    cx: &Context<'_, K>,
    report: &mut Report<K>,
) -> Result<Option<Retry>> {
    let session = cx.session()?;
    let collection = session.collection::<K>();
    let _slot = cx.slot(&collection.slots)?;
    if !collection.is_listed() {
        // Before the first list, the lack of an object proves nothing. Its end enqueues all.
        return Err(collection.list_error().map_or(Error::Opening, Into::into));
    }
    let work = Work {
        cx,
        session,
        collection: collection.clone(),
        report,
        refs: None,
        desired: None,
        progress: Progress::default(),
    };
    let result = work.run().await;
    result.map_err(|error| match error.title_holder() {
        Some(id) => title_taken(cx, &collection, id),
        None => error,
    })
}

/// Has the resource reconciled as soon as another object here is renamed or deleted, and names the one that has the title.
fn title_taken<K: ManagedKind>(
    cx: &Context<'_, K>,
    collection: &Collection<K::Held>,
    id: &str,
) -> Error {
    collection.contend(cx.key());
    let held = collection.index(|it| it.get(id));
    let holder = held.and_then(|it| it.mark().map(resource));
    Error::TitleTaken {
        id: match holder {
            Some(holder) => format!("{id} of {holder}"),
            None => id.to_owned(),
        },
    }
}

impl<K: ManagedKind> Work<'_, '_, K> {
    async fn run(mut self) -> Result<Option<Retry>> {
        for _ in 0..STEPS {
            match self.next_step() {
                Step::Done(retry) => {
                    if self.cx.is_deleting() {
                        let claim = self.claim();
                        self.collection.index(|it| it.release(&claim));
                    }
                    return Ok(retry);
                }
                Step::Stop(error) => return Err(error),
                step => self.carry_out(step).await?,
            }
            self.record();
        }
        Err(Error::Invalid(
            "the object does not settle at Adobe: two of its fields seem to exclude each other"
                .into(),
        ))
    }

    /// Gathers everything that matters, and decides.
    fn next_step(&self) -> Step<K> {
        let (cx, collection) = (self.cx, &self.collection);
        let desired = |revision| self.desired(revision);
        let unapproved = || cx.unapproved(&self.session);
        let claim = self.claim();
        let resource = cx.resource();
        decide(&View {
            known_id: cx.known_id().map(ToOwned::to_owned),
            external_id: cx.external_id(),
            requested: cx.is_requested(),
            has_finalizer: cx.has_finalizer() || self.progress.finalizer,
            deleting: cx.is_deleting(),
            adopts: resource.management().adoption_policy == AdoptionPolicy::IfUnowned,
            replaces: resource.replace_policy() == ReplacePolicy::Recreate,
            established: cx.is_established(),
            refusal: cx.engine().queues.registry.refusal(cx.identity()),
            checked: cx
                .missing_since()
                .is_none_or(|since| self.session.is_checked(since)),
            unapproved: &unapproved,
            unknown_create: self.list_conclusive_from().map(left),
            unlisted_user: Some(K::KIND)
                .filter(|_| cx.is_deleting())
                .and_then(|kind| self.session.unlisted_user(kind)),
            claimed: collection.index(|it| it.claimed(&claim)),
            object: &|id| collection.index(|it| it.get(id)),
            is_stale: &|id| collection.index(|it| it.is_stale(id)),
            is_forgotten: &|id| collection.index(|it| it.is_forgotten(id, collection.lag())),
            exists: &|mark| cx.engine().queues.has(&key(mark)),
            user: &|id| self.user(id),
            desired: self.refs.as_ref().map(|_| &desired as _),
            progress: &self.progress,
            claim: claim.clone(),
        })
    }
}

fn left(instant: Instant) -> Duration {
    instant.saturating_duration_since(Instant::now())
}
