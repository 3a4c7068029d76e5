//! The reconcile of a resource that is being deleted.

use std::sync::Arc;
use std::time::Duration;

use super::apply::defer;
use super::conditions::{Outcome, set_outcome};
use super::context::Context;
use super::finalizer;
use super::reconciler::Reconcile;
use super::report::Report;
use crate::api::{DeletionPolicy, Kind};
use crate::engine::error::{Error, Result};
use crate::engine::parse::Fault;
use crate::engine::verdict::Retry;

/// How often a deletion is tried again that Adobe refuses for a reason that does not go away by itself.
const UNDELETABLE: Duration = Duration::from_secs(300);

/// How many custom resources a message names.
const NAMED: usize = 5;

/// Cleans up, unless others still refer to the resource, and lets it go. Returns when to try again.
pub async fn delete<K: Reconcile>(cx: &Context<'_, K>) -> Option<Retry> {
    if !cx.is_finalized() {
        return None;
    }
    let mut report = Report::new(cx);
    let result = match referrers(cx) {
        Some(error) => hold(cx).await.and(Err(error)),
        None => match undecided(cx) {
            Some(fault) => Err(Error::Unreadable(fault)),
            None => K::clean_up(cx, &mut report).await,
        },
    };
    let Err(error) = result else {
        return finish(cx, report).await;
    };
    if !cx.is_forced()
        && let Some(retry) = defer(cx, &error)
    {
        report.publish(cx);
        return Some(retry);
    }
    let verdict = error.verdict();
    error.log();
    if verdict.reported && cx.is_forced() {
        let text = format!("let go by force, its object may remain at Adobe: {error}");
        report.events.warning("Released", text);
        return finish(cx, report).await;
    }
    if verdict.reported {
        let status = report.status.as_mut();
        set_outcome(status, cx.generation(), &Outcome::Deleting(&error));
    }
    let retry = match verdict.retry {
        Retry::OnChange if verdict.terminal => Retry::After(UNDELETABLE),
        other => other,
    };
    let unwritten = report.write(cx, verdict.warning).await;
    unwritten.or(Some(retry))
}

async fn hold<K: Reconcile>(cx: &Context<'_, K>) -> Result<()> {
    match cx.fault() {
        Some(fault) => Err(Error::Unreadable(fault)),
        None => K::hold(cx).await,
    }
}

/// What cannot be read, if it may say that the object at Adobe must stay.
fn undecided<K: Reconcile>(cx: &Context<'_, K>) -> Option<Arc<Fault>> {
    let policy = cx.resource().management().deletion_policy;
    let keeps_nothing = K::KIND == Kind::Sandbox || policy == DeletionPolicy::Orphan;
    let fault = cx.fault().filter(|it| it.is_decisive());
    fault.filter(|_| !keeps_nothing)
}

async fn finish<K: Reconcile>(cx: &Context<'_, K>, mut report: Report<K>) -> Option<Retry> {
    // The status stays as it was, but for what was to be deleted; only what happened is told.
    let obsolete = std::mem::take(&mut report.status.as_mut().obsolete_ids);
    report.status = cx.status();
    report.status.as_mut().obsolete_ids = obsolete;
    let unwritten = report.write(cx, false).await;
    match finalizer::remove(cx).await {
        Ok(()) => {
            cx.waits_no_longer();
            unwritten
        }
        Err(error) => Some(error.verdict().retry),
    }
}

/// Why the resource must stay, if custom resources still name it. What uses its object at Adobe is asked in `decide`.
fn referrers<K: Reconcile>(cx: &Context<'_, K>) -> Option<Error> {
    let all = cx.referrers();
    let names: Vec<_> = all.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match all.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = names.join(", ") + &more;
    let queues = &cx.engine().queues;
    if all.is_empty() {
        None
    } else if all.iter().all(|it| queues.is_deleting(it)) {
        Some(Error::UsersDeleting(names))
    } else {
        Some(Error::InUse(names))
    }
}
