//! One reconcile of one resource, from its begin to the decision when to come back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use opentelemetry::trace::{TraceContextExt, TraceId};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::conditions::{Outcome, set_outcome};
use super::context::Context;
use super::delete::delete;
use super::finalizer;
use super::reconciler::Reconcile;
use super::report::Report;
use crate::api::Kind;
use crate::backoff::jitter;
use crate::engine::error::Error;
use crate::engine::key::Key;
use crate::engine::metrics::ReconcileResult;
use crate::engine::shared::Engine;
use crate::engine::verdict::Retry;

/// The longest wait that counts for jitter: those who wait for one moment shall not all come at once, but neither much later.
const JITTERED: Duration = Duration::from_millis(2500);

/// One reconcile of one resource. It never fails: every failure is reported in the status and decides the next try.
pub async fn reconcile<K: Reconcile>(
    resource: Arc<K>,
    engine: Arc<Engine>,
) -> Result<Action, Infallible> {
    let key = Key::of(resource.as_ref());
    let queued = engine.queues.registry.started(&key);
    let timer = engine.settings.metrics.started(K::KIND, queued);
    let cx = Context::new(&engine, resource);
    let span = span(&cx);
    let work = async {
        if cx.is_deleting() {
            (delete(&cx).await, false)
        } else {
            apply(&cx).await
        }
    };
    let (retry, terminal) = work.instrument(span).await;
    let (registry, identity) = (&engine.queues.registry, cx.identity());
    let (action, result) = match retry {
        None => {
            registry.succeeded(identity);
            (Action::await_change(), ReconcileResult::Success)
        }
        Some(Retry::OnChange) => (Action::await_change(), ReconcileResult::Success),
        Some(Retry::After(wait)) => {
            let wait = wait + jitter(wait.min(JITTERED), 0.1);
            (Action::requeue(wait), ReconcileResult::RequeueAfter)
        }
        Some(Retry::Backoff) => {
            let wait = registry.failed(identity);
            (Action::requeue(wait), ReconcileResult::Error)
        }
    };
    timer.end(result, terminal);
    Ok(action)
}

/// What all log lines of a reconcile carry, and the root of its trace. Of the highest level, so that warnings carry it whatever
/// `RUST_LOG` leaves out.
fn span<K: Reconcile>(cx: &Context<'_, K>) -> Span {
    let span = tracing::error_span!(
        "reconcile",
        otel.name = format!("reconcile {}", K::KIND),
        controller = K::KIND.name().to_lowercase(),
        namespace = cx.namespace(),
        name = cx.name(),
        reconcile_id = format!("{:016x}", rand::random::<u64>()),
        trace_id = tracing::field::Empty,
    );
    let context = span.context();
    let trace = context.span().span_context().trace_id();
    if trace != TraceId::INVALID {
        span.record("trace_id", trace.to_string());
    }
    span
}

/// Returns when the next reconcile follows, and whether only a person can remove the reason.
async fn apply<K: Reconcile>(cx: &Context<'_, K>) -> (Option<Retry>, bool) {
    let mut report = Report::new(cx);
    if cx.suspended() {
        return (suspend(cx, report).await, false);
    }
    let result = K::apply(cx, &mut report).await;
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
    if K::KIND == Kind::Sandbox
        && let Err(error) = K::hold(cx).await
    {
        error.log();
    }
    if cx.known_id().is_some()
        && let Err(error) = finalizer::add(cx).await
    {
        error.log();
    }
    let status = report.status.as_mut();
    set_outcome(status, cx.generation(), &Outcome::Suspended);
    K::observe(cx, &mut report);
    report.write(cx, false).await
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
