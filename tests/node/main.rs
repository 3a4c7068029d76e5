//! The images, and the operator as Pods of a real node that run them, installed by Helm or by a real Argo CD.
//!
//! Packing images needs buildah; a node needs Linux, root and some tools. Where they are missing, the tests say so and pass.
#![allow(clippy::unwrap_used, reason = "what a helper cannot do fails the test")]

mod argocd;
mod cluster;
mod images;
mod pods;
mod repository;
