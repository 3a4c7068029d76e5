//! Which object at Adobe a custom resource stands for: by annotation, by the id in status, by the owner mark.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Error, Result};
use super::kind::Kind;
use super::mark::Mark;
use super::observations::{Observations, Observed};
use super::pass::Pass;
use super::session::Session;

/// How long a new custom resource waits for a sweep that is under way before it looks for itself.
const MOMENT: Duration = Duration::from_millis(500);

/// What was found.
pub struct Found<O> {
    /// The object.
    pub object: Arc<O>,
    /// Whether it was read just now.
    pub fresh: bool,
}

/// Makes sure that the sandbox was swept once: before that, the lack of an object proves nothing. Nobody holds a worker
/// while a sweep is under way: its end wakes all. Only a few new custom resources look for themselves, so that they
/// overtake a long sweep without making it pointless; none where the cluster may just be being rebuilt.
pub async fn swept<K: Kind>(pass: &Pass<'_, K>, session: &Session) -> Result<()> {
    let all = session.observations::<K::Observed>();
    let is_new = pass.known_id().is_none() && !pass.has_finalizer();
    let patience = if is_new { MOMENT } else { Duration::ZERO };
    if all.swept_within(patience).await {
        return Ok(());
    }
    if let Some(trouble) = all.trouble() {
        return Err(trouble.into());
    }
    if is_new && pass.is_settled_in() && all.may_hurry() {
        pass.hurry();
        return Ok(());
    }
    Err(Error::Opening)
}

/// The object that the custom resource stands for, from what the last sweep saw where that suffices.
pub async fn look<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
) -> Result<Option<Found<K::Observed>>> {
    let all = session.observations::<K::Observed>();
    let claimed = all.claimed(&pass.mark()?.claim());
    // What took the place of an adopted object is not the one that the annotation names.
    let replaced = claimed
        .first()
        .and_then(|it| it.mark())
        .is_some_and(|it| it.revision() > 1);
    if let Some(id) = pass.external_id().filter(|_| !replaced) {
        return adopted(pass, session, &all, &id).await.map(Some);
    }
    let known = pass.known_id();
    if let Some(id) = known.filter(|id| all.get(id).is_none() && !claimed.is_empty()) {
        // The last list may have missed it. What else bears the mark counts only if it is gone indeed.
        if let Some(found) = read(pass, session, &all, id).await? {
            return Ok(Some(found));
        }
    }
    // Of several, the one in status is in use; without it, the oldest of the latest revision is kept.
    let object = claimed
        .iter()
        .find(|it| Some(it.id()) == known)
        .or(claimed.first())
        .cloned()
        .or_else(|| all.get(known?));
    if let Some(object) = &object {
        pass.check_owner(object.as_ref())?;
    }
    let id = object.as_ref().map(|it| it.id().to_owned());
    match (object, id.or_else(|| known.map(ToOwned::to_owned))) {
        (Some(object), _) if !pass.is_asked() && !all.is_doubted(object.id()) => Ok(Some(Found {
            object,
            fresh: false,
        })),
        // A sweep that lacks the object is no proof of its absence, so it is asked for by id.
        (_, Some(id)) => read(pass, session, &all, &id).await,
        (_, None) => Ok(None),
    }
}

async fn read<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    all: &Observations<K::Observed>,
    id: &str,
) -> Result<Option<Found<K::Observed>>> {
    if let Some(object) = K::read(session, id).await? {
        pass.check_owner(&object)?;
        let object = all.put(object);
        return Ok(Some(Found {
            object,
            fresh: true,
        }));
    }
    let shown = all.deny(id);
    pass.note_missing(shown);
    Ok(None)
}

/// The object that the annotation names. Until it bears our mark, nobody else here may take it.
async fn adopted<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    all: &Observations<K::Observed>,
    id: &str,
) -> Result<Found<K::Observed>> {
    if let Some(known) = pass.known_id().filter(|known| *known != id) {
        return Err(Error::Invalid(format!(
            "the annotation `aep-operator.io/external-id` names {id}, but this resource stands for {known} already: \
             remove the annotation, or create a new resource for {id}"
        )));
    }
    let is_settled = |mark: &Mark| !pass.is_abandoned(mark);
    let seen = all.get(id).filter(|it| it.mark().is_some_and(is_settled));
    let found = if let Some(object) = seen.filter(|_| !pass.is_asked() && !all.is_doubted(id)) {
        Found {
            object,
            fresh: false,
        }
    } else {
        let object = K::read(session, id).await?.ok_or_else(|| {
            Error::Invalid(format!(
                "the annotation `aep-operator.io/external-id` names {id}, which does not exist at Adobe: correct it, \
                 or remove it to have a new object created"
            ))
        })?;
        Found {
            object: all.put(object),
            fresh: true,
        }
    };
    // Named on purpose, what a custom resource left behind that is gone may be taken over.
    let mark = found.object.mark();
    if !mark.is_some_and(|mark| pass.is_abandoned(mark) && pass.is_settled_in()) {
        pass.check_owner(found.object.as_ref())?;
    }
    pass.take(all, found.object.as_ref())?;
    Ok(found)
}
