//! Marks are planted on foreign objects at random while resources are created, replaced, renamed and deleted, calls fail and
//! the process ends anywhere: no foreign object is changed or deleted.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::api::CommonStatus;
use crate::engine::reconcile::succession::succeed;

/// Histories that are tried.
const HISTORIES: u32 = 10_000;

/// More steps than any reconcile takes.
const STEPS: usize = 50;

/// Specs; those that are `fixed` need another object.
const VALUES: [&str; 4] = ["v", "w", "fixed 1", "fixed 2"];

static IDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let ids = (0..500).map(|it| &*format!("id-{it:02}").leak());
    ids.collect()
});

static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let names = (0..100).map(|it| &*format!("name-{it:02}").leak());
    names.collect()
});

/// What happens in a history.
#[derive(Clone, Debug)]
enum Event {
    /// Somebody puts a mark on an object of theirs.
    Plant { object: usize, mark: Planted },
    /// The spec is edited.
    Edit(usize),
    /// The resource is deleted, and another one is created under another name once it is gone.
    Rename,
    /// Everything is listed.
    List,
    /// The resource is reconciled.
    Reconcile(Trouble),
}

/// The mark that somebody writes.
#[derive(Clone, Debug)]
enum Planted {
    /// That of the present resource, in any revision.
    Raised(u32),
    /// That of an object that has one.
    Copied(usize),
    /// That of an earlier resource.
    Earlier(usize),
    /// That of another namespace, or of another owner.
    Elsewhere(bool),
}

/// What goes wrong in a reconcile.
#[derive(Clone, Debug)]
struct Trouble {
    /// The process ends after so many steps.
    ends: Option<usize>,
    /// Creates have no answer.
    unanswered: bool,
    /// The status is not written at the end.
    unwritten: bool,
    /// Lists tell only later what came of a create.
    early: bool,
}

fn mark(name: &str) -> Mark {
    Mark::new("team/default", Kind::Dataset, "team", name)
}

/// Adobe, Kubernetes and the operator.
struct World {
    /// What Adobe has, and whether it is foreign.
    objects: BTreeMap<&'static str, (Object, bool)>,
    /// What the operator knows of that.
    index: BTreeMap<&'static str, Object>,
    /// The name of the resource: how many there were before.
    name: usize,
    value: &'static str,
    deleting: bool,
    finalizer: bool,
    /// The status as Kubernetes has it.
    written: CommonStatus,
    /// Whether a create may have taken effect.
    unsure: bool,
    clock: i64,
    /// How many objects were ever made.
    made: usize,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            objects: BTreeMap::new(),
            index: BTreeMap::new(),
            name: 0,
            value: "v",
            deleting: false,
            finalizer: false,
            written: CommonStatus::default(),
            unsure: false,
            clock: 0,
            made: 0,
        };
        for value in VALUES {
            world.make(None, value, true);
        }
        world
    }

    fn make(&mut self, mark: Option<Mark>, value: &'static str, foreign: bool) -> Object {
        self.clock += 1;
        self.made += 1;
        let object = Object {
            id: IDS[self.made - 1],
            mark,
            name: "N",
            value,
            created: self.clock,
        };
        self.objects.insert(object.id, (object.clone(), foreign));
        object
    }

    fn claim(&self) -> Mark {
        mark(NAMES[self.name])
    }

    fn happens(&mut self, event: &Event) {
        match event {
            Event::Plant { object, mark } => self.plant(*object, mark),
            Event::Edit(value) => self.value = VALUES[*value],
            Event::Rename => self.deleting = true,
            Event::List => self.list(),
            Event::Reconcile(trouble) => self.reconcile(trouble),
        }
    }

    fn plant(&mut self, object: usize, planted: &Planted) {
        let mark = match planted {
            // Where no id is recorded, the mark is what links an object to its resource.
            Planted::Raised(_) | Planted::Copied(_) if self.written.id.is_none() => return,
            Planted::Raised(revision) => self.claim().at((*revision).max(1)),
            Planted::Copied(which) => {
                let marks = self.objects.values().filter_map(|(it, _)| it.mark.clone());
                let marks: Vec<_> = marks.collect();
                match marks.get(which % marks.len().max(1)) {
                    Some(mark) => mark.clone(),
                    None => return,
                }
            }
            Planted::Earlier(which) if self.name > 0 => mark(NAMES[which % self.name]),
            Planted::Earlier(_) => return,
            Planted::Elsewhere(true) => {
                Mark::new("team/default", Kind::Dataset, "far", NAMES[self.name])
            }
            Planted::Elsewhere(false) => {
                Mark::new("elsewhere", Kind::Dataset, "team", NAMES[self.name])
            }
        };
        if object < VALUES.len() {
            let (foreign, _) = self.objects.get_mut(IDS[object]).unwrap();
            foreign.mark = Some(mark);
        } else {
            // A copy, with all that is in it.
            self.make(Some(mark), VALUES[object % VALUES.len()], true);
        }
    }

    fn list(&mut self) {
        let objects = self.objects.iter();
        self.index = objects.map(|(id, (it, _))| (*id, it.clone())).collect();
    }

    /// Whether the object is there and carries the resource's mark, as far as a read right before its deletion shows.
    fn is_ours(&self, id: &str) -> bool {
        let mark = self.objects.get(id).and_then(|(it, _)| it.mark.as_ref());
        mark.is_some_and(|it| it.claim() == self.claim())
    }

    /// Fails if the object that is about to be changed or deleted is foreign.
    fn check(&self, id: &str, what: &str) {
        let foreign = self.objects.get(id).is_some_and(|(_, foreign)| *foreign);
        assert!(!foreign, "{what} {id}, which is foreign");
    }

    fn decide(&self, status: &CommonStatus, progress: &Progress<Toy>, early: bool) -> Step<Toy> {
        let claim = self.claim();
        let index = self.index.values().cloned().map(Arc::new);
        let mut claimed: Vec<_> = index.collect();
        claimed.retain(|it| it.mark().is_some_and(|mark| mark.claim() == claim));
        claimed.sort_by_key(|it| precedence(it.as_ref()));
        let wanted = |revision| {
            Ok(Arc::new(Wanted {
                mark: claim.at(revision),
                name: "N",
                value: self.value,
            }))
        };
        let patience = Duration::from_secs(if early { 9 } else { 0 });
        decide(&View {
            claim: claim.clone(),
            known_id: self.written.id.clone(),
            obsolete: status.obsolete_ids.clone(),
            parts: Vec::new(),
            next_revision: status.next_revision.and_then(|it| it.try_into().ok()),
            external_id: None,
            requested: false,
            has_finalizer: self.finalizer,
            deleting: self.deleting,
            adopts: false,
            replaces: true,
            was_synced: false,
            established: true,
            checked: true,
            unapproved: &|| None,
            refusal: None,
            unknown_create: self.unsure.then_some(patience),
            unlisted_user: None,
            claimed,
            object: &|id| self.index.get(id).cloned().map(Arc::new),
            is_stale: &|_| false,
            is_cut: &|_| false,
            is_forgotten: &|_| false,
            exists: &|mark| mark.object().1 == claim.object().1,
            user: &|_| None,
            desired: Some(&wanted),
            progress,
        })
    }

    fn reconcile(&mut self, trouble: &Trouble) {
        let mut progress = Progress::default();
        let mut status = self.written.clone();
        for step in 0..STEPS {
            if trouble.ends == Some(step) {
                // The next process lists everything, and knows of no create that it has an answer to.
                self.unsure = self.finalizer;
                self.list();
                return;
            }
            match self.decide(&status, &progress, trouble.early) {
                Step::Done(_) if self.deleting => return self.rename(),
                Step::Done(_) | Step::Stop(_) => {
                    if !trouble.unwritten {
                        self.written = status;
                    }
                    return;
                }
                step => {
                    if !self.carry_out(step, &mut progress, &mut status, trouble) {
                        return;
                    }
                }
            }
            if let Some(current) = &progress.current {
                status.id = Some(current.id.to_owned());
            }
        }
        panic!("more than {STEPS} steps");
    }

    /// The resource is gone, and another one is there.
    fn rename(&mut self) {
        self.name += 1;
        self.deleting = false;
        self.finalizer = false;
        self.unsure = false;
        self.written = CommonStatus::default();
    }

    /// Returns whether the reconcile goes on.
    fn carry_out(
        &mut self,
        step: Step<Toy>,
        progress: &mut Progress<Toy>,
        status: &mut CommonStatus,
        trouble: &Trouble,
    ) -> bool {
        let put = |world: &mut Self, progress: &mut Progress<Toy>, object: Object| {
            world.index.insert(object.id, object.clone());
            progress.fresh.insert(object.id.to_owned());
            progress.current = Some(Arc::new(object));
        };
        match step {
            Step::Read(id) => match self.objects.get(id.as_str()).cloned() {
                Some((object, _)) if progress.current.is_some() => put(self, progress, object),
                Some((object, _)) => {
                    progress.fresh.insert(id);
                    self.index.insert(object.id, object);
                }
                None => {
                    self.index.remove(id.as_str());
                    progress.denied.insert(id);
                }
            },
            Step::Find(revision) => {
                let all = self.objects.values().map(|(it, _)| it.clone());
                progress.found = Some((revision, all.collect()));
            }
            Step::List { .. } => {
                self.list();
                self.unsure = false;
                progress.listed = true;
                if let Some(current) = &progress.current {
                    progress.fresh.remove(current.id);
                    let listed = self.index.get(current.id).cloned();
                    progress.current = listed.map(Arc::new);
                }
            }
            Step::Probe(id) => drop(progress.not_hidden.insert(id)),
            Step::Take(object, _) => {
                let old = progress.current.as_ref().map(|it| it.id);
                succeed(status, old, object.as_ref());
                progress.current = Some(object);
            }
            Step::AddFinalizer => self.finalizer = true,
            Step::Reserve => {
                // Whatever is drawn, somebody may plant it later on.
                self.clock += 1;
                let drawn = 1_000_000 + self.clock * 1000;
                status.next_revision = Some(drawn);
                self.written = status.clone();
            }
            Step::Record(id) => {
                status.next_revision = None;
                status.obsolete_ids.push(id);
                self.written = status.clone();
            }
            Step::Create(revision, reason) => {
                let mark = self.claim().at(revision);
                let created = self.make(Some(mark), self.value, false);
                if trouble.unanswered {
                    self.unsure = true;
                    self.written = status.clone();
                    return false;
                }
                if reason.is_some() {
                    let old = progress.current.as_ref().map(|it| it.id);
                    succeed(status, old, &created);
                }
                put(self, progress, created);
            }
            Step::Update(_) => {
                let id = progress.current.as_ref().unwrap().id;
                self.check(id, "changed");
                let (claim, value) = (self.claim(), self.value);
                let (object, _) = self.objects.get_mut(id).unwrap();
                object.value = value;
                object.mark.get_or_insert(claim);
                let updated = object.clone();
                put(self, progress, updated);
            }
            Step::Retire(id) => {
                self.written = status.clone();
                self.remove(&id);
                status.obsolete_ids.retain(|it| *it != id);
            }
            Step::Delete(id) => {
                self.remove(&id);
                progress.done.insert(id);
            }
            Step::Done(_) | Step::Stop(_) | Step::Dereference => {}
        }
        true
    }

    fn remove(&mut self, id: &str) {
        if self.is_ours(id) {
            self.check(id, "deleted");
            self.objects.remove(id);
        }
        self.index.remove(id);
    }
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let ends = prop_oneof![2 => Just(None), 1 => (0..15_usize).prop_map(Some)];
    let rare = || prop::bool::weighted(0.3);
    (ends, rare(), rare(), rare()).prop_map(|(ends, unanswered, unwritten, early)| Trouble {
        ends,
        unanswered,
        unwritten,
        early,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let mark = prop_oneof![
        (0..4_u32).prop_map(Planted::Raised),
        any::<u32>().prop_map(Planted::Raised),
        (0..100_usize).prop_map(Planted::Copied),
        (0..100_usize).prop_map(Planted::Earlier),
        any::<bool>().prop_map(Planted::Elsewhere),
    ];
    prop_oneof![
        3 => (0..2 * VALUES.len(), mark).prop_map(|(object, mark)| Event::Plant { object, mark }),
        2 => (0..VALUES.len()).prop_map(Event::Edit),
        1 => Just(Event::Rename),
        1 => Just(Event::List),
        5 => trouble().prop_map(Event::Reconcile),
    ]
}

#[test]
fn no_mark_that_somebody_plants_has_a_foreign_object_changed_or_deleted() {
    let config = Config {
        cases: HISTORIES,
        failure_persistence: None,
        ..Config::default()
    };
    let histories = prop::collection::vec(event(), 4..20);
    let outcome = TestRunner::new(config).run(&histories, |history| {
        let mut world = World::new();
        for event in &history {
            world.happens(event);
        }
        // In the end, all is well.
        let calm = Trouble {
            ends: None,
            unanswered: false,
            unwritten: false,
            early: false,
        };
        for _ in 0..4 {
            world.reconcile(&calm);
        }
        let known = world.written.id.as_deref().unwrap();
        let (current, foreign) = &world.objects[known];
        prop_assert!(!foreign);
        prop_assert_eq!(current.value, world.value);
        prop_assert!(world.written.obsolete_ids.is_empty());
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
