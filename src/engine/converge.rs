//! From what is to what should be, for any kind that owns an object at Adobe; and back to nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::condition::{Outcome, explain};
use super::error::{Error, Result};
use super::kind::{Kind, Plan};
use super::memory::Create;
use super::observations::Observed;
use super::pass::Pass;
use super::session::Session;
use crate::adobe::Class;
use crate::api::DeletionPolicy;

/// A kind takes a handful of steps at most; more means that two of them undo each other.
const STEPS: usize = 64;

/// Brings Adobe to what the spec says; gives the status to write.
pub async fn converge<K: Kind>(pass: &Pass<'_, K>) -> Result<K::Status> {
    let desired = pass.object().resolve(pass).await?;
    let session = pass.session()?;
    let all = session.observations::<K::Observed>();
    all.first_sweep(|| K::list(&session)).await?;
    let (mut observed, mut fresh) = match look::<K>(pass, &session).await? {
        Some(found) => (found, false),
        None => (create_or_recover(pass, &session, &desired).await?, true),
    };
    for step in 0..STEPS {
        let change = match K::plan(&desired, &observed)? {
            Plan::Keep => return Ok(settled::<K>(pass, &desired, &observed)),
            Plan::Replace(what) => return Err(Error::ReplaceRequired(what)),
            Plan::Change(_) if !fresh => {
                observed = reread::<K>(&session, &observed).await?;
                fresh = true;
                continue;
            }
            Plan::Change(change) => change,
        };
        if step == 0 {
            progress(pass, &desired, &observed).await?;
        }
        let text = format!("{change:?}");
        observed = all.put(K::update(&session, &desired, &observed, change).await?);
        pass.note("Updated", format!("updated {} at Adobe", observed.id()));
        tracing::debug!(kind = %K::KIND, name = pass.name(), change = text, "updated");
    }
    Err(Error::Invalid(
        "the object does not settle at Adobe: two of its fields seem to exclude each other".into(),
    ))
}

/// What the last sweep saw of our object, or a fresh read if the user asks for one.
async fn look<K: Kind>(pass: &Pass<'_, K>, session: &Session) -> Result<Option<Arc<K::Observed>>> {
    let all = session.observations::<K::Observed>();
    let found = all.find(pass.known_id(), &pass.mark()?);
    let requested = pass.requested();
    let asked = requested.is_some() && requested != pass.common().last_handled_request;
    let id = found
        .as_ref()
        .map(|o| o.id().to_owned())
        .or_else(|| pass.known_id().map(ToOwned::to_owned));
    match (found, id) {
        (Some(found), _) if !asked => Ok(Some(found)),
        // A sweep that lacks the object is no proof of its absence, so it is asked for by id.
        (_, Some(id)) => {
            let read = K::read(session, &id).await?.map(|object| all.put(object));
            if read.is_none() {
                all.forget(&id);
            }
            Ok(read)
        }
        (_, None) => Ok(None),
    }
}

async fn reread<K: Kind>(session: &Session, observed: &K::Observed) -> Result<Arc<K::Observed>> {
    let all = session.observations::<K::Observed>();
    if let Some(object) = K::read(session, observed.id()).await? {
        return Ok(all.put(object));
    }
    all.forget(observed.id());
    let again = Duration::from_secs(1);
    Err(Error::Unsure { again })
}

/// Creates the object, once. When a create may have happened before, looks for its object first.
async fn create_or_recover<K: Kind>(
    pass: &Pass<'_, K>,
    session: &Session,
    desired: &K::Desired,
) -> Result<Arc<K::Observed>> {
    let (memory, uid, all) = (
        &pass.engine().memory,
        pass.uid(),
        session.observations::<K::Observed>(),
    );
    if let Some(since) = unsure_since(pass) {
        if let Some(found) = oldest_of_ours(pass, K::find(session, desired).await?)? {
            pass.note("Recovered", format!("found {} at Adobe again", found.id()));
            return Ok(all.put(found));
        }
        let lag = pass.engine().settings.list_lag;
        if since.elapsed() < lag {
            return Err(Error::Unsure {
                again: lag
                    .saturating_sub(since.elapsed())
                    .min(Duration::from_secs(2)),
            });
        }
    }
    pass.add_finalizer().await?;
    memory.created(&uid, Some(Create::Unsure(Instant::now())));
    match K::create(session, desired).await {
        Ok(created) => {
            memory.created(&uid, Some(Create::Refused));
            pass.note("Created", format!("created {} at Adobe", created.id()));
            Ok(all.put(created))
        }
        Err(error) => {
            let unsure = matches!(&error, Error::Adobe(e) if e.is_ambiguous());
            let outcome = if unsure {
                Create::Unsure(Instant::now())
            } else {
                Create::Refused
            };
            memory.created(&uid, Some(outcome));
            Err(error)
        }
    }
}

/// Since when an object of ours may exist without our knowing its id. The finalizer is written before every create, so
/// one that this process did not write tells that an earlier process may have created the object.
fn unsure_since<K: Kind>(pass: &Pass<'_, K>) -> Option<Instant> {
    match pass.engine().memory.last_create(&pass.uid()) {
        Some(Create::Refused) => None,
        Some(Create::Unsure(since)) => Some(since),
        None => pass.has_finalizer().then_some(pass.engine().started),
    }
}

fn oldest_of_ours<K: Kind>(
    pass: &Pass<'_, K>,
    found: Vec<K::Observed>,
) -> Result<Option<K::Observed>> {
    let mark = pass.mark()?;
    let ours = found.into_iter().filter(|o| o.mark() == Some(&mark));
    Ok(ours.min_by_key(|o| o.created().unwrap_or(i64::MAX)))
}

/// Records the id of a new object before more steps are taken: whatever happens to them, it is not lost.
async fn progress<K: Kind>(
    pass: &Pass<'_, K>,
    desired: &K::Desired,
    observed: &K::Observed,
) -> Result<()> {
    if pass.known_id() == Some(observed.id()) {
        return Ok(());
    }
    let mut status = recorded::<K>(pass, desired, observed);
    explain(
        status.as_mut(),
        pass.object().meta().generation,
        &Outcome::Progressing,
    );
    pass.write_status(&status, false).await
}

fn settled<K: Kind>(pass: &Pass<'_, K>, desired: &K::Desired, observed: &K::Observed) -> K::Status {
    let mut status = recorded::<K>(pass, desired, observed);
    status.as_mut().last_handled_request = pass.requested();
    status
}

fn recorded<K: Kind>(
    pass: &Pass<'_, K>,
    desired: &K::Desired,
    observed: &K::Observed,
) -> K::Status {
    let mut status = pass.status().clone();
    status.as_mut().id = Some(observed.id().to_owned());
    K::record(desired, observed, &mut status);
    status
}

/// Deletes the object at Adobe, if it is ours and the policy says so.
pub async fn clean_up<K: Kind>(pass: &Pass<'_, K>) -> Result<()> {
    if pass.object().management().deletion_policy == DeletionPolicy::Orphan {
        pass.note(
            "Released",
            "left at Adobe, as `deletionPolicy: Orphan` says".into(),
        );
        return Ok(());
    }
    let session = pass.session()?;
    let all = session.observations::<K::Observed>();
    all.first_sweep(|| K::list(&session)).await?;
    let Some(observed) = look::<K>(pass, &session).await? else {
        return nothing_left(pass);
    };
    let mark = pass.mark()?;
    if observed.mark().is_some_and(|other| *other != mark) {
        pass.note(
            "Released",
            format!(
                "{} bears another owner's mark: left at Adobe",
                observed.id()
            ),
        );
        return Ok(());
    }
    K::delete(&session, &observed)
        .await
        .map_err(explain_refusal)?;
    all.forget(observed.id());
    pass.note("Deleted", format!("deleted {} at Adobe", observed.id()));
    Ok(())
}

/// A create that may have happened, and whose object is not to be seen yet, must be waited for.
fn nothing_left<K: Kind>(pass: &Pass<'_, K>) -> Result<()> {
    let lag = pass.engine().settings.list_lag;
    match unsure_since(pass).map(|since| since.elapsed()) {
        Some(age) if age < lag && pass.known_id().is_none() => Err(Error::Unsure {
            again: lag.saturating_sub(age),
        }),
        _ => Ok(()),
    }
}

fn explain_refusal(error: Error) -> Error {
    match error {
        Error::Adobe(refusal) if *refusal.class() == Class::InUse => {
            Error::InUse(refusal.to_string())
        }
        other => other,
    }
}
