//! From what is to what should be, for any kind that owns an object at Adobe.

use std::sync::Arc;
use std::time::Duration;

use super::clean_up::still_ours;
use super::condition::{Outcome, explain};
use super::create::{create_or_recover, doubted};
use super::doubt::Doubt;
use super::error::{Error, Result, Retry};
use super::kind::{Kind, Plan};
use super::locate::{look, swept};
use super::mark::Mark;
use super::observations::{Observations, Observed};
use super::pass::Pass;
use super::session::Session;
use crate::adobe::Class;
use crate::api::ReplacePolicy;

/// A kind takes a handful of steps at most; more means that two of them undo each other.
const STEPS: usize = 64;

/// How often it is looked again whether something is to be tidied up, where that could not be told.
const TIDYING: Duration = Duration::from_secs(60);

/// Brings Adobe to what the spec says and notes in the status what is there, whatever becomes of the pass. Gives when to
/// come back although all is well, if something remains to be tidied up.
pub async fn converge<K: Kind>(
    pass: &Pass<'_, K>,
    status: &mut K::Status,
) -> Result<Option<Retry>> {
    let converged = bring_about(pass, status).await;
    converged.map_err(|error| match pass.patience() {
        Some(again) if error.is_refusal() => Error::TooEarly {
            refusal: error.to_string(),
            again,
        },
        _ => error,
    })
}

async fn bring_about<K: Kind>(pass: &Pass<'_, K>, status: &mut K::Status) -> Result<Option<Retry>> {
    let session = pass.session()?;
    let _turn = pass.turn(&session)?;
    swept(pass, &session).await?;
    let found = look::<K>(pass, &session).await?;
    if found.is_none() {
        pass.not_refused()?;
    }
    if let Some(mark) = found.as_ref().and_then(|found| found.object.mark()) {
        pass.revise(mark.revision());
    }
    let desired = pass.object().resolve(pass).await?;
    if found.is_some() {
        // What was found again or adopted must be deleted one day, too.
        pass.add_finalizer().await?;
    }
    let (observed, fresh) = if let Some(found) = found {
        (found.object, found.fresh)
    } else {
        let missing = pass.known_id();
        let made = create_or_recover(pass, &session, &desired, missing).await?;
        (made, true)
    };
    let mut work = Work {
        pass,
        session: &session,
        status,
        desired,
        observed,
        fresh,
    };
    work.record();
    work.settle().await?;
    work.status.as_mut().last_handled_request = pass.requested();
    work.retire_the_others().await
}

/// One object on its way.
struct Work<'w, 'p, K: Kind> {
    pass: &'w Pass<'p, K>,
    session: &'w Session,
    status: &'w mut K::Status,
    desired: K::Desired,
    observed: Arc<K::Observed>,
    /// Whether `observed` was read or written in this pass.
    fresh: bool,
}

impl<K: Kind> Work<'_, '_, K> {
    fn record(&mut self) {
        K::record(&self.desired, &self.observed, self.status);
        if self.observed.is_whole() {
            self.status.as_mut().id = Some(self.observed.id().to_owned());
        }
    }

    async fn settle(&mut self) -> Result<()> {
        for _ in 0..STEPS {
            match K::plan(&self.desired, &self.observed)? {
                Plan::Keep => return Ok(()),
                Plan::Replace(_) if self.go_on_to_the_next().await? => {}
                Plan::Replace(what) if !self.is_replaceable() => {
                    return Err(Error::ReplaceRequired(what));
                }
                step => self.take(step).await?,
            }
            self.record();
        }
        Err(Error::Invalid(
            "the object does not settle at Adobe: two of its fields seem to exclude each other"
                .into(),
        ))
    }

    async fn take(&mut self, step: Plan<K::Change>) -> Result<()> {
        self.pass.not_refused()?;
        match step {
            Plan::Keep => Ok(()),
            Plan::Change(change) if K::makes(&change) && self.is_in_doubt().await? => Ok(()),
            _ if !self.fresh => self.reread().await,
            Plan::Wait(state) => Err(Error::Settling(state)),
            Plan::Replace(what) => self.replace(&what).await,
            Plan::Change(change) => self.update(change).await,
        }
    }

    /// What bears no mark, or another one, is not ours to be replaced.
    fn is_replaceable(&self) -> bool {
        let ours = self
            .pass
            .mark()
            .is_ok_and(|mark| self.observed.mark() == Some(&mark));
        ours && self.pass.object().replace_policy() == ReplacePolicy::Recreate
    }

    /// Whether what is to be made may have been made already. Then a listing tells, as soon as it cannot lag behind.
    async fn is_in_doubt(&mut self) -> Result<bool> {
        let Some(doubt) = Doubt::about(self.pass) else {
            return Ok(false);
        };
        let all = self.session.observations::<K::Observed>();
        doubt.end(self.pass, self.session, &all).await?;
        let listed = all.marked_so(&self.pass.mark()?);
        if let Some(listed) = listed.or_else(|| all.get(self.observed.id())) {
            self.observed = listed;
            self.fresh = false;
        }
        Ok(true)
    }

    async fn reread(&mut self) -> Result<()> {
        let all = self.session.observations::<K::Observed>();
        let Some(object) = K::read(self.session, self.observed.id()).await? else {
            let shown = all.deny(self.observed.id());
            return Err(self.pass.missing(self.observed.id(), shown));
        };
        self.observed = all.put(object);
        self.fresh = true;
        self.pass.check_owner(self.observed.as_ref())
    }

    async fn update(&mut self, change: K::Change) -> Result<()> {
        self.note_progress().await?;
        let all = self.session.observations::<K::Observed>();
        tracing::debug!(?change, "updating");
        let makes = K::makes(&change);
        let update = K::update(self.session, &self.desired, &self.observed, change);
        let updated = if makes {
            doubted(self.pass, update).await
        } else {
            update.await
        };
        if let Err(Error::Adobe(error)) = &updated
            && (error.is_ambiguous() || *error.class() == Class::Stale)
            && !makes
        {
            // Whether it was carried out, or by whom it was changed, only a fresh look can tell.
            all.doubt(self.observed.id());
        }
        let updated = updated?;
        if updated.id() != self.observed.id() {
            // What an interrupted create had left behind has become part of something larger.
            all.forget(self.observed.id());
        }
        self.observed = all.put(updated);
        let text = format!("updated {} at Adobe", self.observed.id());
        self.pass.note("Updated", text);
        Ok(())
    }

    /// A replacement that was begun before is gone on with.
    async fn go_on_to_the_next(&mut self) -> Result<bool> {
        let all = self.session.observations::<K::Observed>();
        let mark = self.pass.mark()?;
        let claimed = all.claimed(&mark.claim());
        let revision = |it: &K::Observed| it.mark().map_or(0, Mark::revision);
        let mut later = claimed
            .into_iter()
            .filter(|it| revision(it) > mark.revision());
        let Some(next) = later.next() else {
            return Ok(false);
        };
        self.pass.revise(revision(&next));
        let desired = self.pass.object().resolve(self.pass).await?;
        let fits = !matches!(K::plan(&desired, &next), Ok(Plan::Replace(_)));
        if !fits && self.pass.object().replace_policy() == ReplacePolicy::Never {
            self.pass.revise(mark.revision());
            return Ok(false);
        }
        self.desired = desired;
        self.observed = next;
        self.fresh = false;
        Ok(true)
    }

    /// Makes the object that takes the present one's place; the present one stays until it is no longer used.
    async fn replace(&mut self, what: &str) -> Result<()> {
        let old = self.observed.id().to_owned();
        self.pass
            .revise(self.pass.mark()?.revision().saturating_add(1));
        self.desired = self.pass.object().resolve(self.pass).await?;
        self.observed = create_or_recover(self.pass, self.session, &self.desired, None).await?;
        let text = format!(
            "{} takes the place of {old}, for the sake of {what}",
            self.observed.id()
        );
        self.pass.note("Replaced", text);
        Ok(())
    }

    /// Records the id of a new object before more steps are taken: whatever happens to them, it is not lost.
    async fn note_progress(&mut self) -> Result<()> {
        let told = self.pass.known_id() == Some(self.observed.id());
        if told || !self.observed.is_whole() || self.pass.has_written() {
            return Ok(());
        }
        let generation = self.pass.object().meta().generation;
        explain(self.status.as_mut(), generation, &Outcome::Progressing);
        self.pass.write_status(self.status, false).await
    }

    /// Deletes what was replaced, and what was to take its place before the spec went back, as soon as Adobe lets it go.
    async fn retire_the_others(&mut self) -> Result<Option<Retry>> {
        let all = self.session.observations::<K::Observed>();
        let mut remains = self.look_for_others(&all).await;
        let mark = self.pass.mark()?;
        let mut others = all.claimed(&mark.claim());
        others.retain(|it| it.mark().is_some_and(|its| *its != mark));
        if !others.is_empty() && !self.fresh {
            // Nothing else is given up before it is sure that this one is there.
            self.reread().await?;
        }
        for object in others {
            if let Some(user) = self.pass.user_at_adobe(self.session, object.id()) {
                tracing::debug!(id = object.id(), user, "still used");
                remains = Some(Retry::Backoff);
                continue;
            }
            self.note_progress().await?;
            let Some(object) = still_ours::<K>(self.pass, self.session, object.id()).await? else {
                all.deny(object.id());
                continue;
            };
            match K::retire(self.session, &object).await {
                Ok(()) => {
                    all.forget(object.id());
                    let text = format!("deleted {}, which was replaced", object.id());
                    self.pass.note("Deleted", text);
                    self.pass.revisit_references();
                }
                Err(error) => {
                    tracing::debug!(id = object.id(), %error, "still needed");
                    remains = Some(Retry::Backoff);
                }
            }
        }
        Ok(remains)
    }

    /// A replacement that brought no answer, and that the spec no longer asks for, may be there all the same.
    async fn look_for_others(&self, all: &Observations<K::Observed>) -> Option<Retry> {
        let doubt = Doubt::about(self.pass)?;
        let left = doubt.left();
        if !left.is_zero() {
            return Some(Retry::After(left));
        }
        // The object itself is as it should be, whatever the listing says.
        let resolved = doubt.resolve(self.pass, self.session, all).await;
        resolved.is_err().then_some(Retry::After(TIDYING))
    }
}
