//! A dataset is deleted with its records, which nothing brings back: one that has records goes only if its resource says so.

use crate::api::DeletionProtection;
use crate::engine::{Error, Result, Session};

/// Fails if the dataset has records that are to be kept.
pub(super) async fn check(
    session: &Session,
    protection: DeletionProtection,
    id: &str,
) -> Result<()> {
    let adobe = session.adobe();
    match protection {
        DeletionProtection::None => Ok(()),
        DeletionProtection::WhileNotEmpty if adobe.catalog().has_records(id).await? => {
            Err(Error::HasRecords(id.to_owned()))
        }
        DeletionProtection::WhileNotEmpty => Ok(()),
    }
}
