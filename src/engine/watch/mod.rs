//! What the Kubernetes API shows: custom resources into the caches, Secrets into theirs, and who is to be reconciled.

mod relist;
mod resources;
mod secrets;

pub use resources::watch_resources;
pub use secrets::watch_secrets;
