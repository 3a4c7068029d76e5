//! The controller of one kind: watch, queue, reconcile, resync.

use std::convert::Infallible;
use std::sync::Arc;

use futures::StreamExt;
use kube::runtime::controller::{Action, Config, ReconcileRequest, applier};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

use super::queue::Inlet;
use super::reconcile::{Reconcile, reconcile};
use super::shared::Engine;
use super::watch::watch_resources;

impl Engine {
    /// Adds a kind; what it returns goes to [`run`].
    pub fn register<K: Reconcile>(&mut self) -> Inlet<K> {
        self.collections.extend(K::COLLECTION);
        let workers = self.settings.workers;
        self.queues.add::<K>(workers, K::encode)
    }
}

/// Drives one kind until `stop`.
pub async fn run<K: Reconcile>(engine: Arc<Engine>, inlet: Inlet<K>, stop: CancellationToken) {
    let Some(store) = engine.queues.store::<K>() else {
        return;
    };
    let queue = UnboundedReceiverStream::new(inlet.queue)
        .map(|resource| Ok::<_, Infallible>(ReconcileRequest::from(resource)))
        .take_until(stop.clone().cancelled_owned());
    // Unbounded: what waits for Adobe delays nothing else, and each sandbox bounds its own reconciles.
    let config = Config::default().concurrency(0);
    let reconciles = applier(
        |resource, engine| Box::pin(reconcile::<K>(resource, engine)),
        |_, error: &Infallible, _| -> Action { match *error {} },
        engine.clone(),
        store,
        queue,
        config,
    );
    let driving = async {
        tokio::select! {
            () = engine.queues.listed() => {}
            () = stop.cancelled() => return,
        }
        engine.settings.synced.reach();
        reconciles.for_each(|_| async {}).await;
    };
    tokio::select! {
        () = driving => {}
        () = watch_resources::<K>(engine.clone(), inlet.writer, inlet.listed) => {}
        () = K::resync(&engine) => {}
    }
}
