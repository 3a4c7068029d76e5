//! One object on its way to what the spec says, or to its deletion: what the steps of a reconcile share.

use std::sync::Arc;
use std::time::Instant;

use super::context::Context;
use super::report::Report;
use super::view::Progress;
use crate::api::condition_types::READY;
use crate::api::{ConditionStatus, ReplacePolicy};
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::key::Key;
use crate::engine::kind::ManagedKind;
use crate::engine::mark::Mark;
use crate::engine::registry::CreateOutcome;
use crate::engine::sandbox::{Collection, Session};

/// One object on its way to what the spec says, or to its deletion.
pub(super) struct Work<'w, 'a, K: ManagedKind> {
    pub cx: &'w Context<'a, K>,
    pub session: Arc<Session>,
    pub collection: Arc<Collection<K::Held>>,
    pub report: &'w mut Report<K>,
    pub refs: Option<K::Refs>,
    /// What Adobe should hold, as it was last worked out, and for which revision.
    pub desired: Option<(u32, Arc<K::Desired>)>,
    pub progress: Progress<K>,
}

impl<K: ManagedKind> Work<'_, '_, K> {
    pub(super) fn claim(&self) -> Mark {
        self.cx.claim(&self.session)
    }

    pub(super) fn desired(&self, revision: u32) -> Result<Arc<K::Desired>> {
        if let Some((of, desired)) = &self.desired
            && *of == revision
        {
            return Ok(desired.clone());
        }
        let refs = self.refs.as_ref().ok_or(Error::Opening)?;
        let mark = self.claim().at(revision);
        let resource = self.cx.resource();
        let mut desired = resource.desired(refs, mark, &self.session.tenant)?;
        if let Some(old) = self.predecessor(revision) {
            K::inherit(&mut desired, &old);
        }
        Ok(Arc::new(desired))
    }

    /// The object that the one of this revision replaces, as long as it is there.
    fn predecessor(&self, revision: u32) -> Option<Arc<K::Held>> {
        if revision == 1 {
            return None;
        }
        let status = self.report.status.as_ref();
        let known = status.id.iter().chain(status.obsolete_ids.iter().rev());
        let mut known = known.filter_map(|id| self.collection.index(|it| it.get(id)));
        known.find(|it| it.mark().is_some_and(|it| it.revision() < revision))
    }

    /// The revision of the next replacement, if it was drawn.
    pub(super) fn next_revision(&self) -> Option<u32> {
        let next = self.report.status.as_ref().next_revision?;
        u32::try_from(next).ok()
    }

    /// The custom resource whose object at Adobe uses this one, whatever its spec says now.
    pub(super) fn user(&self, id: &str) -> Option<String> {
        let users = self.session.users(id).into_iter();
        let ours = users.filter(|mark| mark.owner() == self.session.owner);
        let keys = ours.map(|mark| key(&mark));
        let others = keys.filter(|key| key != self.cx.key() && self.cx.engine().queues.has(key));
        others.min().map(|key| key.to_string())
    }

    /// From when on a list is conclusive about a create that may have taken effect, if there was one: the latest moment at
    /// which it can have taken effect, and how long lists lag behind. An object that vanished is created again no sooner.
    pub(super) fn list_conclusive_from(&self) -> Option<Instant> {
        let engine = self.cx.engine();
        let outcome = engine.queues.registry.create_outcome(self.cx.identity());
        let last = match outcome {
            Some(CreateOutcome::Known) => return None,
            Some(CreateOutcome::Unknown(last)) => last,
            // What an earlier process sent was on its way when this one started.
            None => self
                .may_have_created()
                .then(|| engine.earlier_requests_done_at())?,
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

    pub(super) fn note_create(&self, outcome: CreateOutcome) {
        let registry = &self.cx.engine().queues.registry;
        registry.note_create(self.cx.identity(), outcome);
    }

    /// Writes what is there into the status.
    pub(super) fn record(&mut self) {
        let Some(current) = self.progress.current.clone() else {
            return;
        };
        let registry = &self.cx.engine().queues.registry;
        let there = !self.progress.denied.contains(current.id());
        if there && registry.found(self.cx.identity()) {
            self.enqueue_referrers();
        }
        let ours = current.mark().filter(|it| it.claim() == self.claim());
        let revision = ours.map_or(1, Mark::revision);
        let Ok(desired) = self.desired(revision) else {
            return;
        };
        self.desired = Some((revision, desired.clone()));
        if current.is_whole() {
            self.name_in_status(current.id());
        }
        K::record(&desired, &current, &mut self.report.status);
    }
}

/// The custom resource that a mark names.
pub(super) fn key(mark: &Mark) -> Key {
    let (namespace, name) = mark.object();
    Key::new(mark.kind(), namespace, name)
}
