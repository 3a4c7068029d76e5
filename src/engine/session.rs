//! What the operator knows about one sandbox while its `Sandbox` resource lives: the handle on Adobe, the owner id, the
//! tenant, and everything observed there.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::error::Result;
use super::observations::{Observations, Observed};
use crate::adobe::Adobe;

/// One open sandbox.
pub struct Session {
    adobe: RwLock<Adobe>,
    /// The owner part of every mark.
    pub owner: String,
    /// The organisation's tenant id, without underscore.
    pub tenant: String,
    /// How often sweeps repeat.
    pub resync: Duration,
    observations: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    lookups: tokio::sync::Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>,
}

impl Session {
    /// Opens a sandbox.
    #[must_use]
    pub fn new(adobe: Adobe, owner: String, tenant: String, resync: Duration) -> Self {
        Self {
            adobe: RwLock::new(adobe),
            owner,
            tenant,
            resync,
            observations: Mutex::default(),
            lookups: tokio::sync::Mutex::default(),
        }
    }

    /// The handle on Adobe.
    #[must_use]
    pub fn adobe(&self) -> Adobe {
        self.adobe
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the handle after credentials, limits or endpoints changed; observations stay.
    pub fn renew(&self, adobe: Adobe) {
        *self.adobe.write().unwrap_or_else(PoisonError::into_inner) = adobe;
    }

    /// What Adobe holds of one kind.
    #[must_use]
    pub fn observations<O: Observed>(&self) -> Arc<Observations<O>> {
        let mut all = self
            .observations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = all
            .entry(TypeId::of::<O>())
            .or_insert_with(|| Arc::new(Observations::<O>::default()));
        entry.clone().downcast().unwrap_or_default()
    }

    /// A fact that does not change while the sandbox is open, such as the id of a spec: asked for once.
    pub async fn once<T, F>(&self, key: &str, ask: impl FnOnce() -> F + Send) -> Result<T>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let mut known = self.lookups.lock().await;
        if let Some(fact) = known.get(key).and_then(|fact| fact.downcast_ref::<T>()) {
            return Ok(fact.clone());
        }
        let fact = ask().await?;
        known.insert(key.to_owned(), Arc::new(fact.clone()));
        Ok(fact)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("owner", &self.owner)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// All open sandboxes, by namespace and name of their `Sandbox` resource.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<(String, String), Arc<Session>>>);

impl Sessions {
    /// The session of this Sandbox, if it is open.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Session>> {
        self.all()
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    /// Opens a session, in place of an older one.
    pub fn open(&self, namespace: &str, name: &str, session: Arc<Session>) {
        self.all()
            .insert((namespace.to_owned(), name.to_owned()), session);
    }

    /// Closes a session.
    pub fn close(&self, namespace: &str, name: &str) {
        self.all().remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Every open session with namespace and name of its Sandbox.
    #[must_use]
    pub fn list(&self) -> Vec<((String, String), Arc<Session>)> {
        self.all()
            .iter()
            .map(|(key, session)| (key.clone(), session.clone()))
            .collect()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
