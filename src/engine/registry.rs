//! Everything the process remembers of custom resources between reconciles: one entry each, under one key, with one way to
//! forget it. All of it may be lost: the finalizer, the status and the owner marks suffice to go on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::entry::{Entry, Refused, Written};
use super::key::{Identity, Key};
use super::parse::Fault;
use super::status::OwnStatus;
use crate::api::{Kind, Reference, Target};
use crate::backoff::Backoff;

pub use super::entry::{CreateOutcome, Fingerprint, Refusal};

/// The waits between retries.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));

/// What is remembered of all custom resources in the watched namespaces.
#[derive(Debug, Default)]
pub struct Registry(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Who refers to what: the references of all entries, inverted.
    referrers: HashMap<Referent, BTreeSet<Key>>,
}

/// What is referred to: a custom resource of ours or a Secret, in a namespace.
type Referent = (Target, String, String);

impl Registry {
    /// Notes a custom resource as a watch shows it. Returns those that are to be reconciled now.
    pub fn observe(
        &self,
        identity: &Identity,
        fingerprint: Fingerprint,
        references: Vec<Reference>,
    ) -> Vec<Key> {
        let mut state = self.state();
        let key = &identity.key;
        let mut entry = state.entries.remove(key).unwrap_or_default();
        let before = (entry.uid == identity.uid).then_some(entry.fingerprint);
        if before.is_none() {
            entry = Entry {
                uid: identity.uid.clone(),
                references: entry.references,
                // A refusal of the former incarnation must not count for this one.
                changes: entry.changes + 1,
                queued: entry.queued,
                ..Entry::default()
            };
        }
        entry.fingerprint = fingerprint;
        let mut affected = Vec::new();
        if entry.references != references {
            if key.kind == Kind::Sandbox {
                // Which Secrets others may use depends on whether they hold the credentials of a Sandbox.
                let secrets = entry.references.iter().chain(&references);
                let secrets = secrets.filter(|it| it.target == Target::Secret);
                affected.extend(secrets.flat_map(|it| state.referrers(&key.namespace, it)));
                affected.retain(|it| it != key);
            }
            state.unlink(key, &entry.references);
            state.link(key, &references);
            entry.references = references;
        }
        let own = before.is_none_or(|it| it.own != fingerprint.own || entry.is_tampered_with(it));
        state.entries.insert(key.clone(), entry);
        let published = before.is_none_or(|it| it.published != fingerprint.published);
        affected.extend(own.then(|| key.clone()));
        if published {
            affected.extend(state.referrers(&key.namespace, &key.reference()));
        }
        affected
    }

    /// Notes what cannot be read of a custom resource; returns whether that is more or less than before.
    pub fn note_fault(&self, identity: &Identity, fault: Option<Arc<Fault>>) -> bool {
        let is_news = self.with(identity, |entry| {
            let is_news = entry.fault != fault;
            entry.fault = fault;
            is_news
        });
        is_news == Some(true)
    }

    /// What of a custom resource cannot be read, if there is anything.
    #[must_use]
    pub fn fault(&self, key: &Key) -> Option<Arc<Fault>> {
        self.with_key(key, |entry| entry.fault.clone())?
    }

    /// The `metadata.uid` of a custom resource, as last seen.
    #[must_use]
    pub fn uid(&self, key: &Key) -> Option<String> {
        self.with_key(key, |entry| entry.uid.clone())
    }

    /// Forgets a custom resource that is gone; returns what it referred to.
    pub fn forget(&self, key: &Key) -> Vec<Reference> {
        let mut state = self.state();
        let entry = state.entries.remove(key).unwrap_or_default();
        state.unlink(key, &entry.references);
        entry.references
    }

    /// Who refers to this, in a namespace.
    #[must_use]
    pub fn referrers(&self, namespace: &str, reference: &Reference) -> Vec<Key> {
        self.state().referrers(namespace, reference)
    }

    /// How many refer to this, in a namespace.
    #[must_use]
    pub fn count_referrers(&self, namespace: &str, reference: &Reference) -> usize {
        let state = self.state();
        let referrers = state.referrers.get(&referent(namespace, reference));
        referrers.map_or(0, BTreeSet::len)
    }

    /// The custom resources of a kind, in one namespace or in all.
    #[must_use]
    pub fn keys(&self, kind: Kind, namespace: Option<&str>) -> Vec<Key> {
        let state = self.state();
        let here = |key: &&Key| key.kind == kind && namespace.is_none_or(|it| it == key.namespace);
        state.entries.keys().filter(here).cloned().collect()
    }

    /// The custom resource, or something that it refers to, has changed.
    pub fn changed(&self, key: &Key) {
        self.with_key(key, |entry| entry.changes += 1);
    }

    /// How often that has happened: what a reconcile notes at its start.
    #[must_use]
    pub fn changes(&self, key: &Key) -> u64 {
        self.with_key(key, |entry| entry.changes)
            .unwrap_or_default()
    }

    /// Adobe refused what a reconcile asked for that had seen so many changes; it may be asked again after `wait`, if ever.
    pub fn refuse(&self, identity: &Identity, changes: u64, wait: Option<Duration>) {
        let again = wait.map(|wait| Instant::now() + wait);
        self.with(identity, |entry| {
            entry.refusal = Some(Refused { changes, again });
        });
    }

    /// What holds as long as nothing has changed since Adobe refused, and it is not time for another try.
    #[must_use]
    pub fn refusal(&self, identity: &Identity) -> Option<Refusal> {
        self.with(identity, |entry| {
            let refused = entry.refusal?;
            let left = refused.again;
            let left = left.map(|it| it.saturating_duration_since(Instant::now()));
            let stands = refused.changes == entry.changes && left != Some(Duration::ZERO);
            stands.then_some(Refusal { left })
        })?
    }

    /// Adobe no longer refuses.
    pub fn accepted(&self, identity: &Identity) {
        self.with(identity, |entry| entry.refusal = None);
    }

    /// A reconcile has succeeded: past failures no longer count.
    pub fn succeeded(&self, identity: &Identity) {
        self.with(identity, |entry| entry.failures = 0);
    }

    /// Counts a failure; returns the wait before the next try.
    pub fn failed(&self, identity: &Identity) -> Duration {
        let failures = self.with(identity, |entry| {
            entry.failures = entry.failures.saturating_add(1);
            entry.failures
        });
        BACKOFF.delay(failures.unwrap_or_default())
    }

    /// What is known about the last create in this process.
    #[must_use]
    pub fn create_outcome(&self, identity: &Identity) -> Option<CreateOutcome> {
        self.with(identity, |entry| entry.create)?
    }

    /// Notes what is known about the last create.
    pub fn note_create(&self, identity: &Identity, outcome: CreateOutcome) {
        self.with(identity, |entry| entry.create = Some(outcome));
    }

    /// Notes that a read does not find a known object, which is missing as of `since` unless it was missing before. The answer may be wrong, or the object may have been replaced by one
    /// whose id we do not know: so for now this is the same as a create without an answer, and the object is created again only
    /// when a list is conclusive. The wait begins anew if a list has `shown` the object since then. Where nothing was noted yet,
    /// a create of an earlier process may have taken effect until `earlier`. Returns since when it is missing.
    pub fn note_missing(
        &self,
        identity: &Identity,
        (shown, since): (bool, Instant),
        earlier: Instant,
    ) -> Instant {
        let now = Instant::now();
        let noted = self.with(identity, |entry| {
            if entry.missing.is_none() {
                // What Adobe refused concerned an object that was there.
                entry.refusal = None;
            }
            let last = match entry.create {
                Some(CreateOutcome::Unknown(last)) if shown => last.max(now),
                Some(CreateOutcome::Unknown(last)) => last,
                Some(CreateOutcome::Known) => now,
                None => earlier.max(now),
            };
            entry.create = Some(CreateOutcome::Unknown(last));
            *entry.missing.get_or_insert(since)
        });
        noted.unwrap_or(since)
    }

    /// Notes that the object is there; returns whether it was missing.
    pub fn found(&self, identity: &Identity) -> bool {
        let missing = self.with(identity, |entry| entry.missing.take());
        missing.flatten().is_some()
    }

    /// As of when the object of a custom resource is missing, if it is: until then, its id is no use to others.
    #[must_use]
    pub fn missing_since(&self, key: &Key) -> Option<Instant> {
        self.with_key(key, |entry| entry.missing)?
    }

    /// Notes a status that is about to be written: a watch may show it before the write is answered.
    pub fn writing(&self, identity: &Identity, hash: u64) {
        self.with(identity, |entry| entry.ours.writing(hash));
    }

    /// Notes a status that was just written.
    pub fn wrote(&self, identity: &Identity, version: Option<&str>, hash: u64, status: Value) {
        let version = version.and_then(|it| it.parse().ok());
        self.with(identity, |entry| {
            entry.ours = OwnStatus::new(version.unwrap_or_default(), hash);
            entry.written = version.map(|version| Written { version, status });
        });
    }

    /// Notes that our finalizer was just written, in this version of the custom resource.
    pub fn wrote_finalizer(&self, identity: &Identity, version: Option<&str>) {
        let version = version.and_then(|it| it.parse().ok());
        self.with(identity, |entry| entry.finalized = version);
    }

    /// Whether we have written our finalizer into a version of the custom resource that is newer than the cached object.
    #[must_use]
    pub fn has_newer_finalizer(&self, identity: &Identity, cached: Option<&str>) -> bool {
        let cached: Option<u64> = cached.and_then(|it| it.parse().ok());
        let finalized = self.with(identity, |entry| entry.finalized).flatten();
        cached.is_some_and(|cached| finalized > Some(cached))
    }

    /// Our own last status, if it is newer than the cached object.
    #[must_use]
    pub fn newer_status(&self, identity: &Identity, cached: Option<&str>) -> Option<Value> {
        let cached: u64 = cached?.parse().ok()?;
        self.with(identity, |entry| {
            entry.written.take_if(|written| written.version <= cached);
            entry.written.as_ref().map(|written| written.status.clone())
        })?
    }

    /// Notes that a reconcile was asked for.
    pub fn queued(&self, key: &Key) {
        self.with_key(key, |entry| {
            entry.queued.get_or_insert_with(Instant::now);
        });
    }

    /// Notes that a reconcile begins; returns how long it has waited in the queue.
    #[must_use]
    pub fn started(&self, key: &Key) -> Option<Duration> {
        let since = self.with_key(key, |entry| entry.queued.take())??;
        Some(since.elapsed())
    }

    /// Works on the entry of this very incarnation; nothing is remembered of one that is gone.
    fn with<T>(&self, identity: &Identity, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut state = self.state();
        let entry = state.entries.get_mut(&identity.key)?;
        (entry.uid == identity.uid).then(|| work(entry))
    }

    fn with_key<T>(&self, key: &Key, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.state().entries.get_mut(key).map(work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn referrers(&self, namespace: &str, reference: &Reference) -> Vec<Key> {
        let keys = self.referrers.get(&referent(namespace, reference));
        keys.into_iter().flatten().cloned().collect()
    }

    fn link(&mut self, key: &Key, references: &[Reference]) {
        for reference in references {
            let referrers = self.referrers.entry(referent(&key.namespace, reference));
            referrers.or_default().insert(key.clone());
        }
    }

    fn unlink(&mut self, key: &Key, references: &[Reference]) {
        for reference in references {
            let referent = referent(&key.namespace, reference);
            if let Some(referrers) = self.referrers.get_mut(&referent) {
                referrers.remove(key);
                if referrers.is_empty() {
                    self.referrers.remove(&referent);
                }
            }
        }
    }
}

fn referent(namespace: &str, reference: &Reference) -> Referent {
    (
        reference.target,
        namespace.to_owned(),
        reference.name.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str, uid: &str) -> Identity {
        Identity {
            key: Key::new(Kind::Dataflow, "ns", name),
            uid: uid.into(),
        }
    }

    fn to(kind: Kind, name: &str) -> Reference {
        Reference::new(kind, name)
    }

    fn fingerprint(own: u64, published: u64) -> Fingerprint {
        Fingerprint {
            own,
            published,
            status: 0,
            version: 0,
            has_finalizer: false,
        }
    }

    /// A registry that knows one custom resource.
    fn registry() -> (Registry, Identity) {
        let (registry, flow) = (Registry::default(), identity("f", "1"));
        let references = vec![to(Kind::Sandbox, "s"), to(Kind::MappingSet, "m")];
        registry.observe(&flow, fingerprint(1, 1), references);
        (registry, flow)
    }

    #[test]
    fn a_resource_is_found_by_what_it_refers_to_until_it_stops() {
        let (registry, flow) = registry();
        let mapping = to(Kind::MappingSet, "m");
        assert_eq!(
            registry.referrers("ns", &mapping),
            std::slice::from_ref(&flow.key)
        );
        let fewer = vec![to(Kind::Sandbox, "s")];
        registry.observe(&flow, fingerprint(2, 1), fewer.clone());
        assert!(registry.referrers("ns", &mapping).is_empty());
        assert_eq!(registry.count_referrers("ns", &fewer[0]), 1);
        assert_eq!(registry.forget(&flow.key), fewer);
        assert_eq!(registry.count_referrers("ns", &fewer[0]), 0);
        assert!(registry.state().referrers.is_empty());
    }

    #[test]
    fn the_same_name_in_another_namespace_is_another_object() {
        let (registry, _) = registry();
        let sandbox = to(Kind::Sandbox, "s");
        assert!(registry.referrers("other", &sandbox).is_empty());
    }

    #[test]
    fn nothing_remains_of_a_resource_that_is_gone() {
        let (registry, flow) = registry();
        registry.note_create(&flow, CreateOutcome::Known);
        registry.forget(&flow.key);
        registry.note_create(&flow, CreateOutcome::Known);
        registry.changed(&flow.key);
        registry.queued(&flow.key);
        let state = registry.state();
        assert!(state.entries.is_empty() && state.referrers.is_empty());
    }

    #[test]
    fn a_resource_that_returns_under_its_name_starts_afresh() {
        let (registry, old) = registry();
        registry.note_create(&old, CreateOutcome::Known);
        registry.refuse(&old, registry.changes(&old.key), None);
        let new = identity("f", "2");
        let affected = registry.observe(&new, fingerprint(1, 1), Vec::new());
        assert_eq!(affected, std::slice::from_ref(&new.key));
        assert_eq!(registry.create_outcome(&new), None);
        assert_eq!(registry.refusal(&new), None);
        registry.note_create(&old, CreateOutcome::Known);
        assert_eq!(registry.create_outcome(&new), None);
    }

    #[test]
    fn a_change_of_what_others_build_upon_concerns_those_who_refer_to_it() {
        let (registry, flow) = registry();
        let mapping = Identity {
            key: Key::new(Kind::MappingSet, "ns", "m"),
            uid: "3".into(),
        };
        let observe =
            |own, published| registry.observe(&mapping, fingerprint(own, published), Vec::new());
        assert_eq!(observe(1, 1), [mapping.key.clone(), flow.key.clone()]);
        assert_eq!(observe(1, 1), []);
        assert_eq!(observe(2, 1), std::slice::from_ref(&mapping.key));
        assert_eq!(observe(2, 2), std::slice::from_ref(&flow.key));
    }

    #[test]
    fn a_finalizer_that_was_taken_away_calls_for_a_reconcile() {
        let (registry, flow) = registry();
        let written = Fingerprint {
            has_finalizer: true,
            ..fingerprint(1, 1)
        };
        assert_eq!(registry.observe(&flow, written, Vec::new()), []);
        let affected = registry.observe(&flow, fingerprint(1, 1), Vec::new());
        assert_eq!(affected, std::slice::from_ref(&flow.key));
    }

    #[test]
    fn a_status_that_others_have_written_calls_for_a_reconcile_and_our_own_does_not() {
        let (registry, flow) = registry();
        let observe = |version, status| {
            let shown = Fingerprint {
                status,
                version,
                ..fingerprint(1, 1)
            };
            !registry.observe(&flow, shown, Vec::new()).is_empty()
        };
        assert!(observe(1, 10), "another one than at the start");
        registry.writing(&flow, 20);
        assert!(!observe(2, 20), "shown before the write is answered");
        registry.wrote(&flow, Some("2"), 20, Value::Null);
        registry.writing(&flow, 40);
        assert!(!observe(2, 20));
        registry.wrote(&flow, Some("4"), 40, Value::Null);
        assert!(!observe(3, 30), "on the way to the last one");
        assert!(!observe(4, 40));
        assert!(observe(5, 50), "added to");
        assert!(observe(6, 0), "wiped");
    }

    #[test]
    fn a_refusal_stands_until_something_changes() {
        let (registry, flow) = registry();
        registry.refuse(&flow, registry.changes(&flow.key), None);
        assert!(registry.refusal(&flow).is_some());
        registry.changed(&flow.key);
        assert_eq!(registry.refusal(&flow), None);
    }

    #[test]
    fn a_change_during_the_refused_reconcile_is_not_overlooked() {
        let (registry, flow) = registry();
        let at_start = registry.changes(&flow.key);
        registry.changed(&flow.key);
        registry.refuse(&flow, at_start, None);
        assert_eq!(registry.refusal(&flow), None);
    }

    #[test]
    fn a_refusal_for_a_while_ends_by_itself() {
        let (registry, flow) = registry();
        let refuse = |wait| registry.refuse(&flow, registry.changes(&flow.key), Some(wait));
        refuse(Duration::ZERO);
        assert_eq!(registry.refusal(&flow), None);
        refuse(Duration::from_secs(60));
        let left = registry.refusal(&flow).and_then(|it| it.left);
        assert!(left.is_some_and(|left| left > Duration::from_secs(30)));
    }

    #[test]
    fn a_refusal_does_not_outlive_the_object_that_it_was_about() {
        let (registry, flow) = registry();
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        let refuse = || registry.refuse(&flow, registry.changes(&flow.key), None);
        let missing = |since| registry.note_missing(&flow, (false, since), early);
        refuse();
        assert_eq!(missing(early), early);
        assert_eq!(registry.refusal(&flow), None);
        // What is refused since concerns the object that is to be created.
        refuse();
        assert_eq!(missing(late), early);
        assert!(registry.refusal(&flow).is_some());
        assert!(registry.found(&flow) && !registry.found(&flow));
        assert_eq!(registry.missing_since(&flow.key), None);
    }

    #[test]
    fn our_own_status_counts_until_the_cache_has_caught_up() {
        let (registry, flow) = registry();
        registry.wrote(&flow, Some("7"), 1, Value::from("ours"));
        assert_eq!(
            registry.newer_status(&flow, Some("6")),
            Some(Value::from("ours"))
        );
        assert_eq!(registry.newer_status(&flow, Some("7")), None);
        assert_eq!(registry.newer_status(&flow, Some("6")), None);
    }
}
