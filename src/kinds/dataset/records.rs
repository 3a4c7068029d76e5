//! A dataset is deleted with its records, which nothing brings back: one that has records goes only if its resource says so.

use crate::api::DeletionProtection;
use crate::engine::{Error, Result, Session};

/// Fails if the dataset has records that are to be kept.
pub(super) async fn check(
    session: &Session,
    protection: DeletionProtection,
    id: &str,
) -> Result<()> {
    let kept = protection == DeletionProtection::WhileNotEmpty;
    if kept && session.adobe().catalog().has_records(id).await? {
        return Err(Error::HasRecords(id.to_owned()));
    }
    Ok(())
}
