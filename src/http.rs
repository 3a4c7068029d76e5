//! The HTTP endpoints of the process: metrics, liveness, readiness.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::readiness::Readiness;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves at this address, if there is one, until the process ends; fails only if it cannot listen there.
pub async fn serve(address: Option<SocketAddr>, router: Router) -> anyhow::Result<()> {
    let Some(address) = address else {
        return std::future::pending().await;
    };
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    axum::serve(listener, router).await?;
    Ok(())
}

/// `/metrics`.
pub fn metrics(registry: Registry) -> Router {
    let registry = Arc::new(registry);
    Router::new().route("/metrics", get(move || async move { encoded(&registry) }))
}

/// `/livez`, which answers as long as the process runs, and `/readyz`, which answers whether it is ready, or why not.
pub fn health(readiness: Readiness) -> Router {
    let readyz = move || async move {
        match readiness.check().await {
            Ok(()) => (StatusCode::OK, "ok".to_owned()),
            Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
        }
    };
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
}

fn encoded(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => (StatusCode::OK, [(header::CONTENT_TYPE, OPEN_METRICS)], text),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            error.to_string(),
        ),
    }
}
