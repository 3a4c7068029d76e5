//! One pass over one custom resource: what it may ask for, and the writes to Kubernetes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt};
use secrecy::SecretString;

use super::context::Engine;
use super::error::{Error, Result};
use super::graph::Key;
use super::mark::Mark;
use super::secrets;
use super::session::Session;
use super::tell::Happening;
use super::turns::Turn;
use crate::api::condition_types::{READY, STALLED};
use crate::api::{
    AepResource, CommonStatus, ConditionStatus, EXTERNAL_ID, Kind, REQUESTED_AT, Reference,
    Sandbox, SecretKeyRef, Target,
};

/// How long a Sandbox must have been ready to count as settled in: longer than anybody takes to rebuild a cluster.
const SETTLED_IN: SignedDuration = SignedDuration::from_hours(1);

/// One pass.
#[derive(Debug)]
pub struct Pass<'a, K: AepResource> {
    pub(super) engine: &'a Engine,
    object: Arc<K>,
    status: K::Status,
    /// How often what it relies on had changed when the pass began.
    changes: u64,
    /// The revision of the object at Adobe.
    revision: AtomicU32,
    /// Whether it goes on before the first sweep has ended.
    hurried: AtomicBool,
    hopeless: AtomicBool,
    pub(super) written: AtomicBool,
    pub(super) happened: Mutex<Vec<Happening>>,
}

impl<'a, K: AepResource> Pass<'a, K> {
    /// Begins. How often things have changed is noted before the object is looked at: whatever changes in between counts as
    /// not seen.
    pub(super) fn new(engine: &'a Engine, object: Arc<K>) -> Self {
        let key = Key::of(object.as_ref());
        let changes = engine.refusals.changes(&key);
        let latest = engine.store::<K>();
        let latest = latest.and_then(|store| store.get(&ObjectRef::from_obj(object.as_ref())));
        let object = latest.unwrap_or(object);
        let uid = object.uid().unwrap_or_default();
        let newer = engine
            .memory
            .newer_status(&uid, object.meta().resource_version.as_deref());
        let newer = newer.and_then(|status| serde_json::from_value(status).ok());
        let status = newer
            .or_else(|| object.status().cloned())
            .unwrap_or_default();
        Self {
            engine,
            object,
            status,
            changes,
            revision: AtomicU32::new(1),
            hurried: AtomicBool::new(false),
            hopeless: AtomicBool::new(false),
            written: AtomicBool::new(false),
            happened: Mutex::default(),
        }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// The custom resource.
    #[must_use]
    pub fn object(&self) -> &Arc<K> {
        &self.object
    }

    /// Its status, our own last write included even where the cache trails behind.
    #[must_use]
    pub fn status(&self) -> &K::Status {
        &self.status
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.object.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.object.name_any()
    }

    pub(super) fn uid(&self) -> String {
        self.object.uid().unwrap_or_default()
    }

    pub(super) fn key(&self) -> Key {
        Key::of(self.object.as_ref())
    }

    pub(super) fn common(&self) -> &CommonStatus {
        self.status.as_ref()
    }

    /// The Adobe id in status.
    #[must_use]
    pub fn known_id(&self) -> Option<&str> {
        self.common().id.as_deref()
    }

    /// The session of the sandbox that the object names.
    pub fn session(&self) -> Result<Arc<Session>> {
        let name = self.object.management().sandbox_ref.name;
        let session = self.engine.sessions.get(self.namespace(), &name);
        session.ok_or_else(|| {
            let sandbox = self.sandbox();
            let ready = |s: Arc<Sandbox>| {
                let status = s.status.as_ref();
                status.is_some_and(|status| status.common.is_ready(s.meta().generation))
            };
            if sandbox.is_some_and(ready) {
                return Error::Opening;
            }
            waiting(Kind::Sandbox, &name, "it is not ready")
        })
    }

    /// The right to work in the sandbox, which only so many of a kind have at a time.
    pub(super) fn turn(&self, session: &Session) -> Result<Turn<'a>> {
        let turns = session.turns(K::KIND);
        turns.take(self.engine, &self.key()).ok_or(Error::Crowded)
    }

    fn sandbox(&self) -> Option<Arc<Sandbox>> {
        let name = self.object.management().sandbox_ref.name;
        let key = ObjectRef::<Sandbox>::new(&name).within(self.namespace());
        self.engine.store().and_then(|store| store.get(&key))
    }

    /// Whether the Sandbox has been in use for so long that what lies in it was seen and put in order before. In a cluster
    /// that is just being rebuilt it was not.
    pub(super) fn is_settled_in(&self) -> bool {
        let sandbox = self.sandbox();
        let status = sandbox.as_ref().and_then(|it| it.status.as_ref());
        let ready = status.and_then(|it| it.common.condition(READY));
        ready.is_some_and(|it| {
            let since = Timestamp::now().duration_since(it.last_transition_time.0);
            it.status == ConditionStatus::True && since >= SETTLED_IN
        })
    }

    /// The mark of this object, in its present revision.
    pub fn mark(&self) -> Result<Mark> {
        let owner = &self.session()?.owner;
        let claim = Mark::new(owner, K::KIND, self.namespace(), &self.name());
        Ok(claim.at(self.revision.load(Ordering::Relaxed)))
    }

    /// From now on the mark bears this revision.
    pub(super) fn revise(&self, revision: u32) {
        self.revision.store(revision, Ordering::Relaxed);
    }

    /// Goes on before the first sweep has ended.
    pub(super) fn hurry(&self) {
        self.hurried.store(true, Ordering::Relaxed);
    }

    /// Whether nothing is known yet of what Adobe holds.
    pub(super) fn is_hurried(&self) -> bool {
        self.hurried.load(Ordering::Relaxed)
    }

    /// Whether a status was written in this pass.
    pub(super) fn has_written(&self) -> bool {
        self.written.load(Ordering::Relaxed)
    }

    /// Fails if Adobe refused what is asked for, and nothing has changed since.
    pub(super) fn not_refused(&self) -> Result<()> {
        let refusal = self.engine.refusals.standing(&self.key());
        match refusal {
            Some(refusal) => Err(Error::StillRefused {
                again: refusal.left,
            }),
            None => Ok(()),
        }
    }

    /// Notes whether only a person can help.
    pub(super) fn note_hopeless(&self, hopeless: bool) {
        self.hopeless.store(hopeless, Ordering::Relaxed);
    }

    /// Whether this pass met something in which only a person can help.
    pub(super) fn is_hopeless(&self) -> bool {
        self.hopeless.load(Ordering::Relaxed)
    }

    /// Notes that Adobe refuses what is asked for as it is, for now or until something changes.
    pub(super) fn note_refusal(&self, wait: Option<Duration>) {
        let refusals = &self.engine.refusals;
        refusals.refuse(&self.key(), self.changes, wait);
    }

    /// A referenced custom resource, once it is usable.
    ///
    /// An object that exists at Adobe already stays bound to a dependency whose id is known, even while that one is
    /// in trouble: its trouble is told there, once.
    pub fn dependency<D: AepResource>(&self, name: &str) -> Result<Arc<D>> {
        let key = ObjectRef::<D>::new(name).within(self.namespace());
        let found = self.engine.store::<D>().and_then(|store| store.get(&key));
        let found =
            found.ok_or_else(|| waiting(D::KIND, name, "it does not exist in this namespace"))?;
        if found.meta().deletion_timestamp.is_some() && self.known_id().is_none() {
            return Err(waiting(D::KIND, name, "it is being deleted"));
        }
        let status = found.status().map(AsRef::as_ref);
        let has_id = status.is_some_and(|s| s.id.is_some());
        let ready = status.is_some_and(|s| s.is_ready(found.meta().generation));
        if has_id && (ready || self.known_id().is_some()) {
            return Ok(found);
        }
        let stalled = status.and_then(|it| it.condition(STALLED));
        let why = stalled.map_or_else(
            || "it is not ready yet".to_owned(),
            |stalled| format!("it needs somebody's attention first ({})", stalled.reason),
        );
        Err(waiting(D::KIND, name, &why))
    }

    /// The Adobe id of a referenced custom resource.
    pub fn id_of<D: AepResource>(&self, name: &str) -> Result<String> {
        let found = self.dependency::<D>(name)?;
        let id = found.status().and_then(|s| s.as_ref().id.clone());
        id.ok_or_else(|| waiting(D::KIND, name, "it has no id yet"))
    }

    /// All keys of a Secret of this namespace.
    pub async fn secret(&self, name: &str) -> Result<Arc<secrets::Data>> {
        secrets::read(self.engine, self.namespace(), name).await
    }

    /// One value of a Secret of this namespace.
    pub async fn secret_value(&self, reference: &SecretKeyRef) -> Result<SecretString> {
        let data = self.secret(&reference.name).await?;
        let value = data.get(&reference.key).cloned();
        value.ok_or_else(|| {
            Error::Secret(format!(
                "Secret `{}` has no key `{}`: add it",
                reference.name, reference.key
            ))
        })
    }

    /// Whether nothing may be changed: the object says so, or its Sandbox.
    #[must_use]
    pub fn suspended(&self) -> bool {
        let whole = self.sandbox().is_some_and(|s| s.management().suspended());
        self.object.management().suspended() || whole
    }

    /// The user's request for a fresh look, cut to what the status can hold.
    #[must_use]
    pub fn requested(&self) -> Option<String> {
        let requested = self.object.annotations().get(REQUESTED_AT)?;
        Some(requested.chars().take(1024).collect())
    }

    /// Whether the user asks for a fresh look that was not taken yet.
    pub(super) fn is_asked(&self) -> bool {
        let requested = self.requested();
        requested.is_some() && requested != self.common().last_handled_request
    }

    /// The id of the object to adopt.
    pub(super) fn external_id(&self) -> Option<String> {
        let id = self.object.annotations().get(EXTERNAL_ID)?.trim();
        (!id.is_empty()).then(|| id.to_owned())
    }

    /// How much longer Adobe may not know everywhere yet what the object refers to, since that became ready a moment ago.
    pub(super) fn patience(&self) -> Option<Duration> {
        let lag = self.engine.settings.list_lag;
        let now = Timestamp::now();
        let ready = self
            .referred()
            .filter_map(|key| self.engine.ready_since(&key));
        let left = ready.filter_map(|since| {
            let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
            lag.checked_sub(age).filter(|left| !left.is_zero())
        });
        left.max()
    }

    /// What follows when a known object is not to be found.
    pub(super) fn missing(&self, id: &str, shown: bool) -> Error {
        self.note_missing(shown);
        Error::Missing {
            id: id.to_owned(),
            again: Duration::from_secs(1),
        }
    }

    /// Notes that a known object is not to be found, which a list may have shown until now: there may be none, or another one
    /// that we do not know.
    pub(super) fn note_missing(&self, shown: bool) {
        let arrived = self.engine.all_arrived();
        self.engine.memory.missed(&self.uid(), shown, arrived);
    }

    /// Has what it refers to looked at again: something of that may be used no longer.
    pub(super) fn revisit_references(&self) {
        for key in self.referred() {
            self.engine.revisit(&key);
        }
    }

    /// The custom resources that it refers to, but for its Sandbox.
    fn referred(&self) -> impl Iterator<Item = Key> {
        let references = self.object.references().into_iter();
        references.filter_map(|it| match it.target {
            Target::Kind(Kind::Sandbox) | Target::Secret => None,
            Target::Kind(kind) => Some(Key {
                kind,
                namespace: self.namespace().to_owned(),
                name: it.name,
            }),
        })
    }

    /// Who still uses this object.
    pub(super) fn referrers(&self) -> Vec<Key> {
        let me = Reference {
            target: Target::Kind(K::KIND),
            name: self.name(),
        };
        self.engine.graph().referrers(self.namespace(), &me)
    }
}

fn waiting(kind: Kind, name: &str, why: &str) -> Error {
    let reference = Reference {
        target: Target::Kind(kind),
        name: name.to_owned(),
    };
    let why = why.to_owned();
    Error::Waiting { reference, why }
}
