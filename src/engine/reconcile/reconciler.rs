//! What the engine asks of any kind that it drives.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use prometheus_client::encoding::DescriptorEncoder;

use super::context::Context;
use super::perform::perform;
use super::report::Report;
use crate::api::{AepResource, DeletionPolicy};
use crate::engine::error::Result;
use crate::engine::kind::{ManagedKind, Observing};
use crate::engine::resync::{poll, resync};
use crate::engine::sandbox::collection;
use crate::engine::shared::{Engine, NewCollection};
use crate::engine::verdict::Retry;

/// A kind that the engine can drive: those that own an object at Adobe, and `Sandbox`.
pub trait Reconcile: AepResource {
    /// Makes what is known of the kind in one sandbox, if it owns objects there.
    const COLLECTION: Option<NewCollection> = None;

    /// Brings Adobe to what the spec says, and notes in the status what is there even if that fails. Returns when to come back
    /// although all is well, if at all.
    fn apply(
        cx: &Context<'_, Self>,
        report: &mut Report<Self>,
    ) -> impl Future<Output = Result<Option<Retry>>> + Send;

    /// Keeps up what others need of a resource whose deletion waits for them.
    #[must_use]
    fn hold(_cx: &Context<'_, Self>) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Undoes it; afterwards the resource may go.
    fn clean_up(
        cx: &Context<'_, Self>,
        report: &mut Report<Self>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Writes into the status what is observed besides, whatever becomes of the reconcile.
    fn observe(_cx: &Context<'_, Self>, _report: &mut Report<Self>) {}

    /// Lists and polls everything of this kind in the open sandboxes again and again. Never ends.
    fn resync(_engine: &Engine) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Encodes the metrics that this kind alone exports; the predicate says whether a Sandbox is suspended.
    fn encode(
        _resources: &[Arc<Self>],
        _is_suspended: &dyn Fn(&str, &str) -> bool,
        _encoder: &mut DescriptorEncoder<'_>,
    ) -> fmt::Result {
        Ok(())
    }
}

impl<K: ManagedKind> Reconcile for K {
    const COLLECTION: Option<NewCollection> = Some(collection::<K>);

    async fn apply(cx: &Context<'_, Self>, report: &mut Report<Self>) -> Result<Option<Retry>> {
        perform(cx, report).await
    }

    async fn clean_up(cx: &Context<'_, Self>, report: &mut Report<Self>) -> Result<()> {
        if cx.resource().management().deletion_policy == DeletionPolicy::Orphan {
            let text = "left at Adobe, as `deletionPolicy: Orphan` says";
            report.events.normal("Released", text.into());
            return Ok(());
        }
        perform(cx, report).await.map(drop)
    }

    fn observe(cx: &Context<'_, Self>, report: &mut Report<Self>) {
        let session = cx.session().ok();
        let Report { status, events, .. } = report;
        K::Observing::report(session.as_deref(), cx.resource(), status, events);
    }

    async fn resync(engine: &Engine) {
        tokio::join!(resync::<K>(engine), poll::<K>(engine));
    }

    fn encode(
        resources: &[Arc<Self>],
        is_suspended: &dyn Fn(&str, &str) -> bool,
        encoder: &mut DescriptorEncoder<'_>,
    ) -> fmt::Result {
        K::Observing::encode(resources, is_suspended, encoder)
    }
}
