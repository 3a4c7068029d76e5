//! What is promised holds for a long time, for many pipelines, and whatever goes wrong.
//!
//! `cargo test` runs a part that stands for the rest; `make crash-matrix`, `make scale` and `make chaos` run the whole.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chaos;
mod crash;
mod isolation;
mod scale;
