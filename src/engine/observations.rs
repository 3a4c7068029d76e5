//! What Adobe holds, as far as we saw it: one sweep per sandbox and kind instead of one read per object.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::Result;
use super::mark::Mark;

/// Listings may lag: for this long after a write, our own knowledge outweighs a sweep.
const GRACE: Duration = Duration::from_secs(60);

/// What Adobe holds of one object, compact enough to keep by the ten thousand.
pub trait Observed: Clone + Send + Sync + 'static {
    /// Adobe's id.
    fn id(&self) -> &str;
    /// Whose it is, if it says so.
    fn mark(&self) -> Option<&Mark>;
    /// When it was created, in milliseconds since the epoch.
    fn created(&self) -> Option<i64>;
}

/// All objects of one kind in one sandbox.
#[derive(Debug)]
pub struct Observations<O> {
    seen: Mutex<Seen<O>>,
    sweeping: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Seen<O> {
    swept: Option<Instant>,
    by_id: HashMap<String, Arc<O>>,
    by_mark: HashMap<Mark, Vec<String>>,
    /// What we wrote (`true`) or deleted (`false`) ourselves, and when.
    own: HashMap<String, (Instant, bool)>,
}

impl<O> Default for Observations<O> {
    fn default() -> Self {
        let seen = Seen {
            swept: None,
            by_id: HashMap::new(),
            by_mark: HashMap::new(),
            own: HashMap::new(),
        };
        Self {
            seen: Mutex::new(seen),
            sweeping: tokio::sync::Mutex::default(),
        }
    }
}

impl<O: Observed> Observations<O> {
    /// Sweeps unless that happened before. Concurrent callers share one sweep.
    pub async fn first_sweep<F>(&self, list: impl FnOnce() -> F + Send) -> Result<()>
    where
        F: Future<Output = Result<Vec<O>>> + Send,
    {
        let _turn = self.sweeping.lock().await;
        if self.seen().swept.is_none() {
            self.replace(list().await?);
        }
        Ok(())
    }

    /// Sweeps again.
    pub async fn sweep<F>(&self, list: impl FnOnce() -> F + Send) -> Result<()>
    where
        F: Future<Output = Result<Vec<O>>> + Send,
    {
        let _turn = self.sweeping.lock().await;
        self.replace(list().await?);
        Ok(())
    }

    /// When the last sweep ended.
    #[must_use]
    pub fn swept(&self) -> Option<Instant> {
        self.seen().swept
    }

    /// The object of this id, else the oldest one that bears the mark.
    #[must_use]
    pub fn find(&self, id: Option<&str>, mark: &Mark) -> Option<Arc<O>> {
        let seen = self.seen();
        let by_id = id.and_then(|id| seen.by_id.get(id));
        by_id.cloned().or_else(|| {
            let ids = seen.by_mark.get(mark)?;
            ids.iter()
                .filter_map(|id| seen.by_id.get(id))
                .min_by_key(|o| o.created().unwrap_or(i64::MAX))
                .cloned()
        })
    }

    /// Notes an object that we just wrote or read.
    pub fn put(&self, object: O) -> Arc<O> {
        let object = Arc::new(object);
        let mut seen = self.seen();
        seen.own
            .insert(object.id().to_owned(), (Instant::now(), true));
        seen.remove(object.id());
        seen.insert(object.clone());
        object
    }

    /// Notes that an object is gone.
    pub fn forget(&self, id: &str) {
        let mut seen = self.seen();
        seen.own.insert(id.to_owned(), (Instant::now(), false));
        seen.remove(id);
    }

    fn replace(&self, listed: Vec<O>) {
        let mut seen = self.seen();
        seen.own.retain(|_, (at, _)| at.elapsed() < GRACE);
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
        seen.by_mark.clear();
        for object in listed.into_iter().chain(kept) {
            seen.insert(object);
        }
        seen.swept = Some(Instant::now());
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen<O>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Observed> Seen<O> {
    fn insert(&mut self, object: Arc<O>) {
        if let Some(mark) = object.mark() {
            self.by_mark
                .entry(mark.clone())
                .or_default()
                .push(object.id().to_owned());
        }
        self.by_id.insert(object.id().to_owned(), object);
    }

    fn remove(&mut self, id: &str) {
        let Some(object) = self.by_id.remove(id) else {
            return;
        };
        if let Some(ids) = object.mark().and_then(|mark| self.by_mark.get_mut(mark)) {
            ids.retain(|other| other != id);
        }
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
    }

    fn mark() -> Mark {
        Mark::new("o", Kind::Dataset, "ns", "n")
    }

    async fn sweep(all: &Observations<Thing>, things: Vec<Thing>) {
        all.sweep(|| async { Ok(things) }).await.unwrap();
    }

    #[tokio::test]
    async fn of_several_objects_with_one_mark_the_oldest_is_ours() {
        let all = Observations::default();
        sweep(
            &all,
            vec![Thing("b", Some(mark()), 2), Thing("a", Some(mark()), 1)],
        )
        .await;
        assert_eq!(all.find(None, &mark()).unwrap().id(), "a");
    }

    #[tokio::test]
    async fn a_lagging_sweep_neither_hides_what_we_made_nor_revives_what_we_deleted() {
        let all = Observations::default();
        all.put(Thing("new", Some(mark()), 1));
        all.forget("old");
        sweep(&all, vec![Thing("old", None, 0)]).await;
        assert!(all.find(None, &mark()).is_some());
        assert!(
            all.find(Some("old"), &Mark::new("o", Kind::Dataset, "ns", "other"))
                .is_none()
        );
    }
}
