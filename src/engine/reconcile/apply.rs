//! The reconcile of a resource that is not being deleted.

use super::conditions::{Outcome, set_outcome};
use super::context::Context;
use super::finalizer;
use super::reconciler::Reconcile;
use super::report::Report;
use crate::api::Kind;
use crate::engine::error::Error;
use crate::engine::verdict::Retry;

/// Returns when the next reconcile follows, and whether only a person can remove the reason.
pub async fn apply<K: Reconcile>(cx: &Context<'_, K>) -> (Option<Retry>, bool) {
    let mut report = Report::new(cx);
    // Whatever comes next, what has an object must not go without it.
    if cx.known_id().is_some()
        && let Err(error) = finalizer::add(cx).await
    {
        error.log();
    }
    let fault = cx.fault();
    if fault.is_none() && cx.suspended() {
        return (suspend(cx, report).await, false);
    }
    let result = match fault {
        Some(fault) => Err(Error::Unreadable(fault)),
        None => K::apply(cx, &mut report).await,
    };
    let error = match result {
        Ok(retry) => {
            let engine = cx.engine();
            engine.queues.registry.accepted(cx.identity());
            engine.settings.metrics.synced(cx.key());
            report.status.as_mut().last_handled_request = cx.requested();
            let status = report.status.as_mut();
            set_outcome(status, cx.generation(), &Outcome::Synced);
            K::observe(cx, &mut report);
            let unwritten = report.write(cx, false).await;
            return (unwritten.or(retry), false);
        }
        Err(error) => too_early(cx, error),
    };
    let verdict = error.verdict();
    error.log();
    if verdict.reported {
        let status = report.status.as_mut();
        set_outcome(status, cx.generation(), &Outcome::Failed(&error));
    }
    K::observe(cx, &mut report);
    let unwritten = report.write(cx, verdict.warning).await;
    if unwritten.is_none() {
        note_refusal(cx, &error);
    }
    let retry = unwritten.or(Some(verdict.retry));
    (retry, verdict.reported && verdict.terminal)
}

async fn suspend<K: Reconcile>(cx: &Context<'_, K>, mut report: Report<K>) -> Option<Retry> {
    // Deletion still works, and needs an open sandbox.
    let mut again = None;
    if K::KIND == Kind::Sandbox
        && let Err(error) = K::hold(cx).await
    {
        error.log();
        again = Some(error.verdict().retry);
    }
    let status = report.status.as_mut();
    set_outcome(status, cx.generation(), &Outcome::Suspended);
    K::observe(cx, &mut report);
    report.write(cx, false).await.or(again)
}

/// A refusal right after something that the resource refers to became ready may only mean that Adobe does not know it
/// everywhere yet.
fn too_early<K: Reconcile>(cx: &Context<'_, K>, error: Error) -> Error {
    match cx.reference_lag() {
        Some(again) if error.is_refusal() => Error::TooEarly {
            refusal: error.to_string(),
            again,
        },
        _ => error,
    }
}

/// Notes that Adobe refuses what is asked for as it is, for now or until something changes.
fn note_refusal<K: Reconcile>(cx: &Context<'_, K>, error: &Error) {
    let verdict = error.verdict();
    let wait = match (error, verdict.retry) {
        (Error::TooEarly { again, .. }, _) => Some(*again),
        (Error::TitleTaken { .. }, Retry::After(wait)) => Some(wait),
        _ if verdict.reported && verdict.is_final() => None,
        _ => return,
    };
    let registry = &cx.engine().queues.registry;
    registry.refuse(cx.identity(), cx.changes(), wait);
}
