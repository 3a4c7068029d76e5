//! What lies in `deploy/`, used as its readers use it: against a real kube-apiserver, by kubectl, and as Argo CD and Flux
//! would.

mod actions;
mod argo;
mod config;
mod definitions;
mod flux;
mod gitops;
mod health;
mod history;
mod kstatus;
mod lua;
mod pages;
mod pod;
mod samples;
mod state_metrics;
