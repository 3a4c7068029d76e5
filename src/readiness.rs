//! Whether this replica is able to do its work. That depends on Kubernetes alone: where Adobe is away, starting the Pod
//! anew or taking it out of service would help nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use tokio::time::timeout;

use crate::api::{GROUP, Kind, VERSION};
use crate::engine::Milestone;
use crate::lease::Leadership;

/// How long the API server may take to answer.
const PATIENCE: Duration = Duration::from_millis(800);

/// Answers whether this replica is able to do its work.
#[derive(Clone)]
pub struct Readiness {
    client: Client,
    leadership: Leadership,
    seen: Milestone,
}

impl Readiness {
    /// `client` may ask whoever leads; `seen` is reached once everything that is watched was seen.
    #[must_use]
    pub fn new(client: Client, leadership: Leadership, seen: Milestone) -> Self {
        Self {
            client,
            leadership,
            seen,
        }
    }

    /// Who leads is able once it has seen everything; who stands by, when it could begin at once. Otherwise tells why not.
    pub async fn check(&self) -> Result<(), String> {
        match timeout(PATIENCE, missing(&self.client)).await {
            Err(_) => return Err("the API server does not answer in time".into()),
            Ok(Err(error)) => return Err(format!("the API server does not answer: {error}")),
            Ok(Ok(missing)) if !missing.is_empty() => {
                let missing = missing.join(", ");
                return Err(format!("the CRDs of {missing} are not installed"));
            }
            Ok(Ok(_)) => {}
        }
        if self.leadership.is_valid() && !self.seen.is_reached() {
            let why = "not everything that is watched was seen yet; the log tells if a watch fails";
            return Err(why.into());
        }
        Ok(())
    }
}

/// The kinds that the API server does not know.
pub async fn missing(client: &Client) -> kube::Result<Vec<&'static str>> {
    let served = match client
        .list_api_group_resources(&format!("{GROUP}/{VERSION}"))
        .await
    {
        Ok(list) => list.resources.into_iter().map(|it| it.kind).collect(),
        Err(kube::Error::Api(status)) if status.code == 404 => BTreeSet::new(),
        Err(error) => return Err(error),
    };
    let names = Kind::ALL.map(Kind::name).into_iter();
    Ok(names.filter(|name| !served.contains(*name)).collect())
}
