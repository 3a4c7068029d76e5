//! What the status says of replacements: what may be deleted is written there first.

use super::work::Work;
use crate::api::CommonStatus;
use crate::engine::error::Result;
use crate::engine::held::Held;
use crate::engine::kind::ManagedKind;
use crate::engine::mark::Mark;

/// How far apart the revisions of two replacements are at most.
const STRIDE: u32 = 1 << 20;

/// Notes that an object takes the place of the present one, if there is one, which is to be deleted.
pub fn succeed<H: Held>(status: &mut CommonStatus, old: Option<&str>, next: &H) {
    let drawn = status.next_revision;
    if drawn.is_some() && next.mark().map(|it| it.revision().into()) == drawn {
        status.next_revision = None;
    }
    if let Some(old) = old.filter(|old| *old != next.id()) {
        status.obsolete_ids.retain(|id| id != next.id());
        status.obsolete_ids.push(old.to_owned());
    }
}

impl<K: ManagedKind> Work<'_, '_, K> {
    /// An object takes the place of the present one, if there is one.
    pub(super) fn succeed(&mut self, next: &K::Held) {
        let old = self.progress.current.as_ref().map(|it| it.id().to_owned());
        succeed(self.report.status.as_mut(), old.as_deref(), next);
        if old.is_some_and(|old| old != next.id()) {
            self.name_in_status(next.id());
        }
    }

    /// Writes an id into the status. If there was another, all else in it tells of that object.
    pub(super) fn name_in_status(&mut self, id: &str) {
        let status = &mut self.report.status;
        let former = status.as_ref().id.as_deref();
        if former.is_some_and(|it| it != id) {
            let common = std::mem::take(status.as_mut());
            *status = K::Status::default();
            *status.as_mut() = common;
        }
        status.as_mut().id = Some(id.to_owned());
    }

    /// Draws the revision of a replacement, and has it written before the object is created: what carries it is ours, even if
    /// the answer is lost, and nobody can have given it to an object before.
    pub(super) async fn reserve(&mut self) -> Result<()> {
        let present = self.progress.current.as_ref().and_then(|it| it.mark());
        let present = present.map_or(1, Mark::revision);
        let step = rand::random_range(1..=STRIDE);
        let next = present.checked_add(step).unwrap_or(1 + step);
        self.report.status.as_mut().next_revision = Some(next.into());
        self.report.try_write(self.cx, false).await
    }

    /// Has it written that an object is ours and to be deleted, before it is: should the process end meanwhile, no copy takes
    /// its place.
    pub(super) async fn record_obsolete(&mut self, id: String) -> Result<()> {
        let status = self.report.status.as_mut();
        status.next_revision = None;
        status.obsolete_ids.push(id);
        self.report.try_write(self.cx, false).await
    }

    /// It is gone, or not ours any more.
    pub(super) fn forget_obsolete(&mut self, id: &str) {
        let status = self.report.status.as_mut();
        status.obsolete_ids.retain(|it| it != id);
    }
}
