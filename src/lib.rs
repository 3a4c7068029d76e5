//! A Kubernetes operator that makes Adobe Experience Platform ingestion pipelines declarative.
//!
//! The rooms, and what may import what (a test enforces it): `cli` → `operator` → `kinds` → `engine` → `api`,
//! and `kinds`, `engine` → `adobe`. `cli` also uses `lease` and `http`, which import nothing of ours.

pub mod adobe;
pub mod api;
pub mod cli;
pub mod engine;
pub mod http;
pub mod kinds;
pub mod lease;
pub mod operator;
