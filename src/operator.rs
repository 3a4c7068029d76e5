//! Wiring: one engine, one `run` per kind, until told to stop.

use std::sync::Arc;

use kube::Client;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::api::{
    BaseConnection, Dataflow, Dataset, MappingSet, PlatformSchema, Sandbox, SourceConnection,
    TargetConnection,
};
use crate::engine::{Engine, Settings, run, secrets};

/// Runs the operator until `stop`.
pub async fn operate(client: Client, settings: Settings, stop: CancellationToken) {
    let mut engine = Engine::new(client, settings);
    let sandboxes = engine.desk::<Sandbox>();
    let base_connections = engine.desk::<BaseConnection>();
    let schemas = engine.desk::<PlatformSchema>();
    let datasets = engine.desk::<Dataset>();
    let source_connections = engine.desk::<SourceConnection>();
    let target_connections = engine.desk::<TargetConnection>();
    let mapping_sets = engine.desk::<MappingSet>();
    let dataflows = engine.desk::<Dataflow>();
    let engine = Arc::new(engine);
    let (listed, secrets_listed) = oneshot::channel();
    let all = async {
        // Only then is every Secret that appears later sure to wake those who wait for it.
        tokio::select! {
            _ = secrets_listed => {}
            () = stop.cancelled() => return,
        }
        tokio::join!(
            run(engine.clone(), sandboxes, stop.clone()),
            run(engine.clone(), base_connections, stop.clone()),
            run(engine.clone(), schemas, stop.clone()),
            run(engine.clone(), datasets, stop.clone()),
            run(engine.clone(), source_connections, stop.clone()),
            run(engine.clone(), target_connections, stop.clone()),
            run(engine.clone(), mapping_sets, stop.clone()),
            run(engine.clone(), dataflows, stop.clone()),
        );
    };
    tokio::select! {
        () = all => {}
        () = secrets(engine.clone(), listed) => {}
    }
}
