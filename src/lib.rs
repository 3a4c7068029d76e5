//! A Kubernetes operator that makes Adobe Experience Platform ingestion pipelines declarative.
//!
//! Imports run one way, which a test enforces: `cli` → `operator` → `kinds` → `engine` → `api`, and `kinds`, `engine` →
//! `adobe`. `cli` also uses `lease`, and `http`, `process`, `telemetry`, `readiness` and `check`, which expose the state of
//! the process. `backoff` imports nothing of ours; every module that waits may use it.

pub mod adobe;
pub mod api;
pub mod backoff;
pub mod check;
pub mod cli;
pub mod engine;
pub mod http;
pub mod kinds;
pub mod lease;
pub mod operator;
pub mod process;
pub mod readiness;
pub mod telemetry;
