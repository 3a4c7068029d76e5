//! Wiring: one engine, one controller per kind, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use kube::Client;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::api::{self, with_kinds};
use crate::engine::{Engine, Reconcile, Settings, run, watch_secrets};

/// How long the last events may take once the operator is told to stop.
const LAST_EVENTS: Duration = Duration::from_secs(1);

/// Starts the controller of one kind.
type Start = Box<dyn FnOnce(Arc<Engine>, CancellationToken) -> BoxFuture<'static, ()> + Send>;

macro_rules! register_all {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        [$(register::<api::$kind> as fn(&mut Engine) -> Start),+]
    };
}

/// Runs the operator until `stop`.
pub async fn operate(client: Client, settings: Settings, stop: CancellationToken) {
    let mut engine = Engine::new(client, settings);
    let controllers = with_kinds!(register_all).map(|register| register(&mut engine));
    let engine = Arc::new(engine);
    let (listed, secrets_listed) = oneshot::channel();
    let all = async {
        // Only then is every Secret that appears later sure to enqueue those who wait for it.
        tokio::select! {
            _ = secrets_listed => {}
            () = stop.cancelled() => return,
        }
        // Each is polled when it was woken, in turn: polled in a fixed order, the first ones would use up the share of time
        // that the runtime gives a task, and the last ones would starve.
        let controllers = controllers.into_iter();
        let mut running: FuturesUnordered<_> = controllers
            .map(|start| start(engine.clone(), stop.clone()))
            .collect();
        while running.next().await.is_some() {}
    };
    tokio::select! {
        () = all => {}
        () = watch_secrets(engine.clone(), listed) => {}
        () = engine.publish_events() => {}
    }
    engine.flush_events(LAST_EVENTS).await;
}

fn register<K: Reconcile>(engine: &mut Engine) -> Start {
    let inlet = engine.register::<K>();
    Box::new(move |engine, stop| run::<K>(engine, inlet, stop).boxed())
}
