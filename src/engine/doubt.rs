//! Whether there may be something at Adobe that we do not know of, since a create may have been carried out although no
//! answer told so, and from when on listings tell for sure.

use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::kind::Kind;
use super::memory::Create;
use super::observations::Observations;
use super::pass::Pass;
use super::session::Session;
use crate::api::condition_types::READY;
use crate::api::{ConditionStatus, ReplacePolicy};

/// A create that may have been carried out.
#[derive(Clone, Copy, Debug)]
pub struct Doubt {
    /// From then on a listing shows what came of it.
    certain: Instant,
}

impl Doubt {
    /// What is in doubt about an object, if anything is.
    pub fn about<K: Kind>(pass: &Pass<'_, K>) -> Option<Self> {
        let settings = &pass.engine().settings;
        let last = match pass.engine().memory.last_create(&pass.uid()) {
            Some(Create::Certain) => return None,
            Some(Create::Unsure(last)) => last,
            // What an earlier process sent was on its way when this one started.
            None => may_have_sent(pass).then(|| pass.engine().all_arrived())?,
        };
        let certain = last + settings.list_lag;
        Some(Self { certain })
    }

    /// How long it lasts still.
    pub fn left(self) -> Duration {
        self.certain.saturating_duration_since(Instant::now())
    }

    /// Fails as long as it lasts, and then [resolves](Self::resolve) it.
    pub async fn end<K: Kind>(
        self,
        pass: &Pass<'_, K>,
        session: &Session,
        all: &Observations<K::Observed>,
    ) -> Result<()> {
        match self.left() {
            Duration::ZERO => self.resolve(pass, session, all).await,
            again => Err(Error::Unsure { again }),
        }
    }

    /// Lists everything, unless that was done since the doubt could be resolved. Then what is there is known.
    pub async fn resolve<K: Kind>(
        self,
        pass: &Pass<'_, K>,
        session: &Session,
        all: &Observations<K::Observed>,
    ) -> Result<()> {
        all.sweep_after(self.certain, || K::list(session)).await?;
        let memory = &pass.engine().memory;
        memory.created(&pass.uid(), Create::Certain);
        Ok(())
    }
}

/// Whether an earlier process may have sent a create of which nothing tells but the finalizer: the first one, one in the
/// place of an object that was missing, or where an object is replaced or made of parts, a later one.
fn may_have_sent<K: Kind>(pass: &Pass<'_, K>) -> bool {
    let ready = pass.common().condition(READY);
    let settled = ready.is_some_and(|it| it.status == ConditionStatus::True);
    let more = K::HAS_PARTS || pass.object().replace_policy() == ReplacePolicy::Recreate;
    pass.has_finalizer() && (more || !settled || pass.known_id().is_none())
}
