//! `Sandbox`: nothing is created; the sandbox is found, and a session is opened for all who name it.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::adobe::{Adobe, Credentials, Endpoints, Limits, SandboxInfo, Settings};
use crate::api::condition_types::{ORPHANS_FOUND, SWEEP_FAILED};
use crate::api::{Kind, Reference, Sandbox};
use crate::backoff::jitter;
use crate::engine::{
    Context, Error, Reconcile, Report, Result, Retry, Session, add_finalizer, set_if_found,
};

/// How many orphans a status names.
const MOST_ORPHANS: usize = 10;

impl Reconcile for Sandbox {
    async fn apply(cx: &Context<'_, Self>, report: &mut Report<Self>) -> Result<Option<Retry>> {
        let (found, tenant) = find_and_open(cx).await?;
        let status = &mut report.status;
        status.common.id = Some(found.name);
        status.tenant_id = Some(tenant);
        status.state = found.state;
        status.type_ = found.type_;
        status.region = found.region;
        status.owner_id = Some(owner(cx));
        if let Some(session) = surveyed(cx) {
            report_orphans(cx, &session, report);
            report_failed_lists(cx, &session, report);
        }
        Ok(None)
    }

    async fn hold(cx: &Context<'_, Self>) -> Result<()> {
        // After a restart the session must open once more, for the deletion of all who need it.
        // And what is corrected meanwhile counts at once.
        let open = cx.engine().sessions.get(cx.namespace(), cx.name());
        let wanted = settings(cx).await;
        match (open, wanted) {
            (Some(session), Ok(wanted)) if same(session.adobe().settings(), &wanted) => Ok(()),
            (Some(_), Err(_)) => Ok(()),
            _ => find_and_open(cx).await.map(drop),
        }
    }

    async fn clean_up(cx: &Context<'_, Self>, _: &mut Report<Self>) -> Result<()> {
        cx.engine().sessions.close(cx.namespace(), cx.name());
        Ok(())
    }
}

/// Finds the sandbox at Adobe, and opens a session for all who name it.
async fn find_and_open(cx: &Context<'_, Sandbox>) -> Result<(SandboxInfo, String)> {
    let settings = settings(cx).await?;
    let adobe = handle(cx, settings);
    let listing = adobe.sandboxes();
    let registry = adobe.schema_registry();
    let (sandboxes, facts) = futures::join!(listing.list(), registry.stats());
    let found = usable(&cx.resource().spec.sandbox_name, sandboxes?)?;
    let tenant = facts?.tenant_id;
    // Whoever names the sandbox needs it until they are gone.
    add_finalizer(cx).await?;
    open(cx, adobe, &tenant);
    Ok((found, tenant))
}

/// The session, once it was tried to list everything: until then the status says what the last one found.
fn surveyed(cx: &Context<'_, Sandbox>) -> Option<Arc<Session>> {
    let session = cx.engine().sessions.get(cx.namespace(), cx.name())?;
    session.is_surveyed().then_some(session)
}

/// Reports what bears our mark without a custom resource. It is nobody else's, but it may hold data: people decide.
fn report_orphans(cx: &Context<'_, Sandbox>, session: &Session, report: &mut Report<Sandbox>) {
    let findings = session.collections().map(|it| it.findings());
    let orphans: Vec<_> = findings.flat_map(|it| it.orphans).collect();
    let count = i64::try_from(orphans.len()).unwrap_or(i64::MAX);
    let metrics = &cx.engine().settings.metrics;
    metrics.orphans(cx.namespace(), cx.name(), count);
    let status = &mut report.status;
    let count = Some(count).filter(|it| *it > 0);
    let is_news = count.is_some() && count != status.orphans;
    status.orphans = count;
    status.orphaned_objects = orphans.iter().take(MOST_ORPHANS).cloned().collect();
    let message = format!(
        "{} objects at Adobe bear this Sandbox's mark, but no custom resource stands for them: delete them at Adobe, \
         or apply their manifests again. Among them: {}",
        orphans.len(),
        status.orphaned_objects.join(", ")
    );
    if is_news {
        report.events.warning(ORPHANS_FOUND, message.clone());
    }
    let found = count.map(|_| (ORPHANS_FOUND, message.as_str()));
    set_if_found(&mut status.common, cx.generation(), ORPHANS_FOUND, found);
}

/// Reports what cannot be listed: until that is mended, changes at Adobe are not seen.
fn report_failed_lists(cx: &Context<'_, Sandbox>, session: &Session, report: &mut Report<Sandbox>) {
    let troubles = session.collections();
    let troubles =
        troubles.filter_map(|it| Some(format!("{}: {}", it.kind(), it.findings().trouble?)));
    let troubles: Vec<_> = troubles.collect();
    let message = format!(
        "not everything at Adobe can be listed, so what others change there is not seen, and new resources of the \
         kinds may have to wait. {}",
        troubles.join("; ")
    );
    let found = (!troubles.is_empty()).then_some((SWEEP_FAILED, message.as_str()));
    let status = &mut report.status.common;
    if found.is_some() && status.condition(SWEEP_FAILED).is_none() {
        report.events.warning(SWEEP_FAILED, message.clone());
    }
    set_if_found(status, cx.generation(), SWEEP_FAILED, found);
}

fn owner(cx: &Context<'_, Sandbox>) -> String {
    let chosen = cx.resource().spec.owner_id.clone();
    chosen.unwrap_or_else(|| format!("{}/{}", cx.namespace(), cx.name()))
}

/// The same settings keep their handle, and with it token, rate limit and pause.
fn handle(cx: &Context<'_, Sandbox>, settings: Settings) -> Adobe {
    let open = cx
        .engine()
        .sessions
        .get(cx.namespace(), cx.name())
        .map(|session| session.adobe());
    match open {
        Some(adobe) if same(adobe.settings(), &settings) => adobe,
        _ => {
            let engine = cx.engine();
            Adobe::new(engine.http.clone(), settings)
                .permission(engine.settings.permission.clone())
                .meter(Arc::new(
                    engine.settings.metrics.meter(cx.namespace(), cx.name()),
                ))
        }
    }
}

fn same(one: &Settings, other: &Settings) -> bool {
    one.credentials.same_as(&other.credentials)
        && one.endpoints == other.endpoints
        && one.limits == other.limits
        && one.ims_org_id == other.ims_org_id
        && one.sandbox_name == other.sandbox_name
}

fn open(cx: &Context<'_, Sandbox>, adobe: Adobe, tenant: &str) {
    let chosen = cx.resource().spec.resync_period_seconds;
    let chosen = chosen.and_then(|seconds| u64::try_from(seconds).ok());
    let resync = chosen.map_or(cx.engine().settings.resync, Duration::from_secs);
    // Sandboxes that were opened together shall not list together for ever.
    let resync = resync.mul_f64(0.9) + jitter(resync, 0.2);
    let sessions = &cx.engine().sessions;
    if let Some(session) = sessions.get(cx.namespace(), cx.name()) {
        let as_before = same(session.adobe().settings(), adobe.settings());
        session.renew(adobe, resync);
        if as_before {
            return;
        }
    } else {
        let collections = cx.engine().collections();
        let session = Session::new(adobe, owner(cx), tenant.to_owned(), resync, collections);
        sessions.open(cx.namespace(), cx.name(), Arc::new(session));
    }
    // Nothing else may tell those who waited, for a sandbox or for credentials that are accepted: the status of the Sandbox
    // stays as it was, as after a restart or where its deletion waits for them.
    let me = Reference::new(Kind::Sandbox, cx.name());
    let queues = &cx.engine().queues;
    for key in queues.registry.referrers(cx.namespace(), &me) {
        queues.enqueue(&key);
    }
}

fn usable(name: &str, sandboxes: Vec<SandboxInfo>) -> Result<SandboxInfo> {
    let visible = sandboxes
        .iter()
        .map(|s| s.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let found = sandboxes.into_iter().find(|s| s.name == name);
    let found = found.ok_or_else(|| {
        Error::SandboxNotFound(format!(
            "sandbox `{name}` does not exist, or the credentials may not see it; visible: {visible}. \
             Correct `spec.sandboxName`, or give the technical account access"
        ))
    })?;
    match found.state.as_deref() {
        Some("active") | None => Ok(found),
        Some(state) => Err(Error::SandboxNotActive {
            name: name.to_owned(),
            state: state.to_owned(),
        }),
    }
}

async fn settings(cx: &Context<'_, Sandbox>) -> Result<Settings> {
    let spec = &cx.resource().spec;
    let limits = spec.limits.unwrap_or_default();
    Ok(Settings {
        endpoints: endpoints(cx)?,
        ims_org_id: spec.ims_org_id.clone(),
        sandbox_name: spec.sandbox_name.clone(),
        credentials: credentials(cx).await?,
        limits: Limits {
            requests_per_second: limits.requests_per_second.unsigned_abs(),
            burst: limits.burst.unsigned_abs(),
            max_concurrent_requests: limits.max_concurrent_requests.unsigned_abs(),
        },
        timeout: cx.engine().settings.request_timeout,
    })
}

/// Credentials go only to hosts that whoever started the operator allows.
fn endpoints(cx: &Context<'_, Sandbox>) -> Result<Endpoints> {
    let settings = &cx.engine().settings;
    let defaults = settings.endpoints.clone();
    let Some(chosen) = &cx.resource().spec.endpoints else {
        return Ok(defaults);
    };
    let check = |field: &str, url: &Option<String>, default: String| {
        let Some(url) = url else { return Ok(default) };
        let url = url.trim_end_matches('/').to_owned();
        let allowed = url == default
            || settings
                .allowed_endpoints
                .iter()
                .any(|a| a.trim_end_matches('/') == url);
        if allowed {
            return Ok(url);
        }
        Err(Error::Invalid(format!(
            "`spec.endpoints.{field}` names {url}, which the operator was not started to allow: \
             add it to `--allowed-endpoints`"
        )))
    };
    Ok(Endpoints {
        ims: check("ims", &chosen.ims, defaults.ims)?,
        platform: check("platform", &chosen.platform, defaults.platform)?,
    })
}

async fn credentials(cx: &Context<'_, Sandbox>) -> Result<Credentials> {
    let name = &cx.resource().spec.credentials_ref.name;
    let data = cx.lookup().secret(name).await?;
    let given = |key: &str| {
        data.get(key)
            .filter(|it| !it.expose_secret().trim().is_empty())
    };
    let needed = |key: &str| {
        given(key).cloned().ok_or_else(|| {
            Error::Secret(format!(
                "Secret `{name}` has no key `{key}`, or it is empty: add it"
            ))
        })
    };
    let client_id = needed("clientId")?.expose_secret().trim().to_owned();
    if let Some(access_token) = given("accessToken").cloned() {
        return Ok(Credentials::Token {
            client_id,
            access_token,
        });
    }
    let scopes = given("scopes").map(|it| split(it.expose_secret()));
    Ok(Credentials::OAuth {
        client_id,
        client_secret: needed("clientSecret")?,
        scopes: scopes.unwrap_or_default(),
    })
}

fn split(scopes: &str) -> Vec<String> {
    scopes
        .split([',', ' ', '\n'])
        .filter(|s| !s.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}
