//! The operator as a whole.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod rooms;
