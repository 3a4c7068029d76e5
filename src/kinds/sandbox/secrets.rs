//! The secrets that base connections of a sandbox name: recognised in Adobe's words from the beginning, although an earlier
//! process sent them.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream;
use kube::ResourceExt;

use crate::adobe::Adobe;
use crate::api::{AepResource, BaseConnection, Sandbox};
use crate::engine::Context;

/// So many Secrets are read at a time.
const READS: usize = 8;

/// Has all of them redacted. Those that cannot be read are learned when they are used.
pub(super) async fn learn(cx: &Context<'_, Sandbox>, adobe: &Adobe) {
    let Some(connections) = cx.engine().queues.store::<BaseConnection>() else {
        return;
    };
    let connections = connections.state().into_iter().filter(|it| {
        it.namespace().as_deref() == Some(cx.namespace())
            && it.management().sandbox_ref.name == cx.name()
    });
    let params = connections.flat_map(|it| {
        let auth = it.spec.auth.iter();
        let params = auth.flat_map(|auth| &auth.secret_params);
        let keys = params.map(|it| &it.value_from.secret_key_ref);
        let keys = keys.map(|it| (it.name.clone(), it.key.clone()));
        keys.collect::<Vec<_>>()
    });
    let params: BTreeSet<_> = params.collect();
    let learn = |(name, key): (String, String)| async move {
        let data = cx.lookup().secret(&name).await;
        if let Some(value) = data.ok().and_then(|it| it.get(&key).cloned()) {
            adobe.redactor().learn(&name, &key, &value);
        }
    };
    stream::iter(params).for_each_concurrent(READS, learn).await;
}
