//! How the names of figures for Prometheus begin.

/// All of them do with one of these.
pub const BEGINNINGS: [&str; 6] = [
    "aep_",
    "controller_runtime_",
    "workqueue_",
    "rest_client_",
    "leader_election_",
    "process_",
];
