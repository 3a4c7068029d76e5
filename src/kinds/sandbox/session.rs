//! The session of a Sandbox, which all resources that refer to it share.

use std::sync::Arc;
use std::time::Duration;

use kube::{Resource as _, ResourceExt};

use super::secrets;
use super::settings::same;
use crate::adobe::{Adobe, Settings};
use crate::api::{Kind, Reference, Sandbox};
use crate::backoff::jitter;
use crate::engine::{Context, Session};

/// The session of this Sandbox: not that of another one that had its name.
pub(super) fn session(cx: &Context<'_, Sandbox>) -> Option<Arc<Session>> {
    let session = cx.engine().sessions.get(cx.namespace(), cx.name());
    session.filter(|it| Some(&it.uid) == cx.resource().meta().uid.as_ref())
}

/// The handle on Adobe with these settings, kept with what it shares with others.
pub(super) fn handle(cx: &Context<'_, Sandbox>, settings: Settings) -> Adobe {
    let (engine, namespace, name) = (cx.engine(), cx.namespace(), cx.name());
    let meter = engine.settings.metrics.meter(namespace, name);
    let adobe = engine
        .adobe
        .open(settings)
        .redact_with(engine.sessions.redactor(namespace, name))
        .permission(engine.settings.permission.clone())
        .meter(Arc::new(meter));
    engine.sessions.keep(namespace, name, adobe.clone());
    adobe
}

/// Opens the session, or has the one that is open use this handle.
pub(super) async fn open(cx: &Context<'_, Sandbox>, adobe: Adobe, tenant: &str) {
    let chosen = cx.resource().spec.resync_period_seconds;
    let chosen = chosen.and_then(|seconds| u64::try_from(seconds).ok());
    let resync = chosen.map_or(cx.engine().settings.resync, Duration::from_secs);
    // Jitter: sandboxes that were opened together should not list together for ever.
    let resync = resync.mul_f64(0.9) + jitter(resync, 0.2);
    if let Some(session) = session(cx) {
        let as_before = same(session.adobe().settings(), adobe.settings());
        session.renew(adobe, resync);
        if as_before {
            return;
        }
    } else {
        secrets::learn(cx, &adobe).await;
        let collections = cx.engine().collections();
        let session = Session::new(
            adobe,
            cx.resource().uid().unwrap_or_default(),
            cx.resource().owner(),
            tenant.to_owned(),
            resync,
            collections,
        );
        session.set_reset(cx.status().reset_time);
        let sessions = &cx.engine().sessions;
        sessions.open(cx.namespace(), cx.name(), Arc::new(session));
    }
    // Resources may wait for the sandbox or for accepted credentials, and the status of the Sandbox may not change to
    // enqueue them, as after a restart or while its deletion waits for them.
    let me = Reference::new(Kind::Sandbox, cx.name());
    let queues = &cx.engine().queues;
    for key in queues.registry.referrers(cx.namespace(), &me) {
        queues.enqueue(&key);
    }
}
