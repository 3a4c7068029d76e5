//! The one path that every reconcile takes: what is to be done is [decided](decide), [carried out](perform), explained by
//! conditions, and written.

mod apply;
mod choice;
mod conditions;
mod context;
mod decide;
mod delete;
mod finalizer;
mod perform;
mod read;
mod reconciler;
mod report;
mod steps;
mod succession;
mod view;
mod work;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use opentelemetry::trace::{TraceContextExt, TraceId};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use self::conditions::{set_condition, set_if_found};
pub use self::context::Context;
pub use self::finalizer::add as add_finalizer;
pub use self::reconciler::Reconcile;
pub use self::report::Report;
use super::key::Key;
use super::metrics::ReconcileResult;
use super::shared::Engine;
use super::verdict::Retry;
use crate::api::Kind;
use crate::backoff::jitter;

/// The longest wait that counts for jitter: those who wait for one moment shall not all come at once, but neither much later.
const JITTERED: Duration = Duration::from_millis(2500);

/// One reconcile of one resource. It never fails: every failure is reported in the status and decides the next try.
pub async fn reconcile<K: Reconcile>(
    resource: Arc<K>,
    engine: Arc<Engine>,
) -> Result<Action, Infallible> {
    let key = Key::of(resource.as_ref());
    let sandbox = resource.management().sandbox_ref.name;
    let home = Key::new(Kind::Sandbox, &key.namespace, &sandbox);
    let Some(_slot) = engine.queues.slot(home, &key, engine.settings.workers) else {
        return Ok(Action::await_change());
    };
    let queued = engine.queues.registry.started(&key);
    let timer = engine.settings.metrics.started(K::KIND, queued);
    let cx = Context::new(&engine, resource);
    let span = span(&cx);
    let work = async {
        if cx.is_deleting() {
            (delete::delete(&cx).await, false)
        } else {
            apply::apply(&cx).await
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
        Some(Retry::Poll) => {
            let wait = registry.failed(identity);
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
