//! The step that reads one object, alone or together with others.

use std::sync::Arc;

use super::work::Work;
use crate::engine::error::{Error, Result};
use crate::engine::held::Held;
use crate::engine::kind::{ManagedKind, Objects};
use crate::engine::sandbox::{AnyCollection as _, Turn};

impl<K: ManagedKind> Work<'_, '_, K> {
    pub(super) async fn read(&mut self, id: &str) -> Result<()> {
        if let Some(object) = self.read_together(id).await? {
            self.see(object);
            return Ok(());
        }
        if let Some(object) = K::Objects::read(&self.session, id).await? {
            if object.id() != id {
                let text = format!("Adobe calls {id} `{}`: use that id", object.id());
                return Err(Error::Invalid(text));
            }
            if !self.collection.has(id) {
                self.collection.count_read();
                self.enqueue_referrers();
            }
            let object = self.collection.index(|it| it.put(object));
            self.see(object);
            return Ok(());
        }
        self.collection.created.remove(id);
        let shown = self.collection.index(|it| it.not_found(id));
        self.progress.denied.insert(id.to_owned());
        if self.is_current(id) || self.cx.external_id().as_deref() != Some(id) {
            self.note_missing(id, shown);
        }
        Ok(())
    }

    /// Takes in what was read.
    fn see(&mut self, object: Arc<K::Held>) {
        self.progress.fresh.insert(object.id().to_owned());
        if self.is_current(object.id()) {
            self.progress.current = Some(object);
        }
    }

    /// Reads an object that was just created in one call with others; `None` if it was not, or if that does not show it.
    async fn read_together(&self, id: &str) -> Result<Option<Arc<K::Held>>> {
        let created = &self.collection.created;
        if !created.has(id) {
            return Ok(None);
        }
        let _one = created.reading.lock().await;
        match created.turn(id, K::Objects::TOGETHER) {
            Turn::Alone => return Ok(None),
            Turn::Done => {}
            Turn::With(ids) if ids.len() == 1 => return Ok(None),
            Turn::With(ids) => {
                let mut read = K::Objects::read_some(&self.session, &ids).await?;
                // What was written or deleted meanwhile is known better.
                read.retain(|it| created.has(it.id()));
                let shown: Vec<_> = read.iter().map(|it| it.id().to_owned()).collect();
                self.collection
                    .index(|index| read.into_iter().for_each(|it| drop(index.put(it))));
                created.have_read(&ids, &shown);
                if !shown.iter().any(|it| it == id) {
                    return Ok(None);
                }
            }
        }
        Ok(self.collection.index(|it| it.get(id)))
    }
}
