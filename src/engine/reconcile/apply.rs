//! The reconcile of a resource that is not being deleted.

use super::conditions::{Outcome, set_outcome};
use super::context::Context;
use super::finalizer;
use super::reconciler::Reconcile;
use super::report::Report;
use crate::api::Kind;
use crate::engine::error::Error;
use crate::engine::queue::PATIENCE;
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
            cx.waits_no_longer();
            if report.has_written() {
                cx.moved();
            }
            return (unwritten.or(retry), false);
        }
        Err(error) => too_early(cx, error),
    };
    if let Some(retry) = defer(cx, &error) {
        report.publish(cx);
        return (Some(retry), false);
    }
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

/// A wait that is over within moments is not worth a status: returns when to look again instead of telling it.
pub(super) fn defer<K: Reconcile>(cx: &Context<'_, K>, error: &Error) -> Option<Retry> {
    let waits = &cx.engine().queues.waits;
    let waited = match error {
        Error::Pending(_)
        | Error::UsersDeleting(_)
        | Error::Waiting { .. }
        | Error::InUse(_)
        | Error::Settling(_) => waits.note(&cx.home(), cx.identity(), error.verdict().reason),
        _ => {
            waits.end(cx.key());
            return None;
        }
    };
    let left = PATIENCE.saturating_sub(waited.all);
    match error {
        _ if cx.tells_of_wait() => None,
        // Whatever moves in the sandbox may be what it waits for. Where nothing does, all are enqueued.
        Error::Pending(_) | Error::UsersDeleting(_) => {
            (waited.unmoved < PATIENCE).then_some(Retry::OnChange)
        }
        _ if left.is_zero() => None,
        Error::Settling(_) => Some(error.verdict().retry),
        _ => Some(Retry::After(left)),
    }
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
