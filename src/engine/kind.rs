//! What a kind has to say; everything else the engine does.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::error::Result;
use super::observations::Observed;
use super::pass::Pass;
use super::session::Session;
use crate::api::{self, AepResource};

/// The smallest step from what is to what should be.
#[derive(Debug, PartialEq)]
pub enum Plan<C> {
    /// Nothing to do.
    Keep,
    /// This change, in place.
    Change(C),
    /// Not possible in place; the text names the fields.
    Replace(String),
    /// Something is to be done, but only after Adobe has finished what it is at; the text is the state it is in.
    Wait(String),
}

/// A kind that owns an object at Adobe. One file in `kinds/` each; `plan` and `record` are pure.
pub trait Kind: AepResource {
    /// The spec with every reference resolved to an Adobe id.
    type Desired: Send + Sync;
    /// What Adobe holds.
    type Observed: Observed;
    /// The smallest update that closes the gap.
    type Change: Debug + Send + Sync;

    /// Reads other custom resources and Secrets; `Waiting` if one is not ready.
    fn resolve(&self, pass: &Pass<'_, Self>) -> impl Future<Output = Result<Self::Desired>> + Send;

    /// Everything of this kind in the sandbox.
    fn list(session: &Session) -> impl Future<Output = Result<Vec<Self::Observed>>> + Send;

    /// What may be ours, looked up by name or tag: for the moments when a create may or may not have happened.
    fn find(
        session: &Session,
        desired: &Self::Desired,
    ) -> impl Future<Output = Result<Vec<Self::Observed>>> + Send;

    /// One object, fresh.
    fn read(
        session: &Session,
        id: &str,
    ) -> impl Future<Output = Result<Option<Self::Observed>>> + Send;

    /// Compares, normalised: what Adobe adds or spells differently is no difference.
    fn plan(desired: &Self::Desired, observed: &Self::Observed) -> Result<Plan<Self::Change>>;

    /// Whether somebody's object without a mark is what the spec describes, as far as people tell objects apart: by
    /// its name.
    fn is_namesake(_desired: &Self::Desired, _observed: &Self::Observed) -> bool {
        false
    }

    /// Whether an object that a read denies is there all the same.
    fn is_hidden(_session: &Session, _id: &str) -> impl Future<Output = Result<bool>> + Send {
        async { Ok(false) }
    }

    /// Creates the object, with our mark.
    fn create(
        session: &Session,
        desired: &Self::Desired,
    ) -> impl Future<Output = Result<Self::Observed>> + Send;

    /// The kinds whose objects use one of this kind at Adobe.
    const USED_BY: &'static [api::Kind] = &[];

    /// Whether it is made of several objects at Adobe, some of which may be added later.
    const HAS_PARTS: bool = false;

    /// Whether a change makes a further object at Adobe, so that it must not be carried out twice.
    fn makes(_change: &Self::Change) -> bool {
        false
    }

    /// Changes the object, of which `observed` was just read; gives what Adobe holds afterwards.
    fn update(
        session: &Session,
        desired: &Self::Desired,
        observed: &Self::Observed,
        change: Self::Change,
    ) -> impl Future<Output = Result<Self::Observed>> + Send;

    /// Stops what was replaced from having any effect, and deletes it.
    fn retire(
        session: &Session,
        observed: &Self::Observed,
    ) -> impl Future<Output = Result<()>> + Send {
        Self::delete(session, observed)
    }

    /// Deletes the object; "already gone" is success.
    fn delete(
        session: &Session,
        observed: &Self::Observed,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Writes what the kind reports beyond the common status, in which `id` still is that of the pass before.
    fn record(desired: &Self::Desired, observed: &Self::Observed, status: &mut Self::Status);

    /// How often [`follow`](Self::follow) is worth a call; never for kinds with which Adobe does nothing by itself.
    const FOLLOWED: Option<Duration> = None;

    /// Looks at what Adobe does with the objects by itself: for all of a sandbox at once, in as few calls as can be.
    /// Gives those about which there is something new to report.
    fn follow(
        _session: &Session,
        _objects: &[Arc<Self>],
    ) -> impl Future<Output = Result<Vec<Arc<Self>>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Writes what was seen of that into the status, whatever else becomes of the pass.
    fn report(_pass: &Pass<'_, Self>, _status: &mut Self::Status) {}
}
