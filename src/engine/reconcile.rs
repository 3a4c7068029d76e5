//! The one path that every pass takes: converge or clean up, explain, write, decide when to come back.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::controller::Action;
use opentelemetry::trace::{TraceContextExt, TraceId};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::clean_up;
use super::condition::{Outcome, explain};
use super::context::Engine;
use super::converge;
use super::error::{Error, Result, Retry};
use super::graph::Key;
use super::kind;
use super::pass::Pass;
use crate::api::{AepResource, FORCE_DELETE, Kind};

/// How often a deletion is tried again that Adobe refuses for a reason that does not pass by itself.
const UNDELETABLE: Duration = Duration::from_secs(300);

/// By how much waits of one length differ at most.
const MOST_SPREAD: Duration = Duration::from_millis(250);

/// A kind that the engine can drive: those that own an object at Adobe, and `Sandbox`.
pub trait Reconcile: AepResource {
    /// Brings the world to what the spec says, and notes in the status what is there even if that fails. Gives when to
    /// come back although all is well, if at all.
    fn converge(
        pass: &Pass<'_, Self>,
        status: &mut Self::Status,
    ) -> impl Future<Output = Result<Option<Retry>>> + Send;

    /// Keeps up what others need of an object whose deletion waits for them.
    fn hold(pass: &Pass<'_, Self>) -> impl Future<Output = Result<()>> + Send;

    /// Undoes it; afterwards the object may go.
    fn clean_up(pass: &Pass<'_, Self>) -> impl Future<Output = Result<()>> + Send;

    /// Writes into the status what is known besides, whatever becomes of the pass.
    fn report(_pass: &Pass<'_, Self>, _status: &mut Self::Status) {}

    /// Looks at everything of this kind in the open sandboxes again and again. Never ends.
    fn sweep(engine: &Engine) -> impl Future<Output = ()> + Send;
}

impl<K: kind::Kind> Reconcile for K {
    async fn converge(pass: &Pass<'_, Self>, status: &mut K::Status) -> Result<Option<Retry>> {
        converge::converge(pass, status).await
    }

    async fn hold(_: &Pass<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn clean_up(pass: &Pass<'_, Self>) -> Result<()> {
        clean_up::clean_up(pass).await
    }

    fn report(pass: &Pass<'_, Self>, status: &mut K::Status) {
        kind::Kind::report(pass, status);
    }

    async fn sweep(engine: &Engine) {
        futures::join!(
            super::sweep::sweep::<K>(engine),
            super::follow::follow::<K>(engine)
        );
    }
}

/// One pass over one object. It never fails: every failure is told in the status and decides the next try.
pub async fn reconcile<K: Reconcile>(
    object: Arc<K>,
    engine: Arc<Engine>,
) -> std::result::Result<Action, Infallible> {
    let running = engine.settings.metrics.begin(&Key::of(object.as_ref()));
    let pass = Pass::new(&engine, object);
    let span = span(&pass);
    let deleting = pass.object().meta().deletion_timestamp.is_some();
    let retry = async {
        if deleting {
            delete(&pass).await
        } else {
            apply(&pass).await
        }
    };
    let retry = retry.instrument(span).await;
    running.end(retry, pass.is_hopeless());
    Ok(match retry {
        None => {
            engine.memory.succeeded(&pass.uid());
            Action::await_change()
        }
        Some(Retry::OnChange) => Action::await_change(),
        Some(Retry::After(wait)) => Action::requeue(wait + spread(wait)),
        Some(Retry::Backoff) => Action::requeue(engine.memory.failed(&pass.uid())),
    })
}

/// What all log lines of a pass bear, and the root of its trace. Of the highest level, so that warnings bear it whatever
/// `RUST_LOG` leaves out.
fn span<K: Reconcile>(pass: &Pass<'_, K>) -> Span {
    let span = tracing::error_span!(
        "reconcile",
        otel.name = format!("reconcile {}", K::KIND),
        controller = K::KIND.name().to_lowercase(),
        namespace = pass.namespace(),
        name = pass.name(),
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

/// Those who wait for the same moment shall not all come at once; but neither much later than they may.
fn spread(wait: Duration) -> Duration {
    wait.min(MOST_SPREAD * 10)
        .mul_f64(rand::random_range(0.0..0.1))
}

async fn apply<K: Reconcile>(pass: &Pass<'_, K>) -> Option<Retry> {
    let mut status = pass.status().clone();
    let generation = pass.object().meta().generation;
    if pass.suspended() {
        // Deletion still works, and needs an open sandbox.
        if K::KIND == Kind::Sandbox
            && let Err(error) = K::hold(pass).await
        {
            log(&error);
        }
        explain(status.as_mut(), generation, &Outcome::Suspended);
        K::report(pass, &mut status);
        return written(pass, &status, false).await;
    }
    let error = match K::converge(pass, &mut status).await {
        Ok(retry) => {
            pass.engine().refusals.lift(&pass.key());
            pass.engine().settings.metrics.synced(&pass.key());
            explain(status.as_mut(), generation, &Outcome::Settled);
            K::report(pass, &mut status);
            return written(pass, &status, false).await.or(retry);
        }
        Err(error) => error,
    };
    let verdict = error.verdict();
    log(&error);
    if verdict.reported {
        explain(status.as_mut(), generation, &Outcome::Failed(&error));
        pass.note_hopeless(verdict.terminal);
    }
    K::report(pass, &mut status);
    let unwritten = written(pass, &status, verdict.warning).await;
    if unwritten.is_none() {
        match &error {
            Error::TooEarly { again, .. } => pass.note_refusal(Some(*again)),
            _ if verdict.reported && verdict.is_final() => pass.note_refusal(None),
            _ => {}
        }
    }
    unwritten.or(Some(verdict.retry))
}

async fn delete<K: Reconcile>(pass: &Pass<'_, K>) -> Option<Retry> {
    if !pass.has_finalizer() {
        return None;
    }
    let result = match users(pass) {
        Some(users) => K::hold(pass).await.and(Err(Error::InUse(users))),
        None => K::clean_up(pass).await,
    };
    let Err(error) = result else {
        return finish(pass).await;
    };
    let verdict = error.verdict();
    log(&error);
    if verdict.reported && is_forced(pass) {
        let text = format!("let go by force, its object may remain at Adobe: {error}");
        pass.warn("Released", text);
        return finish(pass).await;
    }
    let mut status = pass.status().clone();
    if verdict.reported {
        let generation = pass.object().meta().generation;
        explain(status.as_mut(), generation, &Outcome::Deleting(&error));
    }
    let retry = match verdict.retry {
        Retry::OnChange if verdict.terminal => Retry::After(UNDELETABLE),
        other => other,
    };
    written(pass, &status, verdict.warning)
        .await
        .or(Some(retry))
}

fn is_forced<K: Reconcile>(pass: &Pass<'_, K>) -> bool {
    let annotations = pass.object().annotations();
    annotations.get(FORCE_DELETE).is_some_and(|it| it == "true")
}

async fn finish<K: Reconcile>(pass: &Pass<'_, K>) -> Option<Retry> {
    // The status stays as it was; only what happened is told.
    let told = written(pass, pass.status(), false).await;
    match pass.remove_finalizer().await {
        Ok(()) => {
            pass.engine().memory.forget(&pass.uid());
            told
        }
        Err(error) => Some(error.verdict().retry),
    }
}

async fn written<K: Reconcile>(
    pass: &Pass<'_, K>,
    status: &K::Status,
    warning: bool,
) -> Option<Retry> {
    match pass.write_status(status, warning).await {
        Ok(()) => None,
        // The object went while we looked at it: nothing is left to tell.
        Err(Error::Kubernetes(error)) if matches!(&*error, kube::Error::Api(s) if s.code == 404) => {
            None
        }
        Err(error) => {
            log(&error);
            Some(error.verdict().retry)
        }
    }
}

/// The first few of those who still use the object.
fn users<K: Reconcile>(pass: &Pass<'_, K>) -> Option<String> {
    let users = pass.referrers();
    let names: Vec<_> = users.iter().take(5).map(ToString::to_string).collect();
    let more = users.len().saturating_sub(names.len());
    let tail = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!users.is_empty()).then(|| names.join(", ") + &tail)
}

fn log(error: &Error) {
    let request_id = match error {
        Error::Adobe(error) => error.request_id(),
        _ => None,
    };
    tracing::debug!(request_id, "{error}");
}
