//! A simulator with an open sandbox.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aep_simulator::{Options, Simulator};

use super::world::{World, build};
use crate::adobe::{Credentials, Endpoints, Limits, Pool, Settings};
use crate::api::{self, Kind, with_kinds};
use crate::engine::{Mark, Reconcile, Session};

macro_rules! collections {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        [$(<api::$kind as Reconcile>::COLLECTION.map(|new| new(Duration::ZERO))),+]
    };
}

/// How long an object is in transition after a change.
pub(super) const TRANSITION: Duration = Duration::from_millis(2);

const SANDBOX: &str = "dev";
/// The tenant of the simulator's first organisation.
const TENANT: &str = "acme";
/// All kinds of objects, as the simulator calls them.
const KINDS: [&str; 10] = [
    "connections",
    "sourceConnections",
    "targetConnections",
    "flows",
    "schemas",
    "classes",
    "fieldgroups",
    "descriptors",
    "dataSets",
    "mappingSets",
];

/// A sandbox that is open.
pub(super) struct Stage {
    simulator: Simulator,
    /// What was there before the first case.
    built: BTreeSet<(&'static str, String)>,
    pub session: Session,
    pub world: World,
    marks: AtomicUsize,
}

impl Stage {
    pub async fn open() -> Self {
        let options = Options {
            transition: TRANSITION,
            keep_calls: 0,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let adobe = Pool::new().open(settings(simulator.url()));
        let world = build(&adobe).await;
        Self {
            world,
            built: objects(&simulator),
            session: Session::new(
                adobe,
                "uid".into(),
                "team/default".into(),
                TENANT.into(),
                Duration::MAX,
                with_kinds!(collections).into_iter().flatten(),
            ),
            simulator,
            marks: AtomicUsize::default(),
        }
    }

    /// The mark of a custom resource that was not there before.
    pub fn next_mark(&self, kind: Kind) -> Mark {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        Mark::new(
            "team/default",
            kind,
            "team-a",
            &format!("payments.{number}"),
        )
    }

    /// Takes away what earlier cases made: titles are unique, and all schemas of Profile must fit each other.
    pub fn clear(&self) {
        let made = objects(&self.simulator);
        for (kind, id) in made.difference(&self.built) {
            assert!(self.simulator.delete(SANDBOX, kind, id).unwrap());
        }
    }
}

/// Everything in the sandbox, by kind and id.
fn objects(simulator: &Simulator) -> BTreeSet<(&'static str, String)> {
    let of_kind = |kind| {
        let objects = simulator.objects(SANDBOX, kind).into_iter();
        objects.map(move |object| {
            let mut ids = ["meta:altId", "@id", "id"].iter();
            let id = ids.find_map(|name| object[name].as_str());
            (kind, id.unwrap_or_default().to_owned())
        })
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}

fn settings(url: &str) -> Settings {
    Settings {
        endpoints: Endpoints {
            ims: url.into(),
            platform: url.into(),
        },
        ims_org_id: "0123456789ABCDEF@AdobeOrg".into(),
        sandbox_name: SANDBOX.into(),
        credentials: Credentials::OAuth {
            client_id: "aep-operator-demo".into(),
            client_secret: "demo-secret".into(),
            scopes: vec!["openid".into()],
        },
        limits: Limits {
            requests_per_second: 100_000,
            burst: 100_000,
            max_concurrent_requests: 8,
        },
        timeout: Duration::from_secs(20),
    }
}
