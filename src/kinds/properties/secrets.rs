//! The Secrets of a namespace where nothing else is.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::engine::{self, Key, Resources, SecretData};

/// The Secrets that a spec names; each key holds its own name.
pub(super) struct Secrets(BTreeMap<String, SecretData>);

impl Secrets {
    pub fn of(spec: &Value) -> Self {
        let mut secrets: BTreeMap<String, SecretData> = BTreeMap::new();
        let named = spec["auth"]["secretParams"].as_array();
        for secret in named.into_iter().flatten() {
            let reference = &secret["valueFrom"]["secretKeyRef"];
            let text = |field: &str| reference[field].as_str().unwrap_or_default().to_owned();
            let secret = secrets.entry(text("name")).or_default();
            secret.insert(text("key"), text("key").into());
        }
        Self(secrets)
    }
}

impl Resources for Secrets {
    fn get(&self, _: &Key) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    fn secret<'s>(
        &'s self,
        _: &'s str,
        name: &'s str,
    ) -> BoxFuture<'s, engine::Result<Arc<SecretData>>> {
        let secret = self.0.get(name).cloned().unwrap_or_default();
        Box::pin(async { Ok(Arc::new(secret)) })
    }

    fn check_secret(&self, _: &str, _: &str) -> engine::Result<()> {
        Ok(())
    }
}
