//! Whose object it is: what the mark on it says, compared with who looks at it.

use super::error::{Error, Result};
use super::graph::Key;
use super::mark::Mark;
use super::observations::{Observations, Observed};
use super::pass::Pass;
use super::session::Session;
use crate::api::AepResource;

impl<K: AepResource> Pass<'_, K> {
    /// Fails if somebody else's mark is on the object.
    pub(super) fn check_owner<O: Observed>(&self, object: &O) -> Result<()> {
        let Some(mark) = object.mark() else {
            return Ok(());
        };
        let claim = self.mark()?.claim();
        if mark.claim() == claim {
            return Ok(());
        }
        let id = object.id().to_owned();
        if self.is_abandoned(mark) {
            let other = named(mark);
            return Err(Error::Abandoned { id, other });
        }
        if mark.owner() == claim.owner() {
            return Err(owned(id, mark));
        }
        let owner = mark.owner().to_owned();
        Err(Error::OwnedElsewhere { id, owner })
    }

    /// Whether a mark of this Sandbox names a custom resource of this namespace that does not exist.
    pub(super) fn is_abandoned(&self, mark: &Mark) -> bool {
        let owner = self.owner_of(mark);
        owner.is_some_and(|it| it.namespace == self.namespace() && !self.engine.has(&it))
    }

    /// Takes over an object that does not bear our mark yet, unless another custom resource is about to.
    pub(super) fn take<O: Observed>(&self, all: &Observations<O>, object: &O) -> Result<()> {
        let claim = self.mark()?.claim();
        if object.mark().is_some_and(|mark| mark.claim() == claim) {
            return Ok(());
        }
        let is_there = |taker: &Mark| self.owner_of(taker).is_some_and(|it| self.engine.has(&it));
        let taken = all.take(object.id(), &claim, is_there);
        taken.map_err(|other| owned(object.id().to_owned(), &other))
    }

    /// The custom resource whose object at Adobe uses this one, whatever its spec says now.
    pub(super) fn user_at_adobe(&self, session: &Session, id: &str) -> Option<String> {
        let users = session.users(id).into_iter();
        let keys = users.filter_map(|mark| self.owner_of(&mark));
        let others = keys.filter(|key| *key != self.key() && self.engine.has(key));
        others.min().map(|key| key.to_string())
    }

    /// The custom resource that a mark of this Sandbox names.
    fn owner_of(&self, mark: &Mark) -> Option<Key> {
        let (namespace, name) = mark.object();
        let ours = self.mark().ok()?.owner() == mark.owner();
        ours.then(|| Key {
            kind: mark.kind(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

fn owned(id: String, mark: &Mark) -> Error {
    let other = named(mark);
    Error::AlreadyOwned { id, other }
}

fn named(mark: &Mark) -> String {
    let (namespace, name) = mark.object();
    format!("{namespace}/{name}")
}
