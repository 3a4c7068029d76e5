//! Facts about a sandbox that do not change while it is open: each is asked for once, however many want it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::engine::error::Result;

/// Facts by their key, such as the id of a connection spec by its name.
#[derive(Default)]
pub struct Facts(Mutex<HashMap<String, Arc<OnceCell<String>>>>);

impl Facts {
    /// The fact of this key. Of a question without an answer nothing is kept, since anybody may ask anything.
    pub async fn get<F>(&self, key: String, ask: impl FnOnce() -> F + Send) -> Result<String>
    where
        F: Future<Output = Result<String>> + Send,
    {
        let cell = self.all().entry(key.clone()).or_default().clone();
        let _asked = Asked { facts: self, key };
        cell.get_or_try_init(ask).await.cloned()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<OnceCell<String>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question until it is answered, given up or dropped.
struct Asked<'f> {
    facts: &'f Facts,
    key: String,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut all = self.facts.all();
        // Others who wait for the same answer still get it; it is only not kept.
        if all.get(&self.key).is_some_and(|it| it.get().is_none()) {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::error::Error;

    #[tokio::test]
    async fn nothing_is_kept_of_a_question_without_an_answer() {
        let facts = Facts::default();
        let unknown = || async { Err(Error::Invalid("no such spec".into())) };
        for number in 0..100 {
            let asked = facts.get(format!("spec:{number}"), unknown).await;
            assert!(asked.is_err());
        }
        assert_eq!(facts.all().len(), 0);
    }

    #[tokio::test]
    async fn an_answer_is_asked_for_once() {
        let facts = Facts::default();
        let known = || async { Ok("id".to_owned()) };
        assert_eq!(facts.get("spec".into(), known).await.unwrap(), "id");
        let never = || async { unreachable!("it is known") };
        assert_eq!(facts.get("spec".into(), never).await.unwrap(), "id");
    }

    #[tokio::test]
    async fn a_question_that_is_dropped_leaves_nothing_either() {
        let facts = Facts::default();
        let hangs = || async { std::future::pending().await };
        let asked = facts.get("spec".into(), hangs);
        assert!(futures::poll!(std::pin::pin!(asked)).is_pending());
        assert_eq!(facts.all().len(), 0);
    }
}
