//! All that the simulator remembers, behind one lock.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use indexmap::IndexMap;

use crate::calls::CallLog;
use crate::connectors::Connector;
use crate::faults::Faults;
use crate::ims::Tokens;
use crate::profile::Profile;
use crate::world::{Context, Ids, Organisation, Sandbox};

/// What can be set while the simulator runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) profile: Profile,
    pub(crate) latency: Duration,
    pub(crate) list_lag: Duration,
    pub(crate) transition: Duration,
    pub(crate) rate_limit: Option<u32>,
    pub(crate) token_lifetime: Duration,
    pub(crate) old_style_errors: bool,
    /// See [`Context::first_states`].
    pub(crate) first_states: BTreeMap<String, String>,
}

/// All that the simulator remembers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) organisations: Vec<Organisation>,
    pub(crate) ids: Ids,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) tokens: Tokens,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) calls: CallLog,
    pub(crate) clock_offset: Duration,
    pub(crate) meters: HashMap<String, Meter>,
}

/// How much of a sandbox's rate is left.
#[derive(Debug)]
pub(crate) struct Meter {
    left: f64,
    at_ms: i64,
}

impl State {
    /// Milliseconds since the epoch, by the simulator's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            + self.clock_offset;
        millis(now)
    }

    /// Takes one call from a sandbox's rate; `false` if nothing is left of it.
    pub(crate) fn take_rate(&mut self, sandbox: &str) -> bool {
        let Some(rate) = self.settings.rate_limit.map(f64::from) else {
            return true;
        };
        let now = self.now_ms();
        let meter = self.meters.entry(sandbox.to_owned()).or_insert(Meter {
            left: rate,
            at_ms: now,
        });
        let elapsed = Duration::from_millis(u64::try_from(now - meter.at_ms).unwrap_or(0));
        meter.left = (meter.left + elapsed.as_secs_f64() * rate).min(rate);
        meter.at_ms = now;
        if meter.left < 1.0 {
            return false;
        }
        meter.left -= 1.0;
        true
    }

    /// The context of a call made by this client.
    pub(crate) fn enter(
        &mut self,
        organisation: usize,
        client_id: &str,
    ) -> (&mut Organisation, Context<'_>) {
        let now_ms = self.now_ms();
        let organisation = &mut self.organisations[organisation];
        for sandbox in organisation.sandboxes.values_mut() {
            sandbox.end_reset(now_ms);
        }
        let cx = Context {
            now_ms,
            list_lag_ms: millis(self.settings.list_lag),
            transition_ms: millis(self.settings.transition),
            profile: self.settings.profile,
            ims_org: organisation.ims_org.clone(),
            tenant: organisation.tenant.clone(),
            client_id: client_id.to_owned(),
            connectors: &self.connectors,
            first_states: &self.settings.first_states,
            ids: &mut self.ids,
        };
        (organisation, cx)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Two organisations, each with one client; the first with every sandbox that is worth trying.
pub(crate) fn default_world() -> Vec<Organisation> {
    let mut creating = Sandbox::active("creating", "development", false);
    creating.about["state"] = "creating".into();
    let first = [
        Sandbox::active("prod", "production", true),
        Sandbox::active("dev", "development", false),
        Sandbox::active("stage", "development", false),
        creating,
    ];
    let second = [
        Sandbox::active("prod", "production", true),
        Sandbox::active("dev", "development", false),
    ];
    vec![
        organisation(
            "0123456789ABCDEF@AdobeOrg",
            "acme",
            ("aep-operator-demo", "demo-secret"),
            first,
        ),
        organisation(
            "FEDCBA9876543210@AdobeOrg",
            "globex",
            ("globex-client", "globex-secret"),
            second,
        ),
    ]
}

fn organisation(
    ims_org: &str,
    tenant: &str,
    (client, secret): (&str, &str),
    sandboxes: impl IntoIterator<Item = Sandbox>,
) -> Organisation {
    let named = |sandbox: Sandbox| {
        (
            sandbox.about["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            sandbox,
        )
    };
    Organisation {
        ims_org: ims_org.to_owned(),
        tenant: tenant.to_owned(),
        clients: IndexMap::from([(client.to_owned(), vec![secret.to_owned()])]),
        sandboxes: sandboxes.into_iter().map(named).collect(),
    }
}
