//! Whether this replica is ready. That depends on Kubernetes alone: while Adobe is unreachable, restarting the Pod or taking
//! it out of service would not help.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use tokio::time::timeout;

use crate::api::{GROUP, Kind, VERSION};
use crate::engine::Milestone;
use crate::lease::Leadership;

/// How long the API server may take to answer.
const TIMEOUT: Duration = Duration::from_millis(800);

/// Answers whether this replica is ready.
#[derive(Clone)]
pub struct Readiness {
    client: Client,
    leadership: Leadership,
    synced: Milestone,
}

impl Readiness {
    /// `client` must work for standbys too; `synced` is reached once all caches are filled.
    #[must_use]
    pub fn new(client: Client, leadership: Leadership, synced: Milestone) -> Self {
        Self {
            client,
            leadership,
            synced,
        }
    }

    /// The leader is ready once its caches are filled; a standby, if it could take over at once. An error says why not.
    pub async fn check(&self) -> Result<(), String> {
        match timeout(TIMEOUT, missing(&self.client)).await {
            Err(_) => return Err("the API server does not answer in time".into()),
            Ok(Err(error)) => return Err(format!("the API server does not answer: {error}")),
            Ok(Ok(missing)) if !missing.is_empty() => {
                let missing = missing.join(", ");
                return Err(format!("the CRDs of {missing} are not installed"));
            }
            Ok(Ok(_)) => {}
        }
        if self.leadership.is_valid() && !self.synced.is_reached() {
            let why = "not everything that is watched was seen yet; the log tells if a watch fails";
            return Err(why.into());
        }
        Ok(())
    }
}

/// The kinds that the API server does not serve.
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
