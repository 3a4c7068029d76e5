//! Hundreds of pipelines: what is promised of one holds for all of them together.
//!
//! `cargo test` runs it with 200 pipelines at most, `make scale` with 1,000.

mod priority;
mod rebuild;
mod resync;
