//! What the engine asks of an object as Adobe holds it.

use std::fmt::Debug;

use super::mark::Mark;

/// An object as Adobe holds it, compact enough to be kept by the ten thousand.
pub trait Held: Clone + Debug + Send + Sync + 'static {
    /// What is remembered of a sandbox's objects besides, such as the runs of its flows. Lost with the process.
    type Memory: Default + Debug + Send + Sync;

    /// Adobe's id.
    fn id(&self) -> &str;
    /// The owner mark on it, if there is one.
    fn mark(&self) -> Option<&Mark>;
    /// When it was created, in milliseconds since 1970.
    fn created(&self) -> Option<i64>;
    /// The ids of other objects at Adobe that this one uses.
    fn uses(&self) -> Vec<&str>;
    /// Whether an id at Adobe is its own, or that of one of its parts.
    fn includes(&self, id: &str) -> bool {
        self.id() == id
    }
    /// Whether it is all that its custom resource stands for, and not a part that an interrupted create left.
    fn is_whole(&self) -> bool {
        true
    }
}
