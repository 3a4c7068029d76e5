//! Leader election: of several replicas, only the holder of a `Lease` acts.
//!
//! The protocol is that of Kubernetes' own components. Every write carries the version that was read, so one of two
//! candidates succeeds. A candidate takes a lease to have expired once it has observed it unchanged for its duration, by its
//! own monotonic clock. The leader stops before that: its renew deadline is shorter, and counts from before the request
//! that renewed the lease was sent.
//!
//! Needs `get`, `create` and `update` on `leases` of `coordination.k8s.io`. Imports nothing of ours but `backoff`.

mod leadership;
mod observer;
#[cfg(test)]
mod tests;
mod timings;

use std::future::Future;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

pub use leadership::Leadership;
pub use timings::LeaseTimings;

use crate::backoff::jitter;
use observer::{LeaseObserver, LeaseState};

/// Why the leadership was lost.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// No renewal succeeded in time, or this process was suspended.
    #[error("the lease was not renewed in time: stopped, since another replica may lead now")]
    NotRenewed,
    /// The lease has another holder, or none.
    #[error("the lease is {0} now: stopped")]
    Taken(String),
}

/// A replica that stands for election.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    timings: LeaseTimings,
    observer: LeaseObserver,
    leadership: Leadership,
}

impl Candidate {
    /// A candidate for the lease `name`, identified by the name of its Pod.
    #[must_use]
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        pod: &str,
        timings: LeaseTimings,
    ) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            // A container restarted in the same Pod is a new candidate.
            identity: format!("{pod}_{:08x}", rand::random::<u32>()),
            timings,
            observer: LeaseObserver::new(Instant::now()),
            leadership: Leadership::none(),
        }
    }

    /// The leadership that this candidate may win, to be checked before every action.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits for the leadership and then does the work, which is dropped at once if the leadership is lost. When the work
    /// has ended by itself, as it should after `stop`, the lease is released.
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

    /// Tries until this candidate holds the lease.
    async fn elected(&mut self) {
        let mut logged = None;
        loop {
            if let Some(state) = self.attempt(&[LeaseState::Ours, LeaseState::Free]).await {
                let LeaseState::HeldBy(holder) = state else {
                    return;
                };
                if logged.as_ref() != Some(&holder) {
                    tracing::info!(lease = self.name, holder, "standing by");
                    logged = Some(holder);
                }
            }
            // With jitter, so that candidates do not try at the same moment.
            let wait = self.timings.retry_period();
            sleep(wait + jitter(wait, 0.2)).await;
        }
    }

    /// Renews the lease until that fails.
    async fn keep(&mut self) -> Lost {
        loop {
            let end = self.leadership.expires_at().unwrap_or_else(Instant::now);
            match timeout_at(end, self.renewed()).await {
                Ok(LeaseState::Ours) => {}
                Ok(LeaseState::HeldBy(holder)) => return Lost::Taken(format!("held by {holder}")),
                Ok(LeaseState::Free) => return Lost::Taken("released".into()),
                Err(_) => return Lost::NotRenewed,
            }
        }
    }

    /// Tries until the API server answers, and returns what it says.
    async fn renewed(&mut self) -> LeaseState {
        loop {
            sleep(self.timings.retry_period()).await;
            if let Some(state) = self.attempt(&[LeaseState::Ours]).await {
                return state;
            }
        }
    }

    /// One attempt; `None` if it failed.
    async fn attempt(&mut self, claimable: &[LeaseState]) -> Option<LeaseState> {
        let (name, limit) = (self.name.clone(), self.timings.attempt_timeout());
        match timeout(limit, self.claim(claimable)).await {
            Ok(Ok(state)) => return Some(state),
            Ok(Err(error)) => tracing::warn!(lease = name, %error, "lease not read or written"),
            Err(_) => tracing::warn!(lease = name, "no answer in time about the lease"),
        }
        None
    }

    /// Reads who holds the lease, and takes or renews it if that state is one of `claimable`.
    async fn claim(&mut self, claimable: &[LeaseState]) -> kube::Result<LeaseState> {
        loop {
            let sent = Instant::now();
            let lease = self.api.get_opt(&self.name).await?;
            let now = Instant::now();
            self.observer.observe(spec_of(lease.as_ref()), now);
            let state = self.observer.state(&self.identity, self.timings, now);
            if !claimable.contains(&state) {
                return Ok(state);
            }
            match self.write(lease).await {
                Ok(lease) => {
                    self.observer.observe(lease.spec.as_ref(), Instant::now());
                    self.leadership.extend(sent + self.timings.renew_deadline());
                    return Ok(LeaseState::Ours);
                }
                // Another write came first: read again.
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes this candidate into the lease that was read, or creates one.
    async fn write(&self, lease: Option<Lease>) -> kube::Result<Lease> {
        let spec = self
            .observer
            .claimed(&self.identity, self.timings, Timestamp::now());
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

    /// Releases the lease, so that another candidate can take it at once.
    async fn release(&self) {
        let released = timeout(self.timings.attempt_timeout(), self.give_up()).await;
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
