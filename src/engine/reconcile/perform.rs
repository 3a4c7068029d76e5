//! Carries out, step by step, what [`decide`] decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::conditions::{Outcome, set_outcome};
use super::context::Context;
use super::decide::decide;
use super::finalizer;
use super::report::Report;
use super::view::{Origin, Progress, Step, View, resource};
use crate::adobe::Class;
use crate::api::condition_types::READY;
use crate::api::{AdoptionPolicy, ConditionStatus, ReplacePolicy};
use crate::engine::error::{Error, Result, Retry};
use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::kind::{ManagedKind, Objects};
use crate::engine::mark::Mark;
use crate::engine::registry::CreateOutcome;
use crate::engine::sandbox::{AnyCollection as _, Collection, Session};

/// More steps than any object takes; more means that two of them undo each other.
const STEPS: usize = 200;

/// One object on its way to what the spec says, or to its deletion.
struct Work<'w, 'a, K: ManagedKind> {
    cx: &'w Context<'a, K>,
    session: Arc<Session>,
    collection: Arc<Collection<K::Held>>,
    report: &'w mut Report<K>,
    refs: Option<K::Refs>,
    progress: Progress<K>,
}

/// Brings Adobe to what the spec says, or deletes what the resource owns there, and notes in the status what is there
/// whatever becomes of it. Gives when to come back although all is well, if something remains to be tidied up.
pub async fn perform<K: ManagedKind>(
    cx: &Context<'_, K>,
    report: &mut Report<K>,
) -> Result<Option<Retry>> {
    let session = cx.session()?;
    let collection = session.collection::<K>();
    let _slot = cx.slot(&collection.slots)?;
    if !collection.is_listed() {
        // Before the first list, the lack of an object proves nothing. Its end enqueues all.
        return Err(collection.trouble().map_or(Error::Opening, Into::into));
    }
    let work = Work {
        cx,
        session,
        collection,
        report,
        refs: None,
        progress: Progress::default(),
    };
    work.run().await
}

impl<K: ManagedKind> Work<'_, '_, K> {
    async fn run(mut self) -> Result<Option<Retry>> {
        for _ in 0..STEPS {
            match self.decide() {
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

    fn decide(&self) -> Step<K> {
        let (cx, collection) = (self.cx, &self.collection);
        let desired = |revision| self.desired(revision);
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
            unknown_create: self.lists_tell_from().map(left),
            unlisted_user: self.session.unlisted_user(K::KIND),
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

    async fn carry_out(&mut self, step: Step<K>) -> Result<()> {
        match step {
            Step::Done(_) | Step::Stop(_) => {}
            Step::Dereference => {
                let (resource, lookup) = (self.cx.resource(), self.cx.lookup());
                self.refs = Some(resource.dereference(&lookup, &self.session).await?);
            }
            Step::Read(id) => self.read(&id).await?,
            Step::Find(revision) => {
                let desired = self.desired(revision)?;
                let found = K::Objects::find(&self.session, &desired).await?;
                self.progress.found = Some((revision, found));
            }
            Step::List { required } => self.list(required).await?,
            Step::Probe(id) => {
                if K::is_hidden(&self.session, &id).await? {
                    return Err(Error::Hidden(id));
                }
                self.progress.not_hidden.insert(id);
            }
            Step::Take(object, origin) => self.take(object, origin)?,
            Step::AddFinalizer => {
                finalizer::add(self.cx).await?;
                self.progress.finalizer = true;
            }
            Step::Create(revision, reason) => self.create(revision, reason).await?,
            Step::Update(change) => self.update(change).await?,
            Step::Retire(id) => self.retire(&id).await?,
            Step::Delete(id) => self.delete(&id).await?,
        }
        Ok(())
    }

    fn claim(&self) -> Mark {
        self.cx.claim(&self.session)
    }

    fn desired(&self, revision: u32) -> Result<K::Desired> {
        let refs = self.refs.as_ref().ok_or(Error::Opening)?;
        let mark = self.claim().at(revision);
        let resource = self.cx.resource();
        resource.desired(refs, mark, &self.session.tenant)
    }

    /// The custom resource whose object at Adobe uses this one, whatever its spec says now.
    fn user(&self, id: &str) -> Option<String> {
        let users = self.session.users(id).into_iter();
        let ours = users.filter(|mark| mark.owner() == self.session.owner);
        let keys = ours.map(|mark| key(&mark));
        let others = keys.filter(|key| key != self.cx.key() && self.cx.engine().queues.has(key));
        others.min().map(|key| key.to_string())
    }

    /// From when on a list tells for sure what came of a create that may have taken effect, if there was one.
    fn lists_tell_from(&self) -> Option<Instant> {
        let engine = self.cx.engine();
        let outcome = engine.queues.registry.create_outcome(self.cx.identity());
        let last = match outcome {
            Some(CreateOutcome::Known) => return None,
            Some(CreateOutcome::Unknown(last)) => last,
            // What an earlier process sent was on its way when this one started.
            None => self.may_have_created().then(|| engine.all_arrived())?,
        };
        Some(last + engine.settings.list_lag)
    }

    /// Whether an earlier process may have sent a create of which nothing tells but the finalizer: the first one, one in the
    /// place of an object that was missing, or where an object is replaced or made of parts, a later one.
    fn may_have_created(&self) -> bool {
        let ready = self.cx.common().and_then(|it| it.condition(READY));
        let synced = ready.is_some_and(|it| it.status == ConditionStatus::True);
        let more = K::COMPOSITE || self.cx.resource().replace_policy() == ReplacePolicy::Recreate;
        self.cx.has_finalizer() && (more || !synced || self.cx.known_id().is_none())
    }

    fn note_create(&self, outcome: CreateOutcome) {
        let registry = &self.cx.engine().queues.registry;
        registry.note_create(self.cx.identity(), outcome);
    }

    /// Writes what is there into the status.
    fn record(&mut self) {
        let Some(current) = self.progress.current.clone() else {
            return;
        };
        let ours = current.mark().filter(|it| it.claim() == self.claim());
        let Ok(desired) = self.desired(ours.map_or(1, Mark::revision)) else {
            return;
        };
        let status = &mut self.report.status;
        K::record(&desired, &current, status);
        if current.is_whole() {
            status.as_mut().id = Some(current.id().to_owned());
        }
    }

    /// Takes in an object that was just read or written, as the current one.
    fn put(&mut self, object: K::Held) {
        let object = self.collection.index(|it| it.put(object));
        self.progress.fresh.insert(object.id().to_owned());
        self.progress.current = Some(object);
    }

    fn is_current(&self, id: &str) -> bool {
        let current = self.progress.current.as_ref();
        current.is_some_and(|it| it.id() == id)
    }

    async fn read(&mut self, id: &str) -> Result<()> {
        if let Some(object) = K::Objects::read(&self.session, id).await? {
            let object = self.collection.index(|it| it.put(object));
            self.progress.fresh.insert(id.to_owned());
            if self.is_current(id) {
                self.progress.current = Some(object);
            }
            return Ok(());
        }
        let shown = self.collection.index(|it| it.deny(id));
        self.progress.denied.insert(id.to_owned());
        if self.is_current(id) || self.cx.external_id().as_deref() != Some(id) {
            let engine = self.cx.engine();
            let registry = &engine.queues.registry;
            registry.note_missing(self.cx.identity(), shown, engine.all_arrived());
        }
        Ok(())
    }

    async fn list(&mut self, required: bool) -> Result<()> {
        let from = self.lists_tell_from().unwrap_or_else(Instant::now);
        let session = &self.session;
        let list = || K::Objects::list(session);
        match self.collection.list_after(from, list).await {
            Ok(()) => self.note_create(CreateOutcome::Known),
            Err(error) if required => return Err(error),
            Err(error) => {
                tracing::debug!(%error, "list failed, it will be repeated");
                self.progress.list_failed = true;
                return Ok(());
            }
        }
        self.progress.listed = true;
        if let Some(current) = self.progress.current.take() {
            let mark = current.mark();
            let claim = self.claim();
            let listed = self.collection.index(|it| {
                let claimed = it.claimed(&claim);
                let same = claimed.into_iter().find(|it| it.mark() == mark);
                same.or_else(|| it.get(current.id()))
            });
            self.progress.fresh.remove(current.id());
            self.progress.current = Some(listed.unwrap_or(current));
        }
        Ok(())
    }

    fn take(&mut self, object: Arc<K::Held>, origin: Origin) -> Result<()> {
        let (id, claim) = (object.id().to_owned(), self.claim());
        if object.mark().map(Mark::claim).as_ref() != Some(&claim) {
            let exists = |mark: &Mark| self.cx.engine().queues.has(&key(mark));
            let reserved = self.collection.index(|it| it.reserve(&id, &claim, exists));
            reserved.map_err(|other| Error::AlreadyOwned {
                id: id.clone(),
                other: resource(&other),
            })?;
        }
        let events = &mut self.report.events;
        match origin {
            Origin::Known => {
                self.progress.current = Some(object);
                return Ok(());
            }
            Origin::Recovered => events.normal("Recovered", format!("found {id} at Adobe again")),
            Origin::Adopted => events.normal("Adopted", format!("took over {id}")),
        }
        if origin == Origin::Recovered && object.is_whole() {
            self.note_create(CreateOutcome::Known);
        }
        self.put(Arc::unwrap_or_clone(object));
        Ok(())
    }

    async fn create(&mut self, revision: u32, reason: Option<String>) -> Result<()> {
        let desired = self.desired(revision)?;
        let session = self.session.clone();
        let created = self.tracked(K::create(&session, &desired)).await?;
        let events = &mut self.report.events;
        let id = created.id();
        events.normal("Created", format!("created {id} at Adobe"));
        if let (Some(what), Some(old)) = (reason, &self.progress.current) {
            let text = format!(
                "{id} replaces {}, since {what} cannot be changed in place",
                old.id()
            );
            events.normal("Replaced", text);
        }
        self.put(created);
        Ok(())
    }

    /// Awaits something that creates. Until there is a good answer, or a clear refusal, it may have taken effect.
    async fn tracked<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let timeout = self.cx.engine().settings.request_timeout;
        let unknown = || CreateOutcome::Unknown(Instant::now() + timeout);
        // Should the reconcile be dropped before the answer is there, this stays.
        self.note_create(unknown());
        let done = work.await;
        let ambiguous = matches!(&done, Err(Error::Adobe(error)) if error.is_ambiguous());
        // The call may have waited for its turn, so the time counts from now.
        self.note_create(if ambiguous {
            unknown()
        } else {
            CreateOutcome::Known
        });
        done
    }

    async fn update(&mut self, change: K::Change) -> Result<()> {
        let Some(current) = self.progress.current.clone() else {
            return Ok(());
        };
        self.report_progress().await?;
        tracing::debug!(?change, "updating");
        let ours = current.mark().filter(|it| it.claim() == self.claim());
        let desired = self.desired(ours.map_or(1, Mark::revision))?;
        let (session, creates) = (self.session.clone(), K::creates(&change));
        let update = K::update(&session, &desired, &current, change);
        let updated = if creates {
            self.tracked(update).await
        } else {
            update.await
        };
        if let Err(Error::Adobe(error)) = &updated
            && (error.is_ambiguous() || *error.class() == Class::Stale)
            && !creates
        {
            // Whether it took effect, or who changed it meanwhile, only a read can tell.
            self.collection.index(|it| it.mark_stale(current.id()));
        }
        let updated = updated?;
        if updated.id() != current.id() {
            // What an interrupted create had left behind has become part of something larger.
            self.collection.index(|it| it.forget(current.id()));
        }
        let text = format!("updated {} at Adobe", updated.id());
        self.report.events.normal("Updated", text);
        self.put(updated);
        Ok(())
    }

    /// Writes the id of a new object before more steps are taken: whatever happens to them, it is not lost.
    async fn report_progress(&mut self) -> Result<()> {
        let Some(current) = &self.progress.current else {
            return Ok(());
        };
        let told = self.cx.known_id() == Some(current.id());
        if told || !current.is_whole() || self.report.has_written() {
            return Ok(());
        }
        let status = self.report.status.as_mut();
        set_outcome(status, self.cx.generation(), &Outcome::Progressing);
        self.report.try_write(self.cx, false).await
    }

    async fn retire(&mut self, id: &str) -> Result<()> {
        self.report_progress().await?;
        let Some(object) = self.still_ours(id).await? else {
            self.collection.index(|it| it.deny(id));
            return Ok(());
        };
        if let Err(error) = K::retire(&self.session, &object).await {
            tracing::debug!(id, %error, "still needed");
            self.progress.retained.insert(id.to_owned());
            return Ok(());
        }
        self.collection.index(|it| it.forget(id));
        let text = format!("deleted {id}, which was replaced");
        self.report.events.normal("Deleted", text);
        // Something that it used may be used no longer.
        for key in self.cx.references() {
            self.cx.engine().queues.enqueue(&key);
        }
        Ok(())
    }

    async fn delete(&mut self, id: &str) -> Result<()> {
        if let Some(object) = self.still_ours(id).await? {
            K::Objects::delete(&self.session, &object).await?;
            let text = format!("deleted {id} at Adobe");
            self.report.events.normal("Deleted", text);
        }
        self.collection.index(|it| it.forget(id));
        self.progress.done.insert(id.to_owned());
        Ok(())
    }

    /// The object, unless it is gone or bears our mark no longer. It is read anew: what the last list showed may be ten
    /// minutes old, and a deletion cannot be taken back.
    async fn still_ours(&mut self, id: &str) -> Result<Option<K::Held>> {
        let claim = self.claim();
        let ours = |object: &K::Held| object.mark().is_some_and(|it| it.claim() == claim);
        match K::Objects::read(&self.session, id).await? {
            Some(object) if ours(&object) => Ok(Some(object)),
            Some(_) => {
                let text = format!("{id} does not bear our mark any more: left at Adobe");
                self.report.events.warning("Released", text);
                Ok(None)
            }
            None if K::is_hidden(&self.session, id).await? => Err(Error::Hidden(id.to_owned())),
            // What it was made of may still be there, as after a deletion that was cut off.
            None => {
                let known = self.collection.index(|it| it.get(id));
                let known = known.filter(|it| ours(it));
                Ok(known.map(Arc::unwrap_or_clone))
            }
        }
    }
}

fn left(instant: Instant) -> Duration {
    instant.saturating_duration_since(Instant::now())
}

/// The custom resource that a mark names.
fn key(mark: &Mark) -> Key {
    let (namespace, name) = mark.object();
    Key::new(mark.kind(), namespace, name)
}
