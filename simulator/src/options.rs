//! How a simulator starts.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::calls::CallLog;
use crate::connectors::{self, Connector};
use crate::faults::Faults;
use crate::profile::Profile;
use crate::state::{Settings, State, default_world};
use crate::world::{Ids, Organisation};

/// How a simulator starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on; loopback by default.
    pub address: IpAddr,
    /// Port to listen on; any free one by default.
    pub port: Option<u16>,
    /// Lenient or strict.
    pub profile: Profile,
    /// How long every call takes. Calls overlap.
    pub latency: Duration,
    /// How long listings lag behind.
    pub list_lag: Duration,
    /// How long asynchronous operations take.
    pub transition: Duration,
    /// Calls per second and sandbox above which the gateway answers 429.
    pub rate_limit: Option<u32>,
    /// Start of all randomness; the same number gives the same ids.
    pub seed: u64,
    /// How long tokens live.
    pub token_lifetime: Duration,
    /// Whether the errors of Flow Service and Schema Registry have their older, shorter form.
    pub old_style_errors: bool,
    /// The organisations there are.
    pub organisations: Vec<Organisation>,
    /// Connectors besides those that are known from the start.
    pub connectors: Vec<Connector>,
    /// A file that takes every exchange as a line of JSON.
    pub record: Option<PathBuf>,
    /// How many calls are kept to be looked at; counts are kept for all.
    pub keep_calls: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            port: None,
            profile: Profile::Lenient,
            latency: Duration::ZERO,
            list_lag: Duration::ZERO,
            transition: Duration::from_millis(50),
            rate_limit: None,
            seed: 0,
            token_lifetime: Duration::from_secs(86_399),
            old_style_errors: false,
            organisations: default_world(),
            connectors: Vec::new(),
            record: None,
            keep_calls: 20_000,
        }
    }
}

impl Options {
    /// The state of a simulator that starts.
    pub(crate) fn state(self) -> Result<State> {
        let open = |path: &PathBuf| {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))
        };
        let record = self.record.as_ref().map(open).transpose()?;
        let mut connectors = connectors::known();
        for connector in self.connectors {
            connectors::tell(&mut connectors, connector);
        }
        Ok(State {
            organisations: self.organisations,
            ids: Ids::seeded(self.seed),
            connectors,
            tokens: HashMap::new(),
            settings: Settings {
                profile: self.profile,
                latency: self.latency,
                list_lag: self.list_lag,
                transition: self.transition,
                rate_limit: self.rate_limit,
                token_lifetime: self.token_lifetime,
                old_style_errors: self.old_style_errors,
                first_states: BTreeMap::new(),
            },
            faults: Faults::seeded(self.seed),
            calls: CallLog::new(self.keep_calls, record),
            clock_offset: Duration::ZERO,
            meters: HashMap::new(),
        })
    }
}
