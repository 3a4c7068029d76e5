//! The settings of a sandbox's client, from the spec, a Secret and the flags of the operator.

use secrecy::ExposeSecret;

use crate::adobe::{Credentials, Endpoints, Limits, Settings};
use crate::api::Sandbox;
use crate::engine::{Context, Error, Result};

pub(super) async fn settings(cx: &Context<'_, Sandbox>) -> Result<Settings> {
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

/// Credentials are sent only to hosts that the flags of the operator allow.
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

pub(super) fn same(one: &Settings, other: &Settings) -> bool {
    one.credentials.same_as(&other.credentials)
        && one.endpoints == other.endpoints
        && one.limits == other.limits
        && one.ims_org_id == other.ims_org_id
        && one.sandbox_name == other.sandbox_name
}
