//! What is done in every open sandbox again and again: everything is listed, and what Adobe does by itself is polled.

mod list;
mod orphans;
mod periodic;
mod poll;
mod waits;

pub use list::resync;
pub use poll::poll;
pub use waits::tell_waits;
