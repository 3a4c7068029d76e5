//! The objects of one kind in one sandbox, as lists, reads and our own writes show them. Pure: it does no I/O.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::unreadable::UnreadableObjects;
use crate::adobe::Listing;
use crate::engine::held::Held;
use crate::engine::mark::Mark;

/// The objects of one kind in one sandbox.
#[derive(Debug)]
pub struct Index<H> {
    by_id: HashMap<String, Arc<H>>,
    /// Ids by claim, whatever their revision.
    by_claim: HashMap<Mark, Vec<String>>,
    /// Ids by the id of an object that they use.
    by_use: HashMap<String, HashSet<String>>,
    /// What we wrote or read (`true`) or deleted (`false`) ourselves, and when: lists may lag behind.
    own: HashMap<String, (Instant, bool)>,
    /// The claims whose objects we created, read or deleted a moment ago: lists may show half of that.
    busy: HashMap<Mark, Instant>,
    /// Who is about to adopt an object that carries no mark yet.
    adopters: HashMap<String, Mark>,
    /// Objects that must be read before anything is decided.
    stale: HashSet<String>,
    /// Replaced objects of which it was reported that they stay.
    staying: HashSet<String>,
    /// What the last list shows, and what cannot be read.
    unreadable: UnreadableObjects,
    /// The marks that we wrote and that no list has shown yet.
    signed: HashMap<String, Signed>,
}

/// A mark that we wrote.
#[derive(Debug)]
struct Signed {
    mark: Mark,
    /// Whether no list was taken since it was last written.
    unlisted: bool,
    /// How many times it was written without a list that shows it afterwards.
    lost: u32,
}

impl<H> Default for Index<H> {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            by_claim: HashMap::new(),
            by_use: HashMap::new(),
            own: HashMap::new(),
            busy: HashMap::new(),
            adopters: HashMap::new(),
            stale: HashSet::new(),
            staying: HashSet::new(),
            signed: HashMap::new(),
            unreadable: UnreadableObjects::default(),
        }
    }
}

impl<H: Held> Index<H> {
    /// An object by its id.
    pub fn get(&self, id: &str) -> Option<Arc<H>> {
        self.by_id.get(id).cloned()
    }

    /// The object that has this id, itself or in one of its parts.
    pub fn including(&self, id: &str) -> Option<Arc<H>> {
        let part_of = || self.by_id.values().find(|it| it.includes(id)).cloned();
        self.get(id).or_else(part_of)
    }

    /// The objects that carry this claim, by [`precedence`].
    pub fn claimed(&self, claim: &Mark) -> Vec<Arc<H>> {
        let ids = self.by_claim.get(claim).into_iter().flatten();
        let mut found: Vec<_> = ids.filter_map(|id| self.by_id.get(id)).cloned().collect();
        found.sort_by_key(|object| precedence(object.as_ref()));
        found
    }

    /// What the last list shows, and what cannot be read.
    pub fn unreadable(&self) -> &UnreadableObjects {
        &self.unreadable
    }

    /// Whether the object is there, readable or not.
    pub fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id) || self.unreadable.has(id)
    }

    /// Every object that carries a mark.
    pub fn marked(&self) -> Vec<Arc<H>> {
        let ids = self.by_claim.values().flatten();
        ids.filter_map(|id| self.by_id.get(id)).cloned().collect()
    }

    /// The marks on the objects that use this one.
    pub fn users(&self, id: &str) -> Vec<Mark> {
        let users = self.by_use.get(id).into_iter().flatten();
        let users = users.filter_map(|user| self.by_id.get(user)?.mark());
        users.chain(self.unreadable.users(id)).cloned().collect()
    }

    /// Takes in an object that we just wrote or read.
    pub fn put(&mut self, object: H) -> Arc<H> {
        let (object, now) = (Arc::new(object), Instant::now());
        self.own.insert(object.id().to_owned(), (now, true));
        self.stale.remove(object.id());
        self.unreadable.remove(object.id());
        self.remove(object.id());
        if let Some(mark) = object.mark() {
            self.busy.insert(mark.claim(), now);
        }
        self.insert(object.clone());
        object
    }

    /// A read did not find the object. Other calls may still show it, so what lists show of it counts again from the next one
    /// on. Returns whether the object was known until now.
    pub fn not_found(&mut self, id: &str) -> bool {
        let shown = self.by_id.contains_key(id);
        self.own.remove(id);
        self.signed.remove(id);
        self.stale.remove(id);
        self.unreadable.remove(id);
        self.remove(id);
        shown
    }

    /// We deleted an object.
    pub fn forget(&mut self, id: &str) {
        self.own.insert(id.to_owned(), (Instant::now(), false));
        self.adopters.remove(id);
        self.signed.remove(id);
        self.stale.remove(id);
        self.staying.remove(id);
        self.unreadable.remove(id);
        self.remove(id);
    }

    /// A replaced object stays for now; returns whether that is news.
    pub fn note_staying(&mut self, id: &str) -> bool {
        self.staying.insert(id.to_owned())
    }

    /// Whether we deleted an object within the `lag` of lists: reads and lists may still show it.
    pub fn is_forgotten(&self, id: &str, lag: Duration) -> bool {
        let own = self.own.get(id);
        own.is_some_and(|(at, there)| !there && at.elapsed() < lag)
    }

    /// We wrote the mark on an object. Whether Adobe keeps it whole, lists tell.
    pub fn sign(&mut self, id: &str, mark: Mark) {
        let lost = self.signed.get(id).map_or(0, |it| it.lost);
        let unlisted = true;
        let signed = Signed {
            mark,
            unlisted,
            lost,
        };
        self.signed.insert(id.to_owned(), signed);
    }

    /// Whether lists show something else in the place of the mark that we wrote: its beginning, or anything twice.
    pub fn is_cut(&self, id: &str) -> bool {
        let Some(Signed { mark, lost, .. }) = self.signed.get(id) else {
            return false;
        };
        let shown = self.by_id.get(id).and_then(|it| it.mark());
        let beginning = shown.is_some_and(|it| it != mark && mark.tag().starts_with(&it.tag()));
        *lost > 1 || (*lost > 0 && beginning)
    }

    /// The object must be read before anything is decided.
    pub fn mark_stale(&mut self, id: &str) {
        self.stale.insert(id.to_owned());
    }

    /// Whether the object must be read before anything is decided.
    pub fn is_stale(&self, id: &str) -> bool {
        self.stale.contains(id)
    }

    /// Lets one custom resource alone adopt an object without its mark; returns the other one where one was faster and still
    /// exists.
    pub fn reserve(
        &mut self,
        id: &str,
        claim: &Mark,
        exists: impl Fn(&Mark) -> bool,
    ) -> Result<(), Mark> {
        self.adopters
            .retain(|_, adopter| adopter == claim || exists(adopter));
        let adopter = self.adopters.entry(id.to_owned());
        let adopter = adopter.or_insert_with(|| claim.clone());
        if adopter == claim {
            Ok(())
        } else {
            Err(adopter.clone())
        }
    }

    /// A custom resource gave up everything that it had.
    pub fn release(&mut self, claim: &Mark) {
        self.adopters.retain(|_, adopter| adopter != claim);
        self.busy.insert(claim.clone(), Instant::now());
    }

    /// Whether we worked on the claim's objects when the last list began, or since.
    pub fn is_busy(&self, claim: &Mark) -> bool {
        self.busy.contains_key(claim)
    }

    /// Takes in a list that began at that instant. What we did within `lag` before that outweighs it.
    pub fn replace(&mut self, listed: Listing<H>, begun: Instant, lag: Duration) {
        self.own.retain(|_, (at, _)| *at + lag > begun);
        self.busy.retain(|_, at| *at + lag > begun);
        let kept = self.own.iter().filter(|(_, (_, there))| *there);
        let kept: Vec<_> = kept.filter_map(|(id, _)| self.get(id)).collect();
        self.by_id.clear();
        self.by_claim.clear();
        self.by_use.clear();
        self.unreadable = UnreadableObjects::of(listed.unreadable);
        for object in listed.items {
            if !self.own.contains_key(object.id()) {
                self.compare_mark(&object);
                self.insert(Arc::new(object));
            }
        }
        for id in self.own.keys() {
            self.unreadable.remove(id);
        }
        for object in kept {
            self.insert(object);
        }
    }

    /// Compares the mark that a list shows with the one that we wrote.
    fn compare_mark(&mut self, object: &H) {
        let Some(signed) = self.signed.get_mut(object.id()) else {
            return;
        };
        if object.mark() == Some(&signed.mark) {
            self.signed.remove(object.id());
        } else if std::mem::take(&mut signed.unlisted) {
            signed.lost += 1;
        }
    }

    fn insert(&mut self, object: Arc<H>) {
        let id = object.id();
        if let Some(mark) = object.mark() {
            let ids = self.by_claim.entry(mark.claim()).or_default();
            ids.push(id.to_owned());
            for used in object.uses() {
                let users = self.by_use.entry(used.to_owned()).or_default();
                users.insert(id.to_owned());
            }
        }
        self.by_id.insert(id.to_owned(), object);
    }

    fn remove(&mut self, id: &str) {
        let Some(object) = self.by_id.remove(id) else {
            return;
        };
        let Some(mark) = object.mark() else { return };
        let claim = mark.claim();
        if let Some(ids) = self.by_claim.get_mut(&claim) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.by_claim.remove(&claim);
            }
        }
        for used in object.uses() {
            if let Some(users) = self.by_use.get_mut(used) {
                users.remove(id);
                if users.is_empty() {
                    self.by_use.remove(used);
                }
            }
        }
    }
}

/// Whole objects before mere parts, then the oldest: a copy is younger than what was copied. What we just created has no
/// creation time yet and is the youngest.
pub fn precedence<H: Held>(object: &H) -> (bool, i64) {
    let created = object.created().unwrap_or(i64::MAX);
    (!object.is_whole(), created)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    const LAG: Duration = Duration::from_secs(60);

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(&'static str, Option<Mark>, i64);

    impl Held for Thing {
        type Memory = ();

        fn id(&self) -> &str {
            self.0
        }
        fn mark(&self) -> Option<&Mark> {
            self.1.as_ref()
        }
        fn created(&self) -> Option<i64> {
            Some(self.2)
        }
        fn uses(&self) -> Vec<&str> {
            vec!["used"]
        }
    }

    fn mark() -> Mark {
        Mark::new("o", Kind::Dataset, "ns", "n")
    }

    fn listed(things: Vec<Thing>) -> Index<Thing> {
        let mut index = Index::default();
        index.replace(listing(things), Instant::now(), LAG);
        index
    }

    fn listing(items: Vec<Thing>) -> Listing<Thing> {
        let unreadable = Vec::new();
        Listing { items, unreadable }
    }

    #[test]
    fn of_several_objects_with_one_mark_the_oldest_is_ours() {
        let things = vec![Thing("b", Some(mark()), 2), Thing("a", Some(mark()), 1)];
        assert_eq!(listed(things).claimed(&mark())[0].id(), "a");
    }

    #[test]
    fn a_lagging_list_neither_hides_what_we_created_nor_revives_what_we_deleted() {
        let mut index = Index::default();
        index.put(Thing("new", Some(mark()), 1));
        index.forget("old");
        index.replace(listing(vec![Thing("old", None, 0)]), Instant::now(), LAG);
        assert!(!index.claimed(&mark()).is_empty());
        assert!(index.get("old").is_none() && index.is_forgotten("old", LAG));
    }

    #[test]
    fn a_mark_that_lists_do_not_show_after_two_writes_is_cut() {
        let mut index = Index::default();
        let list = |index: &mut Index<Thing>, mark| {
            index.replace(
                listing(vec![Thing("a", mark, 1)]),
                Instant::now(),
                Duration::ZERO,
            );
            index.is_cut("a")
        };
        index.sign("a", mark());
        assert!(!list(&mut index, None), "somebody may have edited it");
        assert!(!list(&mut index, None), "it was not written again");
        index.sign("a", mark());
        assert!(list(&mut index, None));
        index.sign("a", mark());
        assert!(!list(&mut index, Some(mark())), "a shorter text fits");
        // Its beginning is no edit, even if it reads like the mark of another resource.
        let long = Mark::new("o", Kind::Dataset, "ns", "name");
        index.sign("a", long);
        assert!(list(&mut index, Some(mark())));
    }

    #[test]
    fn the_oldest_counts_whatever_its_revision() {
        let index = listed(vec![
            Thing("copy", Some(mark().at(9)), 2),
            Thing("original", Some(mark()), 1),
        ]);
        let ids: Vec<_> = index.claimed(&mark()).iter().map(|it| it.0).collect();
        assert_eq!(ids, ["original", "copy"]);
    }

    #[test]
    fn the_users_of_an_object_are_those_that_bear_a_mark_as_long_as_they_exist() {
        let mut index = listed(vec![Thing("a", Some(mark()), 1), Thing("b", None, 1)]);
        assert_eq!(index.users("used"), [mark()]);
        assert!(index.users("other").is_empty());
        index.not_found("a");
        assert!(index.users("used").is_empty());
    }

    #[test]
    fn what_a_read_did_not_find_is_believed_again_when_a_list_shows_it() {
        let mut index = Index::default();
        index.put(Thing("a", Some(mark()), 1));
        assert!(index.not_found("a") && !index.not_found("a"));
        index.replace(
            listing(vec![Thing("a", Some(mark()), 1)]),
            Instant::now(),
            LAG,
        );
        assert!(index.get("a").is_some());
    }

    #[test]
    fn an_object_without_a_mark_is_adopted_by_one_alone() {
        let mut index = Index::<Thing>::default();
        let other = Mark::new("o", Kind::Dataset, "ns", "other");
        assert_eq!(index.reserve("x", &mark(), |_| true), Ok(()));
        assert_eq!(index.reserve("x", &mark(), |_| true), Ok(()));
        assert_eq!(index.reserve("x", &other, |_| true), Err(mark()));
        assert_eq!(index.reserve("x", &other, |_| false), Ok(()));
    }
}
