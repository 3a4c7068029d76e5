//! Everything that a decision rests on, gathered before it: what the custom resource says, what the process remembers, what
//! is known of Adobe, and what this reconcile has learned so far.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::api::Kind;
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::mark::Mark;
use crate::engine::planned::Planned;
use crate::engine::registry::Refusal;
use crate::engine::verdict::Retry;

/// Everything that a decision rests on.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts, each of them independent of the others"
)]
pub struct View<'v, P: Planned> {
    /// The mark of this resource in its first revision.
    pub claim: Mark,
    /// The id in its status.
    pub known_id: Option<String>,
    /// The ids of other objects in its status, which are to be deleted.
    pub obsolete: Vec<String>,
    /// The ids in its status of what its object is made of.
    pub parts: Vec<String>,
    /// The revision in its status that the next replacement gets.
    pub next_revision: Option<u32>,
    /// The id in its annotation.
    pub external_id: Option<String>,
    /// Whether a fresh look was requested that was not taken yet.
    pub requested: bool,
    /// Whether it carries our finalizer.
    pub has_finalizer: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether an object of the same name without an owner may be adopted.
    pub adopts: bool,
    /// Whether an object that cannot be changed in place may be replaced.
    pub replaces: bool,
    /// Whether Adobe had what this very spec says: what differs now was not made to differ by an edit.
    pub was_synced: bool,
    /// Whether its Sandbox has been ready for long, so that a resource that does not exist is gone for good.
    pub established: bool,
    /// What Adobe refused, as long as nothing has changed since.
    pub refusal: Option<Refusal>,
    /// Whether the whole sandbox was looked at since the object is missing.
    pub checked: bool,
    /// Why nothing may be created, where nearly everything in the sandbox is gone and somebody has to approve.
    pub unapproved: &'v dyn Fn() -> Option<Error>,
    /// How long until a list is conclusive about a create that may have taken effect, if there was one.
    pub unknown_create: Option<Duration>,
    /// A kind that may use the object, and of which not everything was listed yet.
    pub unlisted_user: Option<Kind>,
    /// The objects that carry the claim, by precedence.
    pub claimed: Vec<Arc<P::Held>>,
    /// An object at Adobe by its id, as far as it is known.
    pub object: &'v dyn Fn(&str) -> Option<Arc<P::Held>>,
    /// Whether an object must be read before anything is decided.
    pub is_stale: &'v dyn Fn(&str) -> bool,
    /// Whether Adobe did not keep the mark that we wrote on an object.
    pub is_cut: &'v dyn Fn(&str) -> bool,
    /// Whether we deleted an object a moment ago.
    pub is_forgotten: &'v dyn Fn(&str) -> bool,
    /// Whether the custom resource exists that a mark names.
    pub exists: &'v dyn Fn(&Mark) -> bool,
    /// The custom resource whose object at Adobe uses this one.
    pub user: &'v dyn Fn(&str) -> Option<String>,
    /// What Adobe should hold, with a mark of this revision; `None` until the spec was dereferenced.
    pub desired: Option<&'v dyn Fn(u32) -> Result<Arc<P::Desired>>>,
    /// What this reconcile has learned and done so far.
    pub progress: &'v Progress<P>,
}

/// What one reconcile has learned and done so far.
#[derive(Debug)]
pub struct Progress<P: Planned> {
    /// The object that the resource stands for, once that is decided.
    pub current: Option<Arc<P::Held>>,
    /// Whether the finalizer was written.
    pub finalizer: bool,
    /// Objects that were read or written in this reconcile.
    pub fresh: HashSet<String>,
    /// Objects that a read did not find.
    pub denied: HashSet<String>,
    /// What a search found, and the revision it was for.
    pub found: Option<(u32, Vec<P::Held>)>,
    /// Whether a list was taken on purpose.
    pub listed: bool,
    /// Whether such a list failed where it was not needed for more than tidying up.
    pub list_failed: bool,
    /// Objects that a read did not find, and that are not merely hidden by an access label.
    pub not_hidden: HashSet<String>,
    /// Objects that were deleted, or that are gone or not ours any more.
    pub done: HashSet<String>,
    /// Replaced objects that Adobe does not let go yet.
    pub retained: HashSet<String>,
}

impl<P: Planned> Default for Progress<P> {
    fn default() -> Self {
        Self {
            current: None,
            finalizer: false,
            fresh: HashSet::new(),
            denied: HashSet::new(),
            found: None,
            listed: false,
            list_failed: false,
            not_hidden: HashSet::new(),
            done: HashSet::new(),
            retained: HashSet::new(),
        }
    }
}

/// The next step of a reconcile.
#[derive(Debug)]
pub enum Step<P: Planned> {
    /// Nothing is left to do; come back then, if at all.
    Done(Option<Retry>),
    /// Look up what the spec names.
    Dereference,
    /// Read one object.
    Read(String),
    /// Look for the object of this revision by name or tag.
    Find(u32),
    /// List everything of the kind; `required` unless it only serves to tidy up.
    List {
        /// Whether a failure ends the reconcile.
        required: bool,
    },
    /// Ask whether an object that a read did not find is merely hidden.
    Probe(String),
    /// Take this object as the one that the resource stands for.
    Take(Arc<P::Held>, Origin),
    /// Write the finalizer.
    AddFinalizer,
    /// Draw the revision of a replacement, and write it into the status.
    Reserve,
    /// Write into the status that this object is ours, and to be deleted.
    Record(String),
    /// Create the object of this revision; the text says what it is replaced for, if it is.
    Create(u32, Option<String>),
    /// Change the object.
    Update(P::Change),
    /// Delete an object that was replaced, or that was to replace the present one before the spec went back.
    Retire(String),
    /// Delete the object, since the resource is deleted.
    Delete(String),
    /// Stop for this reason; its verdict says what follows.
    Stop(Error),
}

/// How the object was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the one that status, annotation or mark names.
    Known,
    /// A create had no answer, and this is what it created.
    Recovered,
    /// It carried no mark.
    Adopted,
}

impl<P: Planned> View<'_, P> {
    /// The revision of the present object, or of the first one.
    pub fn revision(&self) -> u32 {
        let mark = self.progress.current.as_ref().and_then(|it| it.mark());
        let ours = mark.filter(|mark| mark.claim() == self.claim);
        ours.map_or(1, Mark::revision)
    }

    /// A replacement whose create brought no answer, or was followed by no status: it carries the revision that was drawn.
    pub fn begun(&self) -> Option<&Arc<P::Held>> {
        let revision = self.drawn()?;
        self.bearing(revision).next()
    }

    /// The revision that was drawn for the next replacement. Once several objects carry it, it tells nothing any more.
    pub fn drawn(&self) -> Option<u32> {
        let drawn = self.next_revision?;
        (self.bearing(drawn).count() < 2).then_some(drawn)
    }

    /// The objects that carry a revision and that the status does not name.
    fn bearing(&self, revision: u32) -> impl Iterator<Item = &Arc<P::Held>> {
        let mark = self.claim.at(revision);
        let known = self.known_id.as_deref();
        let claimed = self.claimed.iter();
        let unnamed =
            claimed.filter(move |it| Some(it.id()) != known && !self.is_obsolete(it.id()));
        unnamed.filter(move |it| it.mark() == Some(&mark))
    }

    /// Whether the status names the object as one that is to be deleted.
    pub fn is_obsolete(&self, id: &str) -> bool {
        self.obsolete.iter().any(|it| it == id)
    }

    /// Whether the object was read or written in this reconcile.
    pub fn is_fresh(&self, id: &str) -> bool {
        self.progress.fresh.contains(id)
    }

    /// Whether what is known of the object must be confirmed by a read.
    pub fn is_doubtful(&self, id: &str) -> bool {
        !self.is_fresh(id) && (self.requested || (self.is_stale)(id))
    }

    /// Whether a mark of this Sandbox names a custom resource of this namespace that does not exist.
    pub fn is_abandoned(&self, mark: &Mark) -> bool {
        mark.owner() == self.claim.owner()
            && mark.object().0 == self.claim.object().0
            && !(self.exists)(mark)
    }

    /// Fails if somebody else's mark is on the object.
    pub fn check_owner(&self, held: &P::Held) -> Result<()> {
        let Some(mark) = held.mark() else {
            return Ok(());
        };
        if mark.claim() == self.claim {
            return Ok(());
        }
        let id = held.id().to_owned();
        if self.is_abandoned(mark) {
            // Named on purpose, what a custom resource left behind that is gone may be adopted.
            let named = self.external_id.as_deref() == Some(held.id());
            if named && self.established {
                return Ok(());
            }
            let other = resource(mark);
            return Err(Error::Abandoned { id, other });
        }
        if mark.owner() == self.claim.owner() {
            let other = resource(mark);
            return Err(Error::AlreadyOwned { id, other });
        }
        let owner = mark.owner().to_owned();
        Err(Error::OwnedElsewhere { id, owner })
    }
}

/// Namespace and name of the custom resource that a mark names.
pub fn resource(mark: &Mark) -> String {
    let (namespace, name) = mark.object();
    format!("{namespace}/{name}")
}
