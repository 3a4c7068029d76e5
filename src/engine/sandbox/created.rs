//! Objects that were just created, and on which Adobe is still at work: they are read together, many in one call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long a read of many counts for each of them.
const RECENT: Duration = Duration::from_millis(500);

/// Ids of such objects, and when they were last read.
#[derive(Debug, Default)]
pub struct Created {
    ids: Mutex<HashMap<String, Option<Instant>>>,
    /// One read of many at a time: those who wait for it find what they want among what it found.
    pub reading: tokio::sync::Mutex<()>,
}

/// How one of them is to be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// By itself: it is none of them.
    Alone,
    /// Not at all: it was read with others a moment ago.
    Done,
    /// Together with others.
    With(Vec<String>),
}

impl Created {
    /// An object was created, and nothing was written to it since.
    pub fn add(&self, id: &str) {
        self.ids().insert(id.to_owned(), None);
    }

    /// It is as it should be, or it was written to again: then only a read of it alone is sure to show that.
    pub fn remove(&self, id: &str) {
        self.ids().remove(id);
    }

    /// Whether it is one of them.
    pub fn has(&self, id: &str) -> bool {
        self.ids().contains_key(id)
    }

    /// How to read one of them, of at most `limit` together; those that were not read for longest come first.
    pub fn turn(&self, id: &str, limit: usize) -> Turn {
        let ids = self.ids();
        let Some(last) = ids.get(id) else {
            return Turn::Alone;
        };
        if last.is_some_and(|it| it.elapsed() < RECENT) {
            return Turn::Done;
        }
        let mut others: Vec<_> = ids.iter().filter(|(it, _)| *it != id).collect();
        others.sort_unstable_by_key(|(_, last)| **last);
        let others = others.into_iter().map(|(it, _)| it.clone());
        let turn = [id.to_owned()].into_iter().chain(others);
        Turn::With(turn.take(limit).collect())
    }

    /// Of those that were asked for, these were shown. The others are no longer read together with any.
    pub fn have_read(&self, asked: &[String], shown: &[String]) {
        let (mut ids, now) = (self.ids(), Instant::now());
        for id in asked {
            if !shown.contains(id) {
                ids.remove(id);
            } else if let Some(last) = ids.get_mut(id) {
                *last = Some(now);
            }
        }
    }

    fn ids(&self) -> MutexGuard<'_, HashMap<String, Option<Instant>>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_read_serves_all_that_were_created() {
        let created = Created::default();
        for id in ["a", "b", "c"] {
            created.add(id);
        }
        let Turn::With(mut ids) = created.turn("b", 50) else {
            panic!("not together");
        };
        assert_eq!(ids[0], "b");
        ids.sort();
        assert_eq!(ids, ["a", "b", "c"]);
        created.have_read(&ids, &ids[..2]);
        assert_eq!(created.turn("a", 50), Turn::Done);
        assert_eq!(created.turn("c", 50), Turn::Alone);
    }

    #[test]
    fn what_exceeds_a_read_of_many_comes_with_the_next_one() {
        let created = Created::default();
        for id in ["a", "b", "c"] {
            created.add(id);
        }
        let Turn::With(first) = created.turn("a", 2) else {
            panic!("not together");
        };
        created.have_read(&first, &first);
        let left = ["b", "c"]
            .into_iter()
            .find(|it| !first.contains(&(*it).to_owned()));
        let Turn::With(second) = created.turn(left.unwrap(), 2) else {
            panic!("not together");
        };
        assert_eq!((first.len(), second.len()), (2, 2));
    }

    #[test]
    fn a_read_of_many_that_failed_counts_for_nobody() {
        let created = Created::default();
        created.add("a");
        created.add("b");
        for _ in 0..2 {
            assert!(matches!(created.turn("a", 50), Turn::With(_)));
        }
    }

    #[test]
    fn what_was_written_to_since_is_read_alone() {
        let created = Created::default();
        created.add("a");
        created.remove("a");
        assert_eq!(created.turn("a", 50), Turn::Alone);
        assert_eq!(created.turn("never created", 50), Turn::Alone);
    }
}
