//! Our finalizer: the promise to clean up, written before the first create and therefore also the record of the intent.

use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kube::core::Status;
use serde_json::json;

use super::error::{Error, Result, is_conflict};
use super::pass::Pass;
use crate::api::{AepResource, FINALIZER};

/// Who writes metadata, as `managedFields` tells it.
const MANAGER: &str = "aep-operator";
/// A conflict means that the cache trails behind: read afresh and try again, this often.
const ATTEMPTS: usize = 5;

impl<K: AepResource> Pass<'_, K> {
    /// Whether the object bears our finalizer.
    pub(super) fn has_finalizer(&self) -> bool {
        self.object().finalizers().iter().any(|f| f == FINALIZER)
    }

    /// Adds our finalizer, unless it is there.
    pub async fn add_finalizer(&self) -> Result<()> {
        if self.has_finalizer() {
            Ok(())
        } else {
            self.patch_finalizers(true).await
        }
    }

    /// Removes our finalizer; the object may then go.
    pub(super) async fn remove_finalizer(&self) -> Result<()> {
        self.patch_finalizers(false).await
    }

    async fn patch_finalizers(&self, present: bool) -> Result<()> {
        let api: Api<K> = Api::namespaced(self.engine().client.clone(), self.namespace());
        let params = PatchParams {
            field_manager: Some(MANAGER.into()),
            ..PatchParams::default()
        };
        let mut object = self.object().as_ref().clone();
        for _ in 0..ATTEMPTS {
            let mut finalizers: Vec<_> = object
                .finalizers()
                .iter()
                .filter(|f| *f != FINALIZER)
                .cloned()
                .collect();
            if present {
                finalizers.push(FINALIZER.to_owned());
            }
            let metadata =
                json!({ "resourceVersion": object.resource_version(), "finalizers": finalizers });
            let patch = Patch::Merge(json!({ "metadata": metadata }));
            match api.patch_metadata(&self.name(), &params, &patch).await {
                Ok(_) => return Ok(()),
                Err(error) if is_conflict(&error) => match api.get_opt(&self.name()).await? {
                    Some(fresh) if fresh.uid() == object.uid() => object = fresh,
                    // Nothing may be created for an object that is gone: nobody would ever delete it.
                    _ if present => return Err(failure("the object is gone", "NotFound", 404)),
                    _ => return Ok(()),
                },
                Err(kube::Error::Api(status)) if status.code == 404 && !present => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(failure("the object keeps changing", "Conflict", 409))
    }
}

fn failure(message: &str, reason: &str, code: u16) -> Error {
    let status = Status::failure(message, reason).with_code(code);
    kube::Error::Api(Box::new(status)).into()
}
