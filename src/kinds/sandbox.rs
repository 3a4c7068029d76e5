//! `Sandbox`: nothing is created; the sandbox is found, and a session is opened for all resources that refer to it.

mod reset;
mod secrets;
mod session;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use kube::{Resource as _, ResourceExt};

use self::session::{handle, open, session};
use self::settings::{same, settings};
use crate::adobe::{Listing, SandboxInfo};
use crate::api::Sandbox;
use crate::api::condition_types::{ORPHANS_FOUND, SWEEP_FAILED};
use crate::engine::{
    Context, Engine, Error, Reconcile, Report, Result, Retry, Session, add_finalizer, set_if_found,
    tell_waits,
};

/// How many orphans a status names.
const MOST_ORPHANS: usize = 10;

/// How many events are written of orphans at a time, and when the others follow.
const MOST_EVENTS: usize = 20;
const MORE_EVENTS: Duration = Duration::from_secs(10);

impl Reconcile for Sandbox {
    async fn apply(cx: &Context<'_, Self>, report: &mut Report<Self>) -> Result<Option<Retry>> {
        check_limit(cx)?;
        let session = session(cx);
        // What was listed while it could not be used tells nothing about it as it is now.
        let session = session.filter(|it| it.unusable().is_none());
        let unchecked = session.and_then(|it| it.unchecked());
        let found = find_and_open(cx).await;
        if let Err(Error::SandboxNotActive { state, .. }) = &found {
            report.status.state = Some(state.clone());
        }
        let (found, tenant) = found?;
        let status = &mut report.status;
        status.common.id = Some(found.name);
        status.tenant_id = Some(tenant);
        status.state = found.state;
        status.type_ = found.type_;
        status.region = found.region;
        status.owner_id = Some(cx.resource().owner());
        let mut again = None;
        if let Some(session) = resynced(cx) {
            again = report_orphans(cx, &session, report);
            report_failed_lists(cx, &session, report);
            reset::report(cx, &session, unchecked, report);
        }
        Ok(again)
    }

    async fn hold(cx: &Context<'_, Self>) -> Result<()> {
        // After a restart the session has to be opened again, since the deletion of others needs it. Corrected settings
        // take effect at once.
        let open = session(cx);
        let wanted = settings(cx).await;
        match (open, wanted) {
            (Some(session), Ok(wanted))
                if same(session.adobe().settings(), &wanted) && session.unusable().is_none() =>
            {
                Ok(())
            }
            (Some(_), Err(_)) => Ok(()),
            _ => find_and_open(cx).await.map(drop),
        }
    }

    async fn resync(engine: &Engine) {
        tell_waits(engine).await;
    }

    async fn clean_up(cx: &Context<'_, Self>, _: &mut Report<Self>) -> Result<()> {
        cx.engine().sessions.close(cx.namespace(), cx.name());
        Ok(())
    }
}

/// Each Sandbox costs lists, memory and requests at the same time, so of one namespace only the oldest are served.
fn check_limit(cx: &Context<'_, Sandbox>) -> Result<()> {
    let most = cx.engine().settings.max_sandboxes;
    let age = |it: &Sandbox| (it.meta().creation_timestamp.clone(), it.name_any());
    let own = age(cx.resource());
    let sandboxes = cx.engine().queues.store::<Sandbox>();
    let sandboxes = sandboxes.map(|it| it.state()).unwrap_or_default();
    let here = |it: &&Arc<Sandbox>| it.namespace().as_deref() == Some(cx.namespace());
    let older = sandboxes.iter().filter(here).filter(|it| age(it) < own);
    if u32::try_from(older.count()).is_ok_and(|older| older < most) {
        return Ok(());
    }
    Err(Error::LimitExceeded(format!(
        "{most} older Sandboxes of this namespace are served, and no more than that: delete one of them, or raise \
         `--max-sandboxes-per-namespace`"
    )))
}

/// Finds the sandbox at Adobe, and opens a session for all resources that refer to it.
async fn find_and_open(cx: &Context<'_, Sandbox>) -> Result<(SandboxInfo, String)> {
    let settings = settings(cx).await?;
    let adobe = handle(cx, settings);
    let listing = adobe.sandboxes();
    let registry = adobe.schema_registry();
    let (sandboxes, facts) = futures::join!(listing.list(), registry.stats());
    let found = find(&cx.resource().spec.sandbox_name, sandboxes?)?;
    let session = session(cx);
    if let Some(state) = found.state.clone().filter(|it| it != "active") {
        let state = adobe.redacted(&state);
        if let Some(session) = session {
            session.set_unusable(&state);
        }
        let name = found.name;
        return Err(Error::SandboxNotActive { name, state });
    }
    if let Some(session) = session {
        session.set_usable();
    }
    let tenant = facts?.tenant_id;
    // Resources that refer to the sandbox need it until they are deleted.
    add_finalizer(cx).await?;
    open(cx, adobe, &tenant).await;
    Ok((found, tenant))
}

/// The session, once it has tried to list everything: until then the status keeps what the last session found.
fn resynced(cx: &Context<'_, Sandbox>) -> Option<Arc<Session>> {
    session(cx).filter(|it| it.is_resynced())
}

/// Reports objects that bear our mark and have no custom resource. They may hold data, so users decide about them.
/// Returns when to come back if not all of them were reported one by one yet.
fn report_orphans(
    cx: &Context<'_, Sandbox>,
    session: &Session,
    report: &mut Report<Sandbox>,
) -> Option<Retry> {
    let collections = session.collections();
    let orphans: Vec<_> = collections.flat_map(|it| it.findings().orphans).collect();
    let count = i64::try_from(orphans.len()).unwrap_or(i64::MAX);
    let metrics = &cx.engine().settings.metrics;
    metrics.orphans(cx.namespace(), cx.name(), count);
    let status = &mut report.status;
    let count = Some(count).filter(|it| *it > 0);
    status.orphans = count;
    status.orphaned_objects = orphans.iter().take(MOST_ORPHANS).cloned().collect();
    let message = format!(
        "{} objects at Adobe carry this Sandbox's mark, but no custom resource stands for them: delete them at Adobe, \
         remove their marks, or apply their manifests again. Among them: {}",
        orphans.len(),
        status.orphaned_objects.join(", ")
    );
    let untold = session.untold(&orphans, MOST_EVENTS);
    for orphan in untold.iter().take(MOST_EVENTS) {
        let text = format!(
            "{orphan} at Adobe carries this Sandbox's mark, but no custom resource stands for it: it is left alone"
        );
        report.events.warning_about(orphan, ORPHANS_FOUND, text);
    }
    let found = count.map(|_| (ORPHANS_FOUND, message.as_str()));
    set_if_found(&mut status.common, cx.generation(), ORPHANS_FOUND, found);
    (untold.len() > MOST_EVENTS).then_some(Retry::After(MORE_EVENTS))
}

/// Reports kinds that cannot be listed: changes of their objects at Adobe are not noticed.
fn report_failed_lists(cx: &Context<'_, Sandbox>, session: &Session, report: &mut Report<Sandbox>) {
    let errors = session.collections();
    let errors =
        errors.filter_map(|it| Some(format!("{}: {}", it.kind(), it.findings().list_error?)));
    let errors: Vec<_> = errors.collect();
    let message = format!(
        "not everything at Adobe can be listed, so what others change there is not seen, and new resources of the \
         kinds may have to wait. {}",
        errors.join("; ")
    );
    let found = (!errors.is_empty()).then_some((SWEEP_FAILED, message.as_str()));
    let status = &mut report.status.common;
    if found.is_some() && status.condition(SWEEP_FAILED).is_none() {
        report.events.warning(SWEEP_FAILED, message.clone());
    }
    set_if_found(status, cx.generation(), SWEEP_FAILED, found);
}

fn find(name: &str, sandboxes: Listing<SandboxInfo>) -> Result<SandboxInfo> {
    let mut unreadable = sandboxes.unreadable.into_iter();
    if let Some(odd) = unreadable.find(|it| it.texts().any(|text| text == name)) {
        return Err(odd.error.into());
    }
    let sandboxes = sandboxes.items;
    let visible = sandboxes
        .iter()
        .map(|s| s.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let found = sandboxes.into_iter().find(|s| s.name == name);
    found.ok_or_else(|| {
        Error::SandboxNotFound(format!(
            "sandbox `{name}` does not exist, or the credentials may not see it; visible: {visible}. \
             Correct `spec.sandboxName`, or give the technical account access"
        ))
    })
}
