//! What is known of one AEP sandbox while its `Sandbox` resource lives: one [`Session`] per Sandbox, in it one
//! [`Collection`] per kind.

mod collection;
mod contenders;
mod created;
mod facts;
mod findings;
mod index;
mod session;
mod unreadable;
mod whole;

pub use collection::{AnyCollection, Collection, collection};
pub use created::Turn;
pub use findings::Findings;
pub use index::{Index, precedence};
pub use session::{Session, Sessions};
