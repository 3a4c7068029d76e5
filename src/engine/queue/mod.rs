//! One cache and one queue per kind, and the limit of concurrent reconciles.

mod queues;
mod slots;
mod store;

pub use queues::Queues;
pub use slots::{Slot, Slots};
pub use store::Inlet;
