//! Adobe Experience Platform's ingestion APIs in a box.

pub mod collection;
pub mod http;
pub mod world;
