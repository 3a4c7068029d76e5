//! How the names of metrics begin.

/// Every exported metric begins with one of these.
pub const PREFIXES: [&str; 6] = [
    "aep_",
    "controller_runtime_",
    "workqueue_",
    "rest_client_",
    "leader_election_",
    "process_",
];
