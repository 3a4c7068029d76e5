//! The images, and the operator as Pods of a real node that run them, installed by Helm or by a real Argo CD.
//!
//! Packing images needs buildah; a node needs Linux, root and some tools. Where they are missing, the tests are ignored and
//! say why.
#![allow(clippy::unwrap_used, reason = "what a helper cannot do fails the test")]

mod argocd;
mod cluster;
mod images;
mod pods;
mod repository;

use std::process::ExitCode;

use aep_control_plane::trials::{needing, run};

fn main() -> ExitCode {
    run(vec![
        needing(
            &["image"],
            images::the_same_binaries_give_the_same_images_at_another_time,
        ),
        needing(
            &["image"],
            images::an_image_is_the_binary_run_by_a_numbered_user,
        ),
        needing(
            &["node"],
            pods::a_release_reconciles_the_sample_while_its_pods_come_and_go,
        ),
        needing(
            &["node", "argocd"],
            argocd::argocd_rolls_out_and_takes_away_what_git_says,
        ),
    ])
}
