//! `Sandbox`: nothing is created; the sandbox is found, and a session is opened for all who name it.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::adobe::{Adobe, Credentials, Endpoints, Limits, SandboxInfo, Settings};
use crate::api::condition_types::{ORPHANS_FOUND, SWEEP_FAILED};
use crate::api::{Kind, LocalRef, Sandbox, SandboxStatus};
use crate::engine::{Engine, Error, Pass, Reconcile, Result, Retry, Session, report};

/// How many orphans a status names.
const MOST_ORPHANS: usize = 10;

impl Reconcile for Sandbox {
    async fn converge(pass: &Pass<'_, Self>, status: &mut SandboxStatus) -> Result<Option<Retry>> {
        let settings = settings(pass).await?;
        let adobe = handle(pass, settings);
        let listing = adobe.sandboxes();
        let registry = adobe.schema_registry();
        let (sandboxes, facts) = futures::join!(listing.list(), registry.stats());
        let found = usable(&pass.object().spec.sandbox_name, sandboxes?)?;
        let tenant = facts?.tenant_id;
        // Whoever names the sandbox needs it until they are gone.
        pass.add_finalizer().await?;
        open(pass, adobe, &tenant);
        status.common.id = Some(found.name);
        status.tenant_id = Some(tenant);
        status.state = found.state;
        status.type_ = found.type_;
        status.region = found.region;
        status.owner_id = Some(owner(pass));
        status.common.last_handled_request = pass.requested();
        if let Some(session) = surveyed(pass) {
            tell_orphans(pass, &session, status);
            tell_troubles(pass, &session, status);
        }
        Ok(None)
    }

    async fn hold(pass: &Pass<'_, Self>) -> Result<()> {
        // After a restart the session must open once more, for the deletion of all who need it.
        // And what is corrected meanwhile counts at once.
        let open = pass.engine().sessions.get(pass.namespace(), &pass.name());
        let wanted = settings(pass).await;
        match (open, wanted) {
            (Some(session), Ok(wanted)) if same(session.adobe().settings(), &wanted) => Ok(()),
            (Some(_), Err(_)) => Ok(()),
            _ => Self::converge(pass, &mut pass.status().clone())
                .await
                .map(drop),
        }
    }

    async fn clean_up(pass: &Pass<'_, Self>) -> Result<()> {
        let engine = pass.engine();
        engine.sessions.close(pass.namespace(), &pass.name());
        Ok(())
    }

    async fn sweep(_: &Engine) {
        std::future::pending::<()>().await;
    }
}

/// The session, once everything was asked for: until then the status says what the last one found.
fn surveyed(pass: &Pass<'_, Sandbox>) -> Option<Arc<Session>> {
    let engine = pass.engine();
    let session = engine.sessions.get(pass.namespace(), &pass.name())?;
    session
        .is_surveyed(engine.owning_kinds())
        .then_some(session)
}

/// Reports what bears our mark without a custom resource. It is nobody else's, but it may hold data: people decide.
fn tell_orphans(pass: &Pass<'_, Sandbox>, session: &Session, status: &mut SandboxStatus) {
    let orphans = session.orphans();
    let count = i64::try_from(orphans.len()).unwrap_or(i64::MAX);
    let metrics = &pass.engine().settings.metrics;
    metrics.orphans(pass.namespace(), &pass.name(), count);
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
        pass.warn(ORPHANS_FOUND, message.clone());
    }
    let found = count.map(|_| (ORPHANS_FOUND, message.as_str()));
    let generation = pass.object().metadata.generation;
    report(&mut status.common, generation, ORPHANS_FOUND, found);
}

/// Reports what cannot be listed: until that is mended, changes at Adobe are not seen.
fn tell_troubles(pass: &Pass<'_, Sandbox>, session: &Session, status: &mut SandboxStatus) {
    let troubles = session.troubles();
    let texts = troubles.iter().map(|(kind, it)| format!("{kind}: {it}"));
    let message = format!(
        "not everything at Adobe can be listed, so what others change there is not seen, and new resources of the \
         kinds may have to wait. {}",
        texts.collect::<Vec<_>>().join("; ")
    );
    let found = (!troubles.is_empty()).then_some((SWEEP_FAILED, message.as_str()));
    if found.is_some() && status.common.condition(SWEEP_FAILED).is_none() {
        pass.warn(SWEEP_FAILED, message.clone());
    }
    let generation = pass.object().metadata.generation;
    report(&mut status.common, generation, SWEEP_FAILED, found);
}

fn owner(pass: &Pass<'_, Sandbox>) -> String {
    let chosen = pass.object().spec.owner_id.clone();
    chosen.unwrap_or_else(|| format!("{}/{}", pass.namespace(), pass.name()))
}

/// The same settings keep their handle, and with it token, rate limit and pause.
fn handle(pass: &Pass<'_, Sandbox>, settings: Settings) -> Adobe {
    let open = pass
        .engine()
        .sessions
        .get(pass.namespace(), &pass.name())
        .map(|session| session.adobe());
    match open {
        Some(adobe) if same(adobe.settings(), &settings) => adobe,
        _ => {
            let engine = pass.engine();
            Adobe::new(engine.http.clone(), settings)
                .permission(engine.settings.permission.clone())
                .meter(Arc::new(
                    engine.settings.metrics.of(pass.namespace(), &pass.name()),
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

fn open(pass: &Pass<'_, Sandbox>, adobe: Adobe, tenant: &str) {
    let chosen = pass.object().spec.resync_period_seconds;
    let chosen = chosen.and_then(|seconds| u64::try_from(seconds).ok());
    let resync = chosen.map_or(pass.engine().settings.resync, Duration::from_secs);
    // Sandboxes that were opened together shall not sweep together for ever.
    let resync = resync.mul_f64(rand::random_range(0.9..1.1));
    let sessions = &pass.engine().sessions;
    if let Some(session) = sessions.get(pass.namespace(), &pass.name()) {
        let as_before = same(session.adobe().settings(), adobe.settings());
        session.renew(adobe, resync);
        if as_before {
            return;
        }
    } else {
        let times = (resync, pass.engine().settings.list_lag);
        let session = Session::new(adobe, owner(pass), tenant.to_owned(), times);
        sessions.open(pass.namespace(), &pass.name(), Arc::new(session));
    }
    // Nothing else may tell those who waited, for a sandbox or for credentials that are accepted: the status of the Sandbox
    // stays as it was, as after a restart or where its deletion waits for them.
    let me = LocalRef { name: pass.name() }.to(Kind::Sandbox);
    pass.engine().revisit_referrers(pass.namespace(), &me);
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

async fn settings(pass: &Pass<'_, Sandbox>) -> Result<Settings> {
    let spec = &pass.object().spec;
    let limits = spec.limits.unwrap_or_default();
    Ok(Settings {
        endpoints: endpoints(pass)?,
        ims_org_id: spec.ims_org_id.clone(),
        sandbox_name: spec.sandbox_name.clone(),
        credentials: credentials(pass).await?,
        limits: Limits {
            requests_per_second: limits.requests_per_second.unsigned_abs(),
            burst: limits.burst.unsigned_abs(),
            max_concurrent_requests: limits.max_concurrent_requests.unsigned_abs(),
        },
        timeout: pass.engine().settings.request_timeout,
    })
}

/// Credentials go only to hosts that whoever started the operator allows.
fn endpoints(pass: &Pass<'_, Sandbox>) -> Result<Endpoints> {
    let settings = &pass.engine().settings;
    let defaults = settings.endpoints.clone();
    let Some(chosen) = &pass.object().spec.endpoints else {
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

async fn credentials(pass: &Pass<'_, Sandbox>) -> Result<Credentials> {
    let name = &pass.object().spec.credentials_ref.name;
    let data = pass.secret(name).await?;
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
