//! The steps of a reconcile, carried out.

use std::sync::Arc;
use std::time::Instant;

use super::conditions::{Outcome, set_outcome};
use super::finalizer;
use super::view::{Origin, Step, resource};
use super::work::{Work, key};
use crate::adobe::Class;
use crate::engine::difference::Difference;
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::kind::{ManagedKind, Objects};
use crate::engine::mark::Mark;
use crate::engine::reasons;
use crate::engine::registry::CreateOutcome;

impl<K: ManagedKind> Work<'_, '_, K> {
    /// Carries one step out.
    pub(super) async fn carry_out(&mut self, step: Step<K>) -> Result<()> {
        match step {
            Step::Done(_) | Step::Stop(_) => {}
            Step::Dereference => {
                self.check_references()?;
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
            Step::Reserve => self.reserve().await?,
            Step::Record(id) => self.record_obsolete(id).await?,
            Step::Create(revision, reason) => self.create(revision, reason).await?,
            Step::Update(change) => self.update(change).await?,
            Step::Retire(id) => self.retire(&id).await?,
            Step::Delete(id) => self.delete(&id).await?,
        }
        Ok(())
    }

    /// Takes in an object that was just read or written, as the current one.
    fn put(&mut self, object: K::Held) {
        let object = self.collection.index(|it| it.put(object));
        self.progress.fresh.insert(object.id().to_owned());
        self.progress.current = Some(object);
    }

    pub(super) fn is_current(&self, id: &str) -> bool {
        let current = self.progress.current.as_ref();
        current.is_some_and(|it| it.id() == id)
    }

    /// The object is missing, since a list lacks it or else from now on. It may not be the only one, so everything is looked at
    /// again.
    pub(super) fn note_missing(&self, id: &str, shown: bool) {
        let engine = self.cx.engine();
        let registry = &engine.queues.registry;
        let first = self.cx.missing_since().is_none();
        let absent = self.collection.absent_since(id).filter(|_| !shown);
        let since = registry.note_missing(
            self.cx.identity(),
            (shown, absent.unwrap_or_else(Instant::now)),
            engine.earlier_requests_done_at(),
        );
        self.session.request_resync(since);
        if first && self.session.unchecked().is_some() {
            engine.queues.enqueue(&self.cx.home());
        }
    }

    /// What is missing at Adobe has no id that others could use. If the object itself is missing, too, what it refers to must
    /// have been seen since.
    fn check_references(&self) -> Result<()> {
        let queues = &self.cx.engine().queues;
        let missing = self.cx.missing_since().is_some();
        let gone = |key: &Key| {
            let id = queues.adobe_id(key).filter(|_| missing);
            queues.registry.missing_since(key).is_some()
                || id.is_some_and(|id| !self.session.has(key.kind, &id))
        };
        match self.cx.references().into_iter().find(gone) {
            Some(key) => Err(Error::Waiting {
                reference: key.reference(),
                why: "its object was not found at Adobe".into(),
            }),
            None => Ok(()),
        }
    }

    /// Those who refer to this resource may go on.
    pub(super) fn enqueue_referrers(&self) {
        for key in self.cx.referrers() {
            self.cx.engine().queues.enqueue(&key);
        }
    }

    async fn list(&mut self, required: bool) -> Result<()> {
        let from = self.list_conclusive_from().unwrap_or_else(Instant::now);
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
            let claim = self.claim();
            // What an interrupted create had left behind may have become part of something larger.
            let part = !current.is_whole();
            let listed = self.collection.index(|it| {
                let mut claimed = it.claimed(&claim).into_iter().filter(|_| part);
                let same = claimed.find(|it| it.mark() == current.mark());
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
                self.succeed(&object);
                self.progress.current = Some(object);
                return Ok(());
            }
            Origin::Recovered => events.normal("Recovered", format!("found {id} at Adobe again")),
            Origin::Adopted => events.normal("Adopted", format!("took over {id}")),
        }
        if origin == Origin::Recovered && object.is_whole() {
            self.note_create(CreateOutcome::Known);
        }
        self.succeed(&object);
        self.put(Arc::unwrap_or_clone(object));
        Ok(())
    }

    async fn create(&mut self, revision: u32, reason: Option<String>) -> Result<()> {
        if reason.is_none() {
            self.cx.check_limit()?;
        }
        let desired = self.desired(revision)?;
        let session = self.session.clone();
        let created = self.tracked(K::create(&session, &desired)).await?;
        let events = &mut self.report.events;
        let id = created.id();
        events.normal("Created", format!("created {id} at Adobe"));
        if let (Some(what), Some(old)) = (&reason, &self.progress.current) {
            let text = format!(
                "{id} replaces {}, since {what} cannot be changed in place",
                old.id()
            );
            events.normal("Replaced", text);
        }
        self.collection.created.add(created.id());
        if reason.is_some() {
            self.succeed(&created);
        }
        self.sign(created.id(), revision);
        self.put(created);
        Ok(())
    }

    /// The mark was written on an object.
    fn sign(&self, id: &str, revision: u32) {
        let mark = self.claim().at(revision);
        self.collection.index(|it| it.sign(id, mark));
    }

    /// Awaits something that creates. Until there is a good answer, or a clear refusal, it may have taken effect.
    async fn tracked<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let timeout = self.cx.engine().settings.request_timeout;
        let unknown = || CreateOutcome::Unknown(Instant::now() + timeout);
        // Should the reconcile be dropped before the answer is there, this stays.
        self.note_create(unknown());
        let done = work.await;
        let ambiguous = matches!(&done, Err(Error::Adobe(error)) if error.is_ambiguous());
        // The call may have waited for the rate limit, so the time counts from now.
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
        self.collection.created.remove(current.id());
        let ours = current.mark().filter(|it| it.claim() == self.claim());
        let revision = ours.map_or(1, Mark::revision);
        let desired = self.desired(revision)?;
        let (session, creates) = (self.session.clone(), K::creates(&change));
        let changed = told(&K::differences(&desired, &current, &change));
        let changed = session.adobe().redacted(&changed);
        let renames = !K::is_namesake(&desired, &current);
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
        let text = format!("updated {} at Adobe{changed}", updated.id());
        self.report.events.normal("Updated", text);
        self.sign(updated.id(), revision);
        self.put(updated);
        if renames {
            self.enqueue_contenders();
        }
        Ok(())
    }

    /// Writes the id of a new object before more steps are taken: whatever happens to them, it is not lost.
    async fn report_progress(&mut self) -> Result<()> {
        let Some(current) = &self.progress.current else {
            return Ok(());
        };
        let reported = self.cx.known_id() == Some(current.id());
        if reported || !current.is_whole() || self.report.has_written() {
            return Ok(());
        }
        let status = self.report.status.as_mut();
        set_outcome(status, self.cx.generation(), &Outcome::Progressing);
        self.report.try_write(self.cx, false).await
    }

    async fn retire(&mut self, id: &str) -> Result<()> {
        self.report_progress().await?;
        // Whatever happens now, the status names what may be deleted.
        self.report.try_write(self.cx, false).await?;
        let Some(object) = self.still_ours(id).await? else {
            self.collection.index(|it| it.not_found(id));
            self.forget_obsolete(id);
            return Ok(());
        };
        if let Err(error) = self.let_go(&object).await {
            tracing::debug!(id, %error, "still needed");
            let staying = matches!(error, Error::HasRecords(_));
            if staying && self.collection.index(|it| it.note_staying(id)) {
                let text = format!("what was replaced stays at Adobe: {error}");
                let events = &mut self.report.events;
                events.warning_about(id, reasons::DELETION_BLOCKED, text);
            }
            self.progress.retained.insert(id.to_owned());
            return Ok(());
        }
        self.collection.index(|it| it.forget(id));
        self.forget_obsolete(id);
        let text = format!("deleted {id}, which was replaced");
        self.report.events.normal("Deleted", text);
        // Something that it used may be used no longer.
        for key in self.cx.references() {
            self.cx.engine().queues.enqueue(&key);
        }
        self.enqueue_contenders();
        Ok(())
    }

    /// Deletes what was replaced, if that may be.
    async fn let_go(&self, object: &K::Held) -> Result<()> {
        let resource = self.cx.resource();
        resource.may_delete(&self.session, object).await?;
        K::retire(&self.session, object).await
    }

    /// A name may be free now that another resource wants.
    fn enqueue_contenders(&self) {
        for key in self.collection.contenders() {
            self.cx.engine().queues.enqueue_changed(&key);
        }
    }

    async fn delete(&mut self, id: &str) -> Result<()> {
        self.collection.created.remove(id);
        if let Some(object) = self.still_ours(id).await? {
            let resource = self.cx.resource();
            resource.may_delete(&self.session, &object).await?;
            K::Objects::delete(&self.session, &resource.owned(object)).await?;
            let text = format!("deleted {id} at Adobe");
            self.report.events.normal("Deleted", text);
        }
        self.collection.index(|it| it.forget(id));
        self.enqueue_contenders();
        self.progress.done.insert(id.to_owned());
        Ok(())
    }

    /// The object, unless it is gone or carries our mark no longer. It is read anew: what the last list showed may be ten
    /// minutes old, and a deletion cannot be taken back.
    async fn still_ours(&mut self, id: &str) -> Result<Option<K::Held>> {
        let claim = self.claim();
        let ours = |object: &K::Held| object.mark().is_some_and(|it| it.claim() == claim);
        match K::Objects::read(&self.session, id).await? {
            Some(object) if ours(&object) => Ok(Some(object)),
            Some(_) => {
                let text = format!("{id} does not bear our mark any more: left at Adobe");
                self.report.events.warning_about(id, "Released", text);
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

/// The end of a sentence that names what was changed.
fn told(differences: &[Difference]) -> String {
    let texts: Vec<_> = differences.iter().map(ToString::to_string).collect();
    match texts[..] {
        [] => String::new(),
        _ => format!(": {}", texts.join(", ")),
    }
}
