//! Deleting what a custom resource owns at Adobe, all of it and nothing else.

use std::collections::BTreeSet;

use super::doubt::Doubt;
use super::error::{Error, Result};
use super::kind::Kind;
use super::locate::swept;
use super::observations::Observed;
use super::pass::Pass;
use super::session::Session;
use crate::api::DeletionPolicy;

/// Deletes every object that bears our mark, replaced ones included, unless the policy says otherwise.
pub async fn clean_up<K: Kind>(pass: &Pass<'_, K>) -> Result<()> {
    if pass.object().management().deletion_policy == DeletionPolicy::Orphan {
        let text = "left at Adobe, as `deletionPolicy: Orphan` says";
        pass.note("Released", text.into());
        return Ok(());
    }
    let session = pass.session()?;
    let _turn = pass.turn(&session)?;
    swept(pass, &session).await?;
    if let Some(unseen) = K::USED_BY.iter().find(|kind| !session.has_seen(**kind)) {
        return Err(Error::Unseen(*unseen));
    }
    let all = session.observations::<K::Observed>();
    // What may have been created, be it the first object, one in another's place or a part, is waited and looked for.
    if let Some(doubt) = Doubt::about(pass) {
        doubt.end(pass, &session, &all).await?;
    }
    let claim = pass.mark()?.claim();
    let claimed = all.claimed(&claim);
    let mut ids: BTreeSet<_> = claimed.iter().map(|it| it.id().to_owned()).collect();
    ids.extend(pass.known_id().map(ToOwned::to_owned));
    for id in &ids {
        if let Some(user) = pass.user_at_adobe(&session, id) {
            return Err(Error::UsedAtAdobe(user));
        }
        if let Some(object) = still_ours::<K>(pass, &session, id).await? {
            K::delete(&session, &object).await?;
            pass.note("Deleted", format!("deleted {id} at Adobe"));
        }
        all.forget(id);
    }
    all.release(&claim);
    Ok(())
}

/// The object, unless it is gone or bears our mark no longer. It is read anew: what the last sweep saw may be ten minutes
/// old, and a deletion cannot be taken back.
pub(super) async fn still_ours<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    id: &str,
) -> Result<Option<K::Observed>> {
    let claim = pass.mark()?.claim();
    let ours = |object: &K::Observed| object.mark().is_some_and(|it| it.claim() == claim);
    match K::read(session, id).await? {
        Some(object) if ours(&object) => Ok(Some(object)),
        Some(_) => {
            let text = format!("{id} does not bear our mark any more: left at Adobe");
            pass.warn("Released", text);
            Ok(None)
        }
        None if K::is_hidden(session, id).await? => Err(Error::Hidden(id.to_owned())),
        // What it was made of may still be there, as after a deletion that was cut off.
        None => {
            let seen = session.observations::<K::Observed>().get(id);
            let seen = seen.filter(|it| ours(it));
            Ok(seen.map(|it| K::Observed::clone(&it)))
        }
    }
}
