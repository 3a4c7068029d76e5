//! What Prometheus and its users get.

mod exported;
mod files;
mod names;
mod process;
mod prometheus;
mod queries;
mod rules;
mod scenario;
