//! The protocol against a minimal API server, on a paused clock.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, Request, Response};
use k8s_openapi::api::coordination::v1::LeaseSpec;
use kube::client::Body;
use kube::core::Status;
use tower::filter::Predicate;

use super::*;

const TIMINGS: fn() -> LeaseTimings = || LeaseTimings::new(15);

/// Stores one lease, and refuses writes that come too late.
#[derive(Clone, Default)]
struct Server {
    lease: Arc<Mutex<Option<Lease>>>,
    version: Arc<AtomicUsize>,
    /// How long every answer takes.
    delay: Arc<Mutex<Duration>>,
}

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (method, body) = (request.method().clone(), request.into_body());
                let body = body.collect_bytes().await.unwrap();
                let delay = *server.delay.lock().unwrap();
                sleep(delay).await;
                Ok::<_, Infallible>(server.answer(&method, &body))
            }
        });
        Client::new(service, "default")
    }

    fn candidate(&self, pod: &str) -> Candidate {
        Candidate::new(self.client(), "default", "operator", pod, TIMINGS())
    }

    fn answer(&self, method: &Method, body: &[u8]) -> Response<Body> {
        let mut stored = self.lease.lock().unwrap();
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        if *method == Method::GET {
            return stored
                .as_ref()
                .map_or_else(|| failure(404, "NotFound"), answer);
        }
        let mut lease: Lease = serde_json::from_slice(body).unwrap();
        if stored.as_ref().and_then(version) != version(&lease) {
            return failure(409, "Conflict");
        }
        let next = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        lease.metadata.resource_version = Some(next.to_string());
        let answer = answer(&lease);
        *stored = Some(lease);
        answer
    }

    fn takes(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    fn holder(&self) -> Option<String> {
        let lease = self.lease.lock().unwrap();
        lease.as_ref()?.spec.as_ref()?.holder_identity.clone()
    }

    /// Writes as another client would.
    fn edit(&self, edit: impl FnOnce(&mut LeaseSpec)) {
        let mut lease = self.lease.lock().unwrap();
        let lease = lease.as_mut().unwrap();
        edit(lease.spec.as_mut().unwrap());
        let next = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        lease.metadata.resource_version = Some(next.to_string());
    }

    /// Waits until a Pod holds the lease.
    async fn led_by(&self, pod: &str) {
        let others = |holder: String| !holder.starts_with(pod);
        let led = async {
            while self.holder().is_none_or(others) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(600), led).await.unwrap();
    }
}

fn answer(lease: &Lease) -> Response<Body> {
    Response::new(serde_json::to_vec(lease).unwrap().into())
}

fn failure(code: u16, reason: &str) -> Response<Body> {
    let status = Status::failure("no", reason).with_code(code);
    let mut response = Response::new(Body::from(serde_json::to_vec(&status).unwrap()));
    *response.status_mut() = code.try_into().unwrap();
    response
}

/// Leads with work that never ends.
async fn lead(candidate: Candidate) -> Result<(), Lost> {
    candidate.lead(pending(), &CancellationToken::new()).await
}

#[tokio::test(start_paused = true)]
async fn of_several_candidates_at_the_same_moment_one_leads() {
    let server = Server::default();
    let candidates: Vec<_> = (0..5)
        .map(|n| server.candidate(&format!("pod-{n}")))
        .collect();
    let chances: Vec<_> = candidates.iter().map(Candidate::leadership).collect();
    let all = futures::future::join_all(candidates.into_iter().map(lead));
    assert!(
        timeout(Duration::from_secs(600), all).await.is_err(),
        "no candidate gives up"
    );
    let leaders = chances.iter().filter(|chance| chance.is_valid());
    assert_eq!(leaders.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_answers_stops_when_the_deadline_has_passed_and_no_later() {
    let server = Server::default();
    let candidate = server.candidate("leader");
    let leadership = candidate.leadership();
    let leader = tokio::spawn(lead(candidate));
    server.led_by("leader").await;
    sleep(Duration::from_secs(100)).await;
    let end = leadership.expires_at().unwrap();
    server.takes(Duration::MAX);
    tokio::time::sleep_until(end - Duration::from_millis(1)).await;
    assert!(leadership.is_valid());
    tokio::time::sleep_until(end).await;
    assert!(!leadership.is_valid());
    assert!(matches!(leader.await.unwrap(), Err(Lost::NotRenewed)));
    assert!(end.elapsed() < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_before_the_request() {
    let server = Server::default();
    server.takes(Duration::from_secs(2));
    let candidate = server.candidate("leader");
    let leadership = candidate.leadership();
    let asked = Instant::now();
    let leader = tokio::spawn(lead(candidate));
    while !leadership.is_valid() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(
        asked.elapsed() >= Duration::from_secs(4),
        "one read, one write"
    );
    let end = leadership.expires_at().unwrap();
    assert_eq!(end, asked + TIMINGS().renew_deadline());
    leader.abort();
}

#[tokio::test(start_paused = true)]
async fn the_work_is_dropped_when_another_takes_the_lease() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let server = Server::default();
    let dropped = Arc::new(AtomicBool::new(false));
    let work = Dropped(dropped.clone());
    let candidate = server.candidate("leader");
    let work = async move {
        let _work = work;
        pending::<()>().await;
    };
    let leader = tokio::spawn(async move { candidate.lead(work, &CancellationToken::new()).await });
    server.led_by("leader").await;
    server.edit(|spec| spec.holder_identity = Some("thief".into()));
    let stolen = Instant::now();
    let lost = leader.await.unwrap().unwrap_err();
    assert_eq!(lost.to_string(), "the lease is held by thief now: stopped");
    assert!(stolen.elapsed() <= TIMINGS().retry_period() + Duration::from_millis(10));
    assert!(dropped.load(Ordering::Relaxed));
    assert_eq!(server.holder().as_deref(), Some("thief"), "left alone");
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_was_released_by_others_stops() {
    let server = Server::default();
    let leader = tokio::spawn(lead(server.candidate("leader")));
    server.led_by("leader").await;
    server.edit(|spec| spec.holder_identity = None);
    assert!(matches!(leader.await.unwrap(), Err(Lost::Taken(_))));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_does_not_touch_the_holder_does_not_end_it() {
    let server = Server::default();
    let leader = tokio::spawn(lead(server.candidate("leader")));
    server.led_by("leader").await;
    for _ in 0..20 {
        server.edit(|spec| spec.lease_transitions = Some(70));
        sleep(TIMINGS().retry_period()).await;
    }
    assert!(!leader.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_restored_by_its_leader() {
    let server = Server::default();
    let leader = tokio::spawn(lead(server.candidate("leader")));
    server.led_by("leader").await;
    let other = tokio::spawn(lead(server.candidate("other")));
    sleep(Duration::from_secs(5)).await;
    *server.lease.lock().unwrap() = None;
    server.led_by("leader").await;
    sleep(Duration::from_secs(60)).await;
    assert!(server.holder().unwrap().starts_with("leader"));
    assert!(!leader.is_finished() && !other.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_from_a_leader_that_has_vanished() {
    let server = Server::default();
    let leader = tokio::spawn(lead(server.candidate("leader")));
    server.led_by("leader").await;
    let _other = tokio::spawn(lead(server.candidate("other")));
    sleep(Duration::from_secs(60)).await;
    leader.abort();
    let vanished = Instant::now();
    server.led_by("other").await;
    let most = TIMINGS().duration() + TIMINGS().retry_period().mul_f64(2.4);
    assert!(vanished.elapsed() > TIMINGS().renew_deadline());
    assert!(vanished.elapsed() <= most);
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_released_when_the_work_has_ended() {
    let server = Server::default();
    let stop = CancellationToken::new();
    let work = stop.clone().cancelled_owned();
    let candidate = server.candidate("leader");
    let leadership = candidate.leadership();
    let leader = tokio::spawn({
        let stop = stop.clone();
        async move { candidate.lead(work, &stop).await }
    });
    server.led_by("leader").await;
    stop.cancel();
    leader.await.unwrap().unwrap();
    assert_eq!(server.holder(), None);
    assert!(!leadership.is_valid());
}

#[tokio::test(start_paused = true)]
async fn a_standby_expires_at_the_first_word_and_takes_nothing() {
    let server = Server::default();
    let _leader = tokio::spawn(lead(server.candidate("leader")));
    server.led_by("leader").await;
    let stop = CancellationToken::new();
    let worked = async { panic!("it does not lead") };
    let standby = server.candidate("other");
    let (ended, ()) = tokio::join!(standby.lead(worked, &stop), async {
        sleep(Duration::from_secs(60)).await;
        stop.cancel();
    });
    ended.unwrap();
    assert!(server.holder().unwrap().starts_with("leader"));
}

#[tokio::test(start_paused = true)]
async fn no_step_of_the_work_is_taken_after_the_end_even_before_any_timer_has_fired() {
    let leadership = Leadership::none();
    leadership.extend(Instant::now() + Duration::from_secs(10));
    let steps = AtomicUsize::new(0);
    let work = async {
        loop {
            steps.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let mut work = Box::pin(leadership.fence::<()>(work));
    assert!(futures::poll!(&mut work).is_pending());
    assert!(leadership.clone().check("a request").is_ok());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(futures::poll!(&mut work).is_pending());
    assert_eq!(steps.load(Ordering::Relaxed), 1);
    assert!(leadership.clone().check("a request").is_err());
}
