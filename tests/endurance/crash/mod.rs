//! Killed at any request, or left without an answer, the operator comes to the same end as undisturbed: exactly one object
//! at Adobe per custom resource, and none after the deletion.
//!
//! `cargo test` tries a part of all points, `make crash-matrix` every one.

mod adobe;
mod cluster;
mod lost;
mod matrix;
mod phase;
mod process;
mod proxy;
mod scenario;
mod trials;

use std::time::Duration;

use matrix::{Matrix, survive_every_crash};
use phase::Phase;

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_survives_a_crash_at_any_request() {
    survive_every_crash(prompt(Phase::Create), 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_survives_a_crash_while_listings_lag() {
    let matrix = Matrix {
        phase: Phase::Create,
        list_lag: Duration::from_secs(2),
    };
    survive_every_crash(matrix, 21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_survives_a_crash_at_any_request() {
    survive_every_crash(prompt(Phase::Update), 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_survives_a_crash_at_any_request() {
    survive_every_crash(prompt(Phase::Replace), 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_survives_a_crash_at_any_request() {
    survive_every_crash(prompt(Phase::Delete), 9).await;
}

/// With listings that show everything at once.
fn prompt(phase: Phase) -> Matrix {
    Matrix {
        phase,
        list_lag: Duration::ZERO,
    }
}
