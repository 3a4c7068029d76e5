//! What is shipped beside the binary, used as its readers use it: the charts, what lies in `deploy/`, alerts and dashboard.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod charts;
mod deploy;
mod monitoring;
