//! The charts, installed by a real Helm on a real API server. Pods do not run there, so a test starts the operator's binary
//! itself: with what the rendered Deployment says, as the `ServiceAccount` of the release.

mod generated;
mod life;
mod manual;
mod pages;
mod people;
mod pods;
mod release;
mod rendered;
mod rights;
