//! Our finalizer: the promise to clean up, written before the first create and therefore also the record of the intent.

use kube::Resource as _;
use kube::api::{Api, Patch, PatchParams};
use kube::core::Status;
use serde_json::json;

use super::context::Context;
use crate::api::{AepResource, FINALIZER};
use crate::engine::error::{Error, Result, is_conflict};
use crate::engine::parse::Stub;

/// Who writes metadata, in `managedFields`.
const MANAGER: &str = "aep-operator";
/// A conflict means that the cache trails behind: read afresh and try again, this often.
const ATTEMPTS: usize = 5;

/// Adds our finalizer, unless it is there.
pub async fn add<K: AepResource>(cx: &Context<'_, K>) -> Result<()> {
    if cx.is_finalized() {
        Ok(())
    } else {
        patch(cx, true).await
    }
}

/// Removes our finalizer; the resource may then go.
pub async fn remove<K: AepResource>(cx: &Context<'_, K>) -> Result<()> {
    patch(cx, false).await
}

async fn patch<K: AepResource>(cx: &Context<'_, K>, present: bool) -> Result<()> {
    // Nothing else of the object matters, and it may be more than can be read.
    let api: Api<Stub<K>> = Api::namespaced(cx.engine().client.clone(), cx.namespace());
    let params = PatchParams {
        field_manager: Some(MANAGER.into()),
        ..PatchParams::default()
    };
    let mut object = cx.resource().meta().clone();
    for _ in 0..ATTEMPTS {
        let mut finalizers: Vec<_> = object
            .finalizers
            .iter()
            .flatten()
            .filter(|f| *f != FINALIZER)
            .cloned()
            .collect();
        if present {
            finalizers.push(FINALIZER.to_owned());
        }
        let metadata =
            json!({ "resourceVersion": object.resource_version, "finalizers": finalizers });
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        match api.patch(cx.name(), &params, &patch).await {
            Ok(patched) => {
                let version = patched.meta().resource_version.as_deref();
                let registry = &cx.engine().queues.registry;
                registry.wrote_finalizer(cx.identity(), version.filter(|_| present));
                cx.moved();
                return Ok(());
            }
            Err(error) if is_conflict(&error) => match api.get_opt(cx.name()).await? {
                Some(fresh) if fresh.meta().uid == object.uid => object = fresh.meta().clone(),
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

fn failure(message: &str, reason: &str, code: u16) -> Error {
    let status = Status::failure(message, reason).with_code(code);
    kube::Error::Api(Box::new(status)).into()
}
