//! Nearly everything in a sandbox is gone at once: it was reset, as far as can be told from outside.

use std::time::Instant;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{Timestamp, Unit};

use crate::api::condition_types::SANDBOX_RESET;
use crate::api::{RecreatePolicy, Sandbox};
use crate::engine::{Context, Report, Session, set_if_found};

/// Judges what the last lists show, if everything was listed because something was missing, and reports it. `unchecked` is as of
/// when that was asked for, before the state of the sandbox was: only now may anything be created again.
pub(super) fn report(
    cx: &Context<'_, Sandbox>,
    session: &Session,
    unchecked: Option<Instant>,
    report: &mut Report<Sandbox>,
) {
    let reset = session.reset();
    if reset.is_none() && unchecked.is_some() && session.is_reset() {
        let time = now();
        let (gone, known) = session.gone();
        let text = format!(
            "{gone} of {known} objects are gone at Adobe at once, as after a reset. {}",
            consequence(cx, &time)
        );
        report.events.warning(SANDBOX_RESET, text);
        session.set_reset(Some(time));
    } else if reset.is_some_and(|time| is_over(cx, session, &time)) {
        session.set_reset(None);
    }
    if let Some(since) = unchecked {
        session.check(since);
    }
    let status = &mut report.status;
    status.reset_time = session.reset();
    let message = status.reset_time.as_ref().map(|time| {
        format!(
            "nearly everything that the resources of this Sandbox stand for is gone at Adobe, as after a reset. {}",
            consequence(cx, time)
        )
    });
    let found = message.as_deref().map(|it| (SANDBOX_RESET, it));
    set_if_found(&mut status.common, cx.generation(), SANDBOX_RESET, found);
}

/// Whether enough is there again. Before somebody has approved, that takes everything: resources that were added since must not
/// make up for what is gone.
fn is_over(cx: &Context<'_, Sandbox>, session: &Session, time: &Time) -> bool {
    let (gone, _) = session.gone();
    gone == 0 || (!session.is_reset() && cx.resource().allows_recreation(time))
}

fn consequence(cx: &Context<'_, Sandbox>, time: &Time) -> String {
    match cx.resource().spec.recreate_policy {
        RecreatePolicy::Automatic => "It is created again, without its data and history".to_owned(),
        RecreatePolicy::Confirm => format!(
            "Nothing is created before the annotation `aep-operator.io/recreate-approved` of this Sandbox is `{}`; data and \
             history do not come back",
            time.0
        ),
    }
}

/// Now, in whole seconds as Kubernetes keeps it.
fn now() -> Time {
    let now = Timestamp::now();
    Time(now.round(Unit::Second).unwrap_or(now))
}
