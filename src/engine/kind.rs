//! What a kind that owns an object at Adobe has to say; everything else the engine does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::DescriptorEncoder;

use super::error::Result;
use super::events::Events;
use super::lookup::Lookup;
use super::mark::Mark;
use super::planned::Planned;
use super::sandbox::Session;
use crate::adobe::Listing;
use crate::api::AepResource;

/// How Adobe keeps a kind's objects: written once per service.
pub trait Objects {
    /// The kind.
    type Kind: Planned;

    /// Everything of the kind in the sandbox.
    fn list(
        session: &Session,
    ) -> impl Future<Output = Result<Listing<<Self::Kind as Planned>::Held>>> + Send;

    /// What may be ours, looked up by name or tag: for the moments when a create may or may not have happened.
    fn find(
        session: &Session,
        desired: &<Self::Kind as Planned>::Desired,
    ) -> impl Future<Output = Result<Vec<<Self::Kind as Planned>::Held>>> + Send;

    /// One object, fresh.
    fn read(
        session: &Session,
        id: &str,
    ) -> impl Future<Output = Result<Option<<Self::Kind as Planned>::Held>>> + Send;

    /// How many objects [`read_some`](Self::read_some) may be asked for at once; one where the service has no such call.
    const TOGETHER: usize = 1;

    /// Several objects in one call. One that it does not show may be there all the same.
    fn read_some(
        _session: &Session,
        _ids: &[String],
    ) -> impl Future<Output = Result<Vec<<Self::Kind as Planned>::Held>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Deletes the object; "already gone" is success.
    fn delete(
        session: &Session,
        held: &<Self::Kind as Planned>::Held,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A kind that owns an object at Adobe.
pub trait ManagedKind: AepResource + Planned {
    /// How Adobe keeps the objects.
    type Objects: Objects<Kind = Self>;

    /// What the names in the spec stand for.
    type Refs: Send + Sync;

    /// Looks up what the spec names; `Waiting` if something is not ready. The only step that sees other resources.
    fn dereference(
        &self,
        lookup: &Lookup<'_>,
        session: &Session,
    ) -> impl Future<Output = Result<Self::Refs>> + Send;

    /// What Adobe should hold.
    fn desired(&self, refs: &Self::Refs, mark: Mark, tenant: &str) -> Result<Self::Desired>;

    /// Creates the object, with the mark.
    fn create(
        session: &Session,
        desired: &Self::Desired,
    ) -> impl Future<Output = Result<Self::Held>> + Send;

    /// Changes the object, of which `held` was just read; returns what Adobe holds afterwards.
    fn update(
        session: &Session,
        desired: &Self::Desired,
        held: &Self::Held,
        change: Self::Change,
    ) -> impl Future<Output = Result<Self::Held>> + Send;

    /// Writes what the kind reports beyond the common status, in which `id` still is that of the reconcile before.
    fn record(desired: &Self::Desired, held: &Self::Held, status: &mut Self::Status);

    /// Fails if the object must not be deleted, whatever else was decided. It was just read.
    fn may_delete(
        &self,
        _session: &Session,
        _held: &Self::Held,
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// What of an object belongs to the resource, where it is to be deleted: not what a mark alone makes a part of it.
    #[must_use]
    fn owned(&self, held: Self::Held) -> Self::Held {
        held
    }

    /// Stops what was replaced from having any effect, and deletes it.
    fn retire(session: &Session, held: &Self::Held) -> impl Future<Output = Result<()>> + Send {
        Self::Objects::delete(session, held)
    }

    /// Whether an object that a read does not find exists all the same: an access label may hide it.
    fn is_hidden(_session: &Session, _id: &str) -> impl Future<Output = Result<bool>> + Send {
        async { Ok(false) }
    }

    /// What else the kind follows and exports.
    type Observing: Observing<Self>;
}

/// What a kind observes of objects with which Adobe does something by itself. It has no say in whether they are in sync.
/// `()` observes nothing.
pub trait Observing<K: ManagedKind> {
    /// How often [`poll`](Self::poll) is worth a call; never, if Adobe does nothing by itself.
    const PERIOD: Option<Duration> = None;

    /// Looks at all objects of a sandbox at once, in as few calls as can be. Returns those about which there is something new to
    /// report.
    fn poll(
        _session: &Session,
        _objects: &[Arc<K>],
    ) -> impl Future<Output = Result<Vec<Arc<K>>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Writes what was observed into the status, whatever else becomes of the reconcile. `resource` has the status of before.
    fn report(
        _session: Option<&Session>,
        _resource: &K,
        _status: &mut K::Status,
        _events: &mut Events,
    ) {
    }

    /// Encodes metrics of all resources; the predicate says whether a Sandbox of this namespace and name is suspended.
    fn encode(
        _resources: &[Arc<K>],
        _is_suspended: &dyn Fn(&str, &str) -> bool,
        _encoder: &mut DescriptorEncoder<'_>,
    ) -> std::fmt::Result {
        Ok(())
    }
}

impl<K: ManagedKind> Observing<K> for () {}
