//! One cache and one queue per kind, and the limit of concurrent reconciles.

mod queues;
mod slots;
mod store;
mod waits;

pub use queues::Queues;
pub use store::Inlet;
pub use waits::PATIENCE;
