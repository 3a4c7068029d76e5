//! Leader election: of several replicas, only the holder of a `Lease` acts.
//!
//! The protocol is the one of Kubernetes' own components. Every write carries the version that was read, so of two
//! candidates one succeeds. A lease has expired for us once we have seen it unchanged for as long as it lasts, by our own
//! monotonic clock. The leader stops before that: its renew deadline is shorter, and counts from before the request that
//! renewed the lease was sent.
//!
//! Needs `get`, `create` and `update` on `leases` of `coordination.k8s.io`. Imports nothing of ours but `backoff`.

mod leadership;
mod sight;
mod terms;
#[cfg(test)]
mod tests;

use std::future::Future;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

pub use leadership::Leadership;
pub use terms::Terms;

use crate::backoff::jitter;
use sight::{Sight, Standing};

/// How the leadership was lost.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The API server did not take a renewal in time, or this process did not run.
    #[error("the lease was not renewed in time: stopped, since another replica may lead now")]
    NotRenewed,
    /// The lease bears another name, or none.
    #[error("the lease is {0} now: stopped")]
    Taken(String),
}

/// One replica that would lead.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    terms: Terms,
    sight: Sight,
    leadership: Leadership,
}

impl Candidate {
    /// A candidate for the lease `name`, under the name of its Pod.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str, pod: &str, terms: Terms) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            // A container that was restarted in the same Pod must not take itself for the one before.
            identity: format!("{pod}_{:08x}", rand::random::<u32>()),
            terms,
            sight: Sight::new(Instant::now()),
            leadership: Leadership::none(),
        }
    }

    /// The leadership that this candidate may win: to be asked before every act.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits for the leadership and then does the work, which is dropped at once if the leadership is lost. When the work
    /// has ended by itself, as it is expected to when `stop` comes, the lease is given back.
    pub async fn lead(
        mut self,
        work: impl Future<Output = ()>,
        stop: &CancellationToken,
    ) -> Result<(), Lost> {
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            () = self.elected() => self.work(work).await,
        };
        self.leadership.end();
        if outcome.is_ok() {
            self.release().await;
        }
        outcome
    }

    async fn work(&mut self, work: impl Future<Output = ()>) -> Result<(), Lost> {
        tracing::info!(lease = self.name, identity = self.identity, "leading");
        let leadership = self.leadership();
        tokio::select! {
            biased;
            lost = self.keep() => Err(lost),
            () = leadership.fence(work) => Ok(()),
        }
    }

    /// Tries until the lease is ours.
    async fn elected(&mut self) {
        let mut told = None;
        loop {
            if let Some(standing) = self.attempt(&[Standing::Ours, Standing::Free]).await {
                let Standing::HeldBy(holder) = standing else {
                    return;
                };
                if told.as_ref() != Some(&holder) {
                    tracing::info!(lease = self.name, holder, "standing by");
                    told = Some(holder);
                }
            }
            // Not in step with the other candidates.
            let wait = self.terms.retry_period();
            sleep(wait + jitter(wait, 0.2)).await;
        }
    }

    /// Renews the lease for as long as that goes well.
    async fn keep(&mut self) -> Lost {
        loop {
            let end = self.leadership.ends_at().unwrap_or_else(Instant::now);
            match timeout_at(end, self.renewed()).await {
                Ok(Standing::Ours) => {}
                Ok(Standing::HeldBy(holder)) => return Lost::Taken(format!("held by {holder}")),
                Ok(Standing::Free) => return Lost::Taken("held by nobody".into()),
                Err(_) => return Lost::NotRenewed,
            }
        }
    }

    /// Tries until the API server answers.
    async fn renewed(&mut self) -> Standing {
        loop {
            sleep(self.terms.retry_period()).await;
            if let Some(standing) = self.attempt(&[Standing::Ours]).await {
                return standing;
            }
        }
    }

    /// One try, which may fail.
    async fn attempt(&mut self, claimable: &[Standing]) -> Option<Standing> {
        let (name, patience) = (self.name.clone(), self.terms.patience());
        match timeout(patience, self.claim(claimable)).await {
            Ok(Ok(standing)) => return Some(standing),
            Ok(Err(error)) => tracing::warn!(lease = name, %error, "lease not read or written"),
            Err(_) => tracing::warn!(lease = name, "no answer about the lease"),
        }
        None
    }

    /// Looks whose the lease is, and claims it for another term if it is one of `claimable`.
    async fn claim(&mut self, claimable: &[Standing]) -> kube::Result<Standing> {
        loop {
            let sent = Instant::now();
            let lease = self.api.get_opt(&self.name).await?;
            let now = Instant::now();
            self.sight.look(spec_of(lease.as_ref()), now);
            let standing = self.sight.standing(&self.identity, self.terms, now);
            if !claimable.contains(&standing) {
                return Ok(standing);
            }
            match self.write(lease).await {
                Ok(lease) => {
                    self.sight.look(lease.spec.as_ref(), Instant::now());
                    self.leadership.extend(sent + self.terms.renew_deadline());
                    return Ok(Standing::Ours);
                }
                // Somebody wrote since we looked: look again.
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes our name into the lease that was read, or makes one.
    async fn write(&self, lease: Option<Lease>) -> kube::Result<Lease> {
        let spec = self
            .sight
            .claimed(&self.identity, self.terms, Timestamp::now());
        let params = PostParams::default();
        if let Some(mut lease) = lease {
            lease.spec = Some(spec);
            return self.api.replace(&self.name, &params, &lease).await;
        }
        let metadata = ObjectMeta {
            name: Some(self.name.clone()),
            ..ObjectMeta::default()
        };
        let lease = Lease {
            metadata,
            spec: Some(spec),
        };
        self.api.create(&params, &lease).await
    }

    /// Lets the next one begin at once.
    async fn release(&self) {
        let released = timeout(self.terms.patience(), self.give_up()).await;
        if !matches!(released, Ok(Ok(()))) {
            tracing::warn!(lease = self.name, "lease not released, it will expire");
        }
    }

    async fn give_up(&self) -> kube::Result<()> {
        loop {
            let Some(mut lease) = self.api.get_opt(&self.name).await? else {
                return Ok(());
            };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_ref() != Some(&self.identity) {
                return Ok(());
            }
            spec.holder_identity = None;
            let params = PostParams::default();
            match self.api.replace(&self.name, &params, &lease).await {
                Err(error) if is_conflict(&error) => {}
                written => return written.map(drop),
            }
        }
    }
}

fn spec_of(lease: Option<&Lease>) -> Option<&k8s_openapi::api::coordination::v1::LeaseSpec> {
    lease.and_then(|lease| lease.spec.as_ref())
}

fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409)
}
