//! Creating an object exactly once, although Adobe has no idempotency keys and any answer may be lost.
//!
//! The finalizer is written before the first create, so an object that bears it may exist at Adobe even if nothing
//! else is known of it. Whenever that is in doubt, the object is looked for by its mark until listings cannot lag behind
//! any more, and only then created.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::doubt::Doubt;
use super::error::{Error, Result};
use super::kind::Kind;
use super::memory::Create;
use super::observations::Observed;
use super::pass::Pass;
use super::seen::precedence;
use super::session::Session;
use crate::api::AdoptionPolicy;

/// How often an object that may exist is looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Creates the object of the present revision, unless it is found again. `missing` is the id of one that should be there
/// and is not.
pub async fn create_or_recover<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    desired: &K::Desired,
    missing: Option<&str>,
) -> Result<Arc<K::Observed>> {
    let doubt = Doubt::about(pass);
    let adopt = pass.object().management().adoption_policy == AdoptionPolicy::IfUnowned;
    if doubt.is_some() || adopt || pass.is_hurried() {
        let found = K::find(session, desired).await?;
        contradicts(missing, found.iter())?;
        if let Some(object) = recovered(pass, session, found, desired, adopt)? {
            pass.add_finalizer().await?;
            return Ok(object);
        }
    }
    if let Some(doubt) = doubt {
        out_of_doubt::<K>(session, doubt, missing).await?;
        if let Some(object) = listed(pass, session, doubt, missing).await? {
            pass.add_finalizer().await?;
            return Ok(object);
        }
    }
    pass.add_finalizer().await?;
    create(pass, session, desired).await
}

/// Fails where a list shows what a read has denied: one of the two is wrong, and as long as that is so nothing is made.
fn contradicts<'o, O: Observed>(
    missing: Option<&str>,
    shown: impl IntoIterator<Item = &'o O>,
) -> Result<()> {
    match missing {
        Some(id) if shown.into_iter().any(|it| it.id() == id) => Err(Error::Missing {
            id: id.to_owned(),
            again: LOOK,
        }),
        _ => Ok(()),
    }
}

async fn create<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    desired: &K::Desired,
) -> Result<Arc<K::Observed>> {
    let created = doubted(pass, K::create(session, desired)).await?;
    pass.note("Created", format!("created {} at Adobe", created.id()));
    Ok(session.observations::<K::Observed>().put(created))
}

/// Awaits something that creates. Until a good answer is there, or a clear refusal, it may have been carried out.
pub async fn doubted<K: Kind, T>(
    pass: &Pass<'_, K>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let (memory, uid) = (&pass.engine().memory, pass.uid());
    let unsure = || Create::Unsure(Instant::now() + pass.engine().settings.request_timeout);
    // Should the pass be dropped before the answer is there, the doubt stays.
    memory.created(&uid, unsure());
    let done = work.await;
    let ambiguous = matches!(&done, Err(Error::Adobe(error)) if error.is_ambiguous());
    // It may have waited for its turn, so the time counts from now.
    let outcome = if ambiguous { unsure() } else { Create::Certain };
    memory.created(&uid, outcome);
    done
}

/// Ours among what was found: the oldest that bears the very mark, else, if the user allows it, a namesake that nobody
/// owns.
fn recovered<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    found: Vec<K::Observed>,
    desired: &K::Desired,
    adopt: bool,
) -> Result<Option<Arc<K::Observed>>> {
    let all = session.observations::<K::Observed>();
    let mark = pass.mark()?;
    let living = found.into_iter().filter(|it| !all.is_forgotten(it.id()));
    let (ours, others): (Vec<_>, Vec<_>) = living.partition(|it| it.mark() == Some(&mark));
    if let Some(object) = ours.into_iter().min_by_key(precedence) {
        if object.is_whole() {
            let memory = &pass.engine().memory;
            memory.created(&pass.uid(), Create::Certain);
        }
        pass.note("Recovered", format!("found {} at Adobe again", object.id()));
        return Ok(Some(all.put(object)));
    }
    let namesakes = others
        .into_iter()
        .filter(|it| adopt && it.mark().is_none() && K::is_namesake(desired, it));
    let mut namesakes: Vec<_> = namesakes.collect();
    if namesakes.len() > 1 {
        let ids: Vec<_> = namesakes.iter().take(5).map(Observed::id).collect();
        return Err(Error::Invalid(format!(
            "{} objects of that name belong to nobody ({}): name the one to take over in the annotation \
             `aep-operator.io/external-id`",
            namesakes.len(),
            ids.join(", ")
        )));
    }
    let Some(object) = namesakes.pop() else {
        return Ok(None);
    };
    pass.take(&all, &object)?;
    pass.note("Adopted", format!("took over {}", object.id()));
    Ok(Some(all.put(object)))
}

/// The object that bears the very mark, in a listing that began when it could not lag behind any more: its name may have
/// been another one when it was created.
async fn listed<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    doubt: Doubt,
    missing: Option<&str>,
) -> Result<Option<Arc<K::Observed>>> {
    let all = session.observations::<K::Observed>();
    doubt.resolve(pass, session, &all).await?;
    let found = all.marked_so(&pass.mark()?);
    if let Some(object) = &found {
        contradicts(missing, [object.as_ref()])?;
        pass.note("Recovered", format!("found {} at Adobe again", object.id()));
    }
    Ok(found)
}

/// Passes once listings cannot lag behind any more, and no other call tells that the object is still there.
async fn out_of_doubt<K: Kind>(
    session: &Session,
    doubt: Doubt,
    missing: Option<&str>,
) -> Result<()> {
    let left = doubt.left();
    if !left.is_zero() {
        let again = left.min(LOOK);
        return Err(match missing {
            Some(id) => Error::Missing {
                id: id.to_owned(),
                again,
            },
            None => Error::Unsure { again },
        });
    }
    match missing {
        Some(id) if K::is_hidden(session, id).await? => Err(Error::Hidden(id.to_owned())),
        _ => Ok(()),
    }
}
