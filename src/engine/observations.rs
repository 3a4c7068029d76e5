//! What Adobe holds, as far as we saw it: one sweep per sandbox and kind instead of one read per object.

use std::any::Any;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::error::{Error, Result};
use super::mark::Mark;
use super::seen::{Seen, precedence};
use crate::adobe;

/// How many custom resources may look for themselves instead of waiting for the first sweep.
const HASTY: u32 = 20;

/// After how many failed sweeps in a row it is told that they fail.
const LASTING: u32 = 3;

/// What Adobe holds of one object, compact enough to keep by the ten thousand.
pub trait Observed: Clone + Send + Sync + 'static {
    /// Adobe's id.
    fn id(&self) -> &str;
    /// Whose it is, if it says so.
    fn mark(&self) -> Option<&Mark>;
    /// When it was created, in milliseconds since the epoch.
    fn created(&self) -> Option<i64>;
    /// The ids of other objects at Adobe that this one uses.
    fn uses(&self) -> Vec<&str>;
    /// Whether it is all that its custom resource stands for, and not a part that an interrupted create left.
    fn is_whole(&self) -> bool {
        true
    }
}

/// Observations of a kind that is not named.
pub trait AnyObservations: Any + Send + Sync {
    /// Whose objects use this one.
    fn users(&self, id: &str) -> Vec<Mark>;
}

impl<O: Observed> AnyObservations for Observations<O> {
    fn users(&self, id: &str) -> Vec<Mark> {
        let all = self.marked().into_iter();
        let users = all.filter(|it| it.uses().contains(&id));
        users.filter_map(|it| it.mark().cloned()).collect()
    }
}

/// All objects of one kind in one sandbox.
#[derive(Debug)]
pub struct Observations<O> {
    seen: Mutex<Seen<O>>,
    sweeping: tokio::sync::Mutex<()>,
    swept: Notify,
    hurried: AtomicU32,
    /// How long listings may lag behind: for this long after a write, our own knowledge outweighs a sweep.
    lag: Duration,
}

impl<O: Observed> Observations<O> {
    /// Nothing seen yet; `lag` is how long listings may lag behind a write.
    #[must_use]
    pub fn new(lag: Duration) -> Self {
        Self {
            seen: Mutex::default(),
            sweeping: tokio::sync::Mutex::default(),
            swept: Notify::new(),
            hurried: AtomicU32::new(0),
            lag,
        }
    }

    /// Sweeps. One at a time: who comes while one is under way sweeps after it.
    pub async fn sweep<F>(&self, list: impl FnOnce() -> F + Send) -> Result<()>
    where
        F: Future<Output = Result<Vec<O>>> + Send,
    {
        let _turn = self.sweeping.lock().await;
        self.seen().tried = Some(Instant::now());
        self.sweep_now(list).await
    }

    /// Sweeps, unless one has begun after that instant. Those who come together share it.
    pub async fn sweep_after<F>(
        &self,
        instant: Instant,
        list: impl FnOnce() -> F + Send,
    ) -> Result<()>
    where
        F: Future<Output = Result<Vec<O>>> + Send,
    {
        let _turn = self.sweeping.lock().await;
        if self.seen().swept.is_some_and(|begun| begun >= instant) {
            return Ok(());
        }
        if let Some(error) = self.seen().fresh_trouble() {
            return Err(error.into());
        }
        self.sweep_now(list).await
    }

    async fn sweep_now<F>(&self, list: impl FnOnce() -> F + Send) -> Result<()>
    where
        F: Future<Output = Result<Vec<O>>> + Send,
    {
        let begun = Instant::now();
        match list().await {
            Ok(listed) => self.replace(listed, begun),
            Err(error) => {
                self.seen().fail(&error);
                return Err(error);
            }
        }
        self.swept.notify_waiters();
        Ok(())
    }

    /// Whether a sweep is due: the first at once, the next ones once the period is over, failed ones later and later.
    #[must_use]
    pub fn is_due(&self, period: Duration) -> bool {
        let seen = self.seen();
        let Some(tried) = seen.tried else { return true };
        let trouble = seen.trouble.as_ref();
        let wait = trouble.map_or(period, |it| it.wait().min(period));
        tried.elapsed() >= wait
    }

    /// Why there is no sweep yet, if the last one failed.
    #[must_use]
    pub fn trouble(&self) -> Option<adobe::Error> {
        let seen = self.seen();
        seen.trouble.as_ref().map(|it| it.error.clone())
    }

    /// The same once it does not look as if it would pass in a moment.
    #[must_use]
    pub fn lasting_trouble(&self) -> Option<Error> {
        let seen = self.seen();
        let trouble = seen.trouble.as_ref()?;
        let error = Error::Adobe(trouble.error.clone());
        (trouble.failures >= LASTING || error.verdict().terminal).then_some(error)
    }

    /// Whether one more custom resource may look for itself instead of waiting for the first sweep.
    #[must_use]
    pub fn may_hurry(&self) -> bool {
        self.hurried.fetch_add(1, Ordering::Relaxed) < HASTY
    }

    /// Whether a sweep has ended; waits a moment for the first one.
    pub async fn swept_within(&self, patience: Duration) -> bool {
        let mut ended = std::pin::pin!(self.swept.notified());
        ended.as_mut().enable();
        let before = self.seen().swept.is_some();
        before || (!patience.is_zero() && tokio::time::timeout(patience, ended).await.is_ok())
    }

    /// The object of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<O>> {
        self.seen().by_id.get(id).cloned()
    }

    /// All that bear the claim: first the one that counts, which is the oldest of the latest revision.
    #[must_use]
    pub fn claimed(&self, claim: &Mark) -> Vec<Arc<O>> {
        let seen = self.seen();
        let ids = seen.by_claim.get(claim).into_iter().flatten();
        let mut found: Vec<_> = ids.filter_map(|id| seen.by_id.get(id)).cloned().collect();
        found.sort_by_key(|object| precedence(object.as_ref()));
        found
    }

    /// The oldest object that bears the very mark, revision included.
    #[must_use]
    pub fn marked_so(&self, mark: &Mark) -> Option<Arc<O>> {
        let claimed = self.claimed(&mark.claim());
        claimed.into_iter().find(|it| it.mark() == Some(mark))
    }

    /// Every object that bears a mark.
    #[must_use]
    pub fn marked(&self) -> Vec<Arc<O>> {
        let seen = self.seen();
        let ids = seen.by_claim.values().flatten();
        ids.filter_map(|id| seen.by_id.get(id)).cloned().collect()
    }

    /// Notes an object that we just wrote or read.
    pub fn put(&self, object: O) -> Arc<O> {
        let object = Arc::new(object);
        let mut seen = self.seen();
        seen.own
            .insert(object.id().to_owned(), (Instant::now(), true));
        seen.remove(object.id());
        seen.doubted.remove(object.id());
        if let Some(mark) = object.mark() {
            seen.busy.insert(mark.claim(), Instant::now());
        }
        seen.insert(object.clone());
        object
    }

    /// Notes that only a fresh look can tell how an object is.
    pub fn doubt(&self, id: &str) {
        self.seen().doubted.insert(id.to_owned());
    }

    /// Whether a fresh look at the object is needed.
    #[must_use]
    pub fn is_doubted(&self, id: &str) -> bool {
        self.seen().doubted.contains(id)
    }

    /// Notes that a read denies an object. That may be a lie, so what lists show of it counts again from the next one on.
    /// Tells whether the object was known until now.
    pub fn deny(&self, id: &str) -> bool {
        let mut seen = self.seen();
        let shown = seen.by_id.contains_key(id);
        seen.own.remove(id);
        seen.remove(id);
        seen.doubted.remove(id);
        shown
    }

    /// Notes that we deleted an object.
    pub fn forget(&self, id: &str) {
        let mut seen = self.seen();
        seen.own.insert(id.to_owned(), (Instant::now(), false));
        seen.remove(id);
        seen.takers.remove(id);
        seen.doubted.remove(id);
    }

    /// Whether we deleted an object a moment ago: reads and listings may show it for a while.
    #[must_use]
    pub fn is_forgotten(&self, id: &str) -> bool {
        let seen = self.seen();
        let own = seen.own.get(id);
        own.is_some_and(|(at, there)| !there && at.elapsed() < self.lag)
    }

    /// Lets one custom resource alone take over an object without its mark; gives the other one where one was faster and
    /// is still there.
    pub fn take(
        &self,
        id: &str,
        claim: &Mark,
        is_there: impl Fn(&Mark) -> bool,
    ) -> std::result::Result<(), Mark> {
        let mut seen = self.seen();
        seen.takers
            .retain(|_, taker| taker == claim || is_there(taker));
        let taker = seen.takers.entry(id.to_owned());
        let taker = taker.or_insert_with(|| claim.clone());
        if taker == claim {
            Ok(())
        } else {
            Err(taker.clone())
        }
    }

    /// Notes that a custom resource gave up all that it had.
    pub fn release(&self, claim: &Mark) {
        let mut seen = self.seen();
        seen.takers.retain(|_, taker| taker != claim);
        seen.busy.insert(claim.clone(), Instant::now());
    }

    /// Whether we were at work on what bears the claim when the last sweep began, or since.
    #[must_use]
    pub fn is_busy(&self, claim: &Mark) -> bool {
        self.seen().busy.contains_key(claim)
    }

    fn replace(&self, listed: Vec<O>, begun: Instant) {
        let mut seen = self.seen();
        seen.own.retain(|_, (at, _)| *at + self.lag > begun);
        seen.busy.retain(|_, at| *at + self.lag > begun);
        let listed = listed
            .into_iter()
            .filter(|o| !seen.own.contains_key(o.id()))
            .map(Arc::new);
        let listed: Vec<_> = listed.collect();
        let kept: Vec<_> = seen
            .own
            .iter()
            .filter(|(_, (_, there))| *there)
            .filter_map(|(id, _)| seen.by_id.get(id))
            .cloned()
            .collect();
        seen.by_id.clear();
        seen.by_claim.clear();
        for object in listed.into_iter().chain(kept) {
            seen.insert(object);
        }
        seen.swept = Some(begun);
        seen.trouble = None;
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen<O>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(&'static str, Option<Mark>, i64);

    impl Observed for Thing {
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
            Vec::new()
        }
    }

    fn mark() -> Mark {
        Mark::new("o", Kind::Dataset, "ns", "n")
    }

    async fn sweep(all: &Observations<Thing>, things: Vec<Thing>) {
        all.sweep(|| async { Ok(things) }).await.unwrap();
    }

    #[tokio::test]
    async fn of_several_objects_with_one_mark_the_oldest_is_ours() {
        let all = Observations::new(Duration::from_secs(60));
        sweep(
            &all,
            vec![Thing("b", Some(mark()), 2), Thing("a", Some(mark()), 1)],
        )
        .await;
        assert_eq!(all.claimed(&mark())[0].id(), "a");
    }

    #[tokio::test]
    async fn a_lagging_sweep_neither_hides_what_we_made_nor_revives_what_we_deleted() {
        let all = Observations::new(Duration::from_secs(60));
        all.put(Thing("new", Some(mark()), 1));
        all.forget("old");
        sweep(&all, vec![Thing("old", None, 0)]).await;
        assert!(!all.claimed(&mark()).is_empty());
        assert!(all.get("old").is_none());
    }

    #[tokio::test]
    async fn the_latest_revision_counts_whatever_its_age() {
        let all = Observations::new(Duration::from_secs(60));
        let things = vec![
            Thing("old", Some(mark()), 1),
            Thing("new", Some(mark().at(2)), 2),
        ];
        sweep(&all, things).await;
        let ids: Vec<_> = all.claimed(&mark()).iter().map(|it| it.0).collect();
        assert_eq!(ids, ["new", "old"]);
    }

    #[test]
    fn an_object_without_a_mark_is_taken_over_by_one_alone() {
        let all = Observations::<Thing>::new(Duration::ZERO);
        let other = Mark::new("o", Kind::Dataset, "ns", "other");
        assert_eq!(all.take("x", &mark(), |_| true), Ok(()));
        assert_eq!(all.take("x", &mark(), |_| true), Ok(()));
        assert_eq!(all.take("x", &other, |_| true), Err(mark()));
        assert_eq!(all.take("x", &other, |_| false), Ok(()));
    }
}
