//! Carries out, step by step, what [`decide`] decides.

use std::time::{Duration, Instant};

use super::context::Context;
use super::decide::decide;
use super::report::Report;
use super::view::{Progress, Step, View, resource};
use super::work::{Work, key};
use crate::adobe::Class;
use crate::api::{AdoptionPolicy, ReplacePolicy};
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::kind::{ManagedKind, Objects as _};
use crate::engine::sandbox::{AnyCollection as _, Collection, Session};
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
    if !collection.is_listed() {
        // Before the first list, the lack of an object proves nothing. Its end enqueues all.
        return Err(collection.list_error().map_or(Error::Opening, Into::into));
    }
    check_readable(cx, &session, &collection).await?;
    let work = Work {
        cx,
        session: session.clone(),
        collection: collection.clone(),
        report,
        refs: None,
        desired: None,
        progress: Progress::default(),
    };
    let result = work.run().await;
    let title_holder = result.as_ref().err().and_then(Error::title_holder);
    if let Some(id) = title_holder {
        return Err(title_taken(cx, &session, &collection, id));
    }
    if !matches!(result, Err(Error::StillRefused { .. })) {
        collection.content(cx.key());
    }
    result
}

/// Fails if an object of this resource is there and cannot be read: it must be neither created again nor taken for deleted.
async fn check_readable<K: ManagedKind>(
    cx: &Context<'_, K>,
    session: &Session,
    collection: &Collection<K::Held>,
) -> Result<()> {
    let claim = cx.claim(session);
    let find = || collection.index(|it| it.unreadable().find(&claim, cx.known_id()).cloned());
    while let Some(found) = find() {
        let Some(id) = found.id else {
            return Err(found.error.into());
        };
        // It may have been mended since the last list.
        match K::Objects::read(session, &id).await {
            Ok(Some(held)) => drop(collection.index(|it| it.put(held))),
            Ok(None) => drop(collection.index(|it| it.not_found(&id))),
            Err(Error::Adobe(error)) if *error.class() == Class::Unreadable => {
                return Err(found.error.into());
            }
            Err(error) => return Err(error),
        }
        if collection.index(|it| it.unreadable().has(&id)) {
            return Err(found.error.into());
        }
    }
    Ok(())
}

/// Has the resource reconciled as soon as another object here is renamed or deleted, and names the one that has the title, and
/// those that wait for each other's titles.
fn title_taken<K: ManagedKind>(
    cx: &Context<'_, K>,
    session: &Session,
    collection: &Collection<K::Held>,
    id: &str,
) -> Error {
    let held = collection.index(|it| it.including(id));
    let mark = held.as_ref().and_then(|it| it.mark());
    let queues = &cx.engine().queues;
    let holder = mark.filter(|mark| mark.owner() == session.owner).map(key);
    let holder = holder.filter(|holder| queues.has(holder));
    let (circle, is_news) = collection.contend(cx.key(), holder);
    if is_news {
        // They learn that they wait for each other.
        for other in &circle {
            queues.enqueue_changed(other);
        }
    }
    Error::TitleTaken {
        id: match mark.map(resource) {
            Some(holder) => format!("{id} of {holder}"),
            None => id.to_owned(),
        },
        circle: circle.iter().map(ToString::to_string).collect(),
    }
}

impl<K: ManagedKind> Work<'_, '_, K> {
    async fn run(mut self) -> Result<Option<Retry>> {
        for _ in 0..STEPS {
            match self.next_step() {
                Step::Done(retry) => {
                    if let Some(current) = &self.progress.current {
                        self.collection.created.remove(current.id());
                    }
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
        let status = self.report.status.as_ref();
        decide(&View {
            known_id: cx.known_id().map(ToOwned::to_owned),
            obsolete: status.obsolete_ids.clone(),
            parts: K::parts(&self.report.status),
            next_revision: self.next_revision(),
            external_id: cx.external_id(),
            requested: cx.is_requested(),
            has_finalizer: cx.is_finalized() || self.progress.finalizer,
            deleting: cx.is_deleting(),
            adopts: resource.management().adoption_policy == AdoptionPolicy::IfUnowned,
            replaces: resource.replace_policy() == ReplacePolicy::Recreate,
            was_synced: cx.was_synced(),
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
            is_cut: &|id| collection.index(|it| it.is_cut(id)),
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
