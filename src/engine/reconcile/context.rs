//! What one reconcile is about. Nothing in it changes while it runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::{Resource as _, ResourceExt};

use crate::api::condition_types::READY;
use crate::api::{
    AepResource, CommonStatus, ConditionStatus, EXTERNAL_ID, FINALIZER, FORCE_DELETE, Kind,
    REQUESTED_AT, Reference, Sandbox, Target,
};
use crate::engine::error::{Error, Result};
use crate::engine::key::{Identity, Key};
use crate::engine::lookup::{Lookup, is_on_its_way};
use crate::engine::mark::Mark;
use crate::engine::parse::Fault;
use crate::engine::reasons;
use crate::engine::sandbox::Session;
use crate::engine::shared::Engine;

/// One reconcile of one custom resource.
#[derive(Debug)]
pub struct Context<'a, K: AepResource> {
    engine: &'a Engine,
    resource: Arc<K>,
    identity: Identity,
    /// How often what it relies on had changed when the reconcile began.
    changes: u64,
}

impl<'a, K: AepResource> Context<'a, K> {
    /// Begins. The changes are counted before the resource is looked at: what changes in between counts as not seen.
    pub(super) fn new(engine: &'a Engine, resource: Arc<K>) -> Self {
        let key = Key::of(resource.as_ref());
        let changes = engine.queues.registry.changes(&key);
        let latest = engine.queues.store::<K>();
        let latest = latest.and_then(|store| store.get(&key.object_ref()));
        let resource = latest.unwrap_or(resource);
        let identity = Identity::of(resource.as_ref());
        Self {
            resource: with_own_status(engine, resource, &identity),
            engine,
            identity,
            changes,
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// The custom resource, with our own last status even where the cache lags behind.
    #[must_use]
    pub fn resource(&self) -> &Arc<K> {
        &self.resource
    }

    /// What of it cannot be read, if there is anything.
    pub(super) fn fault(&self) -> Option<Arc<Fault>> {
        self.engine.queues.registry.fault(self.key())
    }

    /// Its status as of the beginning.
    #[must_use]
    pub fn status(&self) -> K::Status {
        self.resource.status().cloned().unwrap_or_default()
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.identity.key.namespace
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.key.name
    }

    pub(super) fn key(&self) -> &Key {
        &self.identity.key
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn common(&self) -> Option<&CommonStatus> {
        self.resource.status().map(AsRef::as_ref)
    }

    /// The Adobe id in status.
    #[must_use]
    pub fn known_id(&self) -> Option<&str> {
        self.common()?.id.as_deref()
    }

    /// `metadata.generation`.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.resource.meta().generation
    }

    /// Whether Adobe had what this very spec says.
    pub(super) fn was_synced(&self) -> bool {
        let synced = self.common().and_then(|it| it.synced_generation);
        synced.is_some() && synced == self.generation()
    }

    /// Looks up what the resource names.
    #[must_use]
    pub fn lookup(&self) -> Lookup<'_> {
        let bound = self.known_id().is_some() && self.missing_since().is_none();
        Lookup::new(self.engine, self.namespace(), bound)
    }

    /// As of when its object is missing, if it is.
    pub(super) fn missing_since(&self) -> Option<Instant> {
        self.engine.queues.registry.missing_since(self.key())
    }

    /// The session of the sandbox that the resource names.
    pub fn session(&self) -> Result<Arc<Session>> {
        let name = self.resource.management().sandbox_ref.name;
        let waiting = |why: &str| Error::Waiting {
            reference: Reference::new(Target::Kind(Kind::Sandbox), &name),
            why: why.to_owned(),
        };
        let session = self.engine.sessions.get(self.namespace(), &name);
        if let Some(state) = session.as_ref().and_then(|it| it.unusable()) {
            return Err(waiting(&format!("its state at Adobe is `{state}`")));
        }
        session.ok_or_else(|| {
            let sandbox = self.sandbox();
            let is_readable = self.engine.queues.registry.fault(&self.home()).is_none();
            if is_readable
                && sandbox
                    .as_ref()
                    .is_some_and(|it| is_on_its_way(it.as_ref()))
            {
                return Error::Pending(self.home().reference());
            }
            let ready = |it: Arc<Sandbox>| {
                let status = it.status.as_ref();
                status.is_some_and(|status| status.common.is_ready(it.meta().generation))
            };
            if sandbox.is_some_and(ready) {
                return Error::Opening;
            }
            waiting("it is not ready")
        })
    }

    /// It does not wait any more.
    pub(super) fn waits_no_longer(&self) {
        self.engine.queues.waits.end(self.key());
    }

    /// Something goes on in the sandbox, so that those who wait need not tell yet.
    pub(super) fn moved(&self) {
        self.engine.queues.waits.moved(&self.home());
    }

    /// Whether the status tells already that the resource, as it is now, waits for something else.
    pub(super) fn tells_of_wait(&self) -> bool {
        let common = self.common();
        let told = common.filter(|it| it.observed_generation == self.generation());
        let ready = told.and_then(|it| it.condition(READY));
        let waiting = [
            reasons::DEPENDENCY_NOT_READY,
            reasons::DELETION_BLOCKED,
            reasons::PROGRESSING,
        ];
        ready.is_some_and(|it| waiting.contains(&it.reason.as_str()))
    }

    /// The Sandbox that it belongs to.
    pub(super) fn home(&self) -> Key {
        let name = self.resource.management().sandbox_ref.name;
        Key::new(Kind::Sandbox, self.namespace(), &name)
    }

    /// Whether the sandbox may get one more object.
    pub(super) fn check_limit(&self) -> Result<()> {
        let (most, home) = (self.engine.settings.max_resources, self.home());
        let registry = &self.engine.queues.registry;
        let count = registry.count_referrers(self.namespace(), &home.reference());
        if u32::try_from(count).is_ok_and(|count| count <= most) {
            return Ok(());
        }
        Err(Error::LimitExceeded(format!(
            "more than {most} resources name Sandbox/{}, so those without an object at Adobe get none: delete some, or \
             raise `--max-resources-per-sandbox`",
            home.name
        )))
    }

    fn sandbox(&self) -> Option<Arc<Sandbox>> {
        let sandboxes = self.engine.queues.store::<Sandbox>()?;
        sandboxes.get(&self.home().object_ref())
    }

    /// When nearly everything in the sandbox was found gone, if nothing may be created before somebody approves.
    pub(super) fn unapproved(&self, session: &Session) -> Option<Error> {
        let time = session.reset()?;
        let sandbox = self.sandbox();
        // Where the Sandbox cannot be read, nobody knows what it says about that.
        let is_readable = self.engine.queues.registry.fault(&self.home()).is_none();
        if is_readable && sandbox.is_some_and(|it| it.allows_recreation(&time)) {
            return None;
        }
        Some(Error::Unapproved {
            sandbox: self.resource.management().sandbox_ref.name,
            time: time.0.to_string(),
        })
    }

    /// Whether the Sandbox has been ready for so long that what lies in it was seen before. In a cluster that is just being
    /// rebuilt, a resource may merely not have been applied yet.
    pub(super) fn is_established(&self) -> bool {
        let ready = self.sandbox().and_then(|it| ready_since(&it));
        let age = ready.map(|since| Timestamp::now().duration_since(since));
        let age = age.and_then(|it| Duration::try_from(it).ok());
        age >= Some(self.engine.settings.established)
    }

    /// The claim of this resource: its mark in the first revision.
    pub(super) fn claim(&self, session: &Session) -> Mark {
        Mark::new(&session.owner, K::KIND, self.namespace(), self.name())
    }

    /// Whether nothing may be changed: the resource says so, or its Sandbox.
    #[must_use]
    pub fn suspended(&self) -> bool {
        let whole = self.sandbox().is_some_and(|it| it.management().suspended());
        self.resource.management().suspended() || whole
    }

    /// Whether the resource is being deleted.
    pub(super) fn is_deleting(&self) -> bool {
        self.resource.meta().deletion_timestamp.is_some()
    }

    /// Whether it carried our finalizer when the cache last saw it.
    pub(super) fn has_finalizer(&self) -> bool {
        self.resource.finalizers().iter().any(|it| it == FINALIZER)
    }

    /// Whether it carries our finalizer, which the cache may not show yet.
    pub(super) fn is_finalized(&self) -> bool {
        let cached = self.resource.meta().resource_version.as_deref();
        let registry = &self.engine.queues.registry;
        self.has_finalizer() || registry.has_newer_finalizer(self.identity(), cached)
    }

    /// Whether its deletion is forced.
    pub(super) fn is_forced(&self) -> bool {
        let annotations = self.resource.annotations();
        annotations.get(FORCE_DELETE).is_some_and(|it| it == "true")
    }

    /// The user's request for a fresh look, cut to what the status can hold.
    #[must_use]
    pub fn requested(&self) -> Option<String> {
        let requested = self.resource.annotations().get(REQUESTED_AT)?;
        Some(requested.chars().take(1024).collect())
    }

    /// Whether the user asks for a fresh look that was not taken yet.
    pub(super) fn is_requested(&self) -> bool {
        let requested = self.requested();
        let handled = self.common().and_then(|it| it.last_handled_request.clone());
        requested.is_some() && requested != handled
    }

    /// The id of the object to adopt.
    pub(super) fn external_id(&self) -> Option<String> {
        let id = self.resource.annotations().get(EXTERNAL_ID)?.trim();
        (!id.is_empty()).then(|| id.to_owned())
    }

    /// How much longer Adobe may not know everywhere yet what the resource refers to, since that became ready a moment ago.
    pub(super) fn reference_lag(&self) -> Option<Duration> {
        let lag = self.engine.settings.list_lag;
        let now = Timestamp::now();
        let ready = self.references().into_iter();
        let ready = ready.filter_map(|key| self.engine.queues.ready_since(&key));
        let left = ready.filter_map(|since| {
            let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
            lag.checked_sub(age).filter(|left| !left.is_zero())
        });
        left.max()
    }

    /// The custom resources that it refers to, but for its Sandbox.
    pub(super) fn references(&self) -> Vec<Key> {
        let references = self.resource.references().into_iter();
        let keys = references.filter_map(|it| match it.target {
            Target::Kind(Kind::Sandbox) | Target::Secret => None,
            Target::Kind(kind) => Some(Key::new(kind, self.namespace(), &it.name)),
        });
        keys.collect()
    }

    /// Who refers to this resource.
    pub(super) fn referrers(&self) -> Vec<Key> {
        let registry = &self.engine.queues.registry;
        registry.referrers(self.namespace(), &self.key().reference())
    }
}

/// Since when the Sandbox has been ready, if it is. A status may be older than the Sandbox: it was restored.
fn ready_since(sandbox: &Sandbox) -> Option<Timestamp> {
    let ready = sandbox.status.as_ref()?.common.condition(READY)?;
    let since = ready.last_transition_time.0;
    let created = sandbox.meta().creation_timestamp.as_ref();
    let since = created.map_or(since, |it| it.0.max(since));
    (ready.status == ConditionStatus::True).then_some(since)
}

/// The resource with the status that we wrote last, if the cache does not show it yet.
fn with_own_status<K: AepResource>(
    engine: &Engine,
    resource: Arc<K>,
    identity: &Identity,
) -> Arc<K> {
    let cached = resource.meta().resource_version.as_deref();
    let newer = engine.queues.registry.newer_status(identity, cached);
    let Some(newer) = newer.and_then(|it| serde_json::from_value(it).ok()) else {
        return resource;
    };
    let mut resource = Arc::unwrap_or_clone(resource);
    *resource.status_mut() = Some(newer);
    Arc::new(resource)
}
