//! Everything that exists in the simulated world: organisations, their credentials, their sandboxes and what lies in them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use indexmap::IndexMap;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::clock::Utc;
use crate::collection::Collection;
use crate::connectors::Connector;
use crate::profile::Profile;

/// What every service may read and use while it answers one request.
#[derive(Debug)]
pub struct Context<'a> {
    /// Milliseconds since the epoch, by the simulator's own clock.
    pub now_ms: i64,
    /// How long listings lag behind, in milliseconds.
    pub list_lag_ms: i64,
    /// How long asynchronous transitions take, in milliseconds.
    pub transition_ms: i64,
    /// Lenient or strict.
    pub profile: Profile,
    /// The organisation of the caller, such as `0123456789ABCDEF@AdobeOrg`.
    pub ims_org: String,
    /// The organisation's tenant id, without underscore.
    pub tenant: String,
    /// The client id of the caller.
    pub client_id: String,
    /// The connectors there are.
    pub connectors: &'a [Connector],
    /// The state in which new objects of Flow Service are until they have their last one, by kind, such as `connections`.
    pub first_states: &'a BTreeMap<String, String>,
    /// Source of ids.
    pub ids: &'a mut Ids,
}

/// Source of ids: random by default, repeatable when seeded.
#[derive(Clone, Debug)]
pub struct Ids(StdRng);

impl Ids {
    /// Ids that are the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A lower-case UUID of version 4, as Flow Service makes them.
    pub fn uuid(&mut self) -> String {
        let mut hex = self.hex(32);
        hex.replace_range(12..13, "4");
        hex.replace_range(16..17, "a");
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// `digits` lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit(self.0.next_u32() % 16, 16).unwrap_or('0'))
            .collect()
    }
}

/// An asynchronous Flow Service operation that finishes by itself when its time has come.
#[derive(Clone, Debug)]
pub struct Pending {
    /// When it finishes, in milliseconds since the epoch.
    pub due_ms: i64,
    /// The collection of the object it is about.
    pub resource: &'static str,
    /// The object it is about.
    pub id: String,
    /// The state of the object once finished, if the state changes.
    pub state: Option<String>,
}

/// One sandbox and all that lies in it.
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    /// What the Sandbox service shows of it: `name`, `title`, `state`, `type`, `isDefault`, `eTag`, `region`, dates.
    pub about: Value,
    /// Schema Registry: `schemas`, `classes`, `fieldgroups`, `datatypes`, `descriptors`, by `meta:altId` or `@id`.
    pub registry: BTreeMap<&'static str, Collection>,
    /// Catalog data sets by id.
    pub data_sets: Collection,
    /// Catalog batches by id: the records that were ingested.
    pub batches: Collection,
    /// Data Prep mapping sets by id; each value holds every version (see `data_prep`).
    pub mapping_sets: Collection,
    /// Identity Service's namespaces by id, Adobe's own left out.
    pub namespaces: Collection,
    /// Flow Service: `connections`, `sourceConnections`, `targetConnections`, `flows`, `runs`, by id.
    pub flow: BTreeMap<&'static str, Collection>,
    /// Flow Service operations that have been accepted and are not finished yet.
    pub pending: Vec<Pending>,
    /// Flows that the caller may not see because of an access label.
    pub hidden_flows: BTreeSet<String>,
    /// When a reset is over, in milliseconds since the epoch, while one is under way.
    pub reset_until_ms: Option<i64>,
}

impl Sandbox {
    /// The sandbox's id. It never changes, so it is made from what never changes: organisation and name.
    #[must_use]
    pub fn id(&self, ims_org: &str) -> String {
        let half = |salt: &str| {
            let mut hasher = DefaultHasher::new();
            let name = self.about["name"].as_str().unwrap_or_default();
            (salt, ims_org, name).hash(&mut hasher);
            format!("{:016x}", hasher.finish())
        };
        let hex = half("first") + &half("second");
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// An empty, active sandbox.
    #[must_use]
    pub fn active(name: &str, kind: &str, is_default: bool) -> Self {
        let about = json!({
            "name": name, "title": name, "state": "active", "type": kind, "region": "VA7", "isDefault": is_default, "eTag": 1,
            "createdDate": "2024-01-01 00:00:00", "lastModifiedDate": "2024-01-01 00:00:00",
            "createdBy": "SYSTEM", "modifiedBy": "SYSTEM",
        });
        Self {
            about,
            ..Self::default()
        }
    }

    /// Begins a reset: everything in it is gone, and until then it cannot be used. Name, type and id stay.
    pub(crate) fn reset(&mut self, now_ms: i64, until_ms: i64) {
        *self = Self {
            about: self.about.take(),
            reset_until_ms: Some(until_ms),
            ..Self::default()
        };
        self.enter_state("resetting", now_ms);
    }

    /// Ends a reset whose time has come.
    pub(crate) fn end_reset(&mut self, now_ms: i64) {
        let over = self.reset_until_ms.take_if(|until| *until <= now_ms);
        if over.is_some() {
            self.enter_state("active", now_ms);
        }
    }

    fn enter_state(&mut self, state: &str, now_ms: i64) {
        let version = self.about["eTag"].as_i64().unwrap_or_default();
        self.about["state"] = state.into();
        self.about["eTag"] = (version + 1).into();
        self.about["lastModifiedDate"] = Utc::at(now_ms).plain().into();
    }

    /// How many objects exist in it, of every service (runs left out).
    #[must_use]
    pub fn object_count(&self) -> usize {
        let registry: usize = self.registry.values().map(Collection::len).sum();
        let flow: usize = self
            .flow
            .iter()
            .filter(|(name, _)| **name != "runs")
            .map(|(_, c)| c.len())
            .sum();
        let others = [&self.data_sets, &self.mapping_sets, &self.namespaces];
        registry + flow + others.map(Collection::len).iter().sum::<usize>()
    }
}

/// One organisation.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Such as `0123456789ABCDEF@AdobeOrg`.
    pub ims_org: String,
    /// Tenant id without underscore.
    pub tenant: String,
    /// Client ids that may act for it, each with its valid secrets (at most two).
    pub clients: IndexMap<String, Vec<String>>,
    /// Its sandboxes by name.
    pub sandboxes: IndexMap<String, Sandbox>,
}
