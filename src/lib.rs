//! A Kubernetes operator that makes Adobe Experience Platform ingestion pipelines declarative.
//!
//! The rooms, and what may import what (a test enforces it): `cli` → `operator` → `kinds` → `engine` → `api`,
//! and `kinds`, `engine` → `adobe`. `cli` also uses `lease`, which imports nothing of ours, and `http`, `process`, `telemetry`, `readiness` and `check`,
//! which tell how the process fares.

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
