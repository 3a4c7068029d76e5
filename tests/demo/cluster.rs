//! Where the demo runs: a control plane of its own, or the one that `DEMO_KUBECONFIG` names.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use aep_control_plane::{ControlPlane, Options};
use aep_operator::api;
use aep_test_kit::cluster::{generate_namespace, install_crds};
use aep_test_kit::{name, sample};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};

/// A cluster with the CRDs and a namespace for the demo.
pub struct Cluster {
    pub client: Client,
    pub namespace: String,
    kubeconfig: PathBuf,
    control_plane: Option<ControlPlane>,
}

impl Cluster {
    /// Connects to, or starts, a cluster and prepares it.
    pub async fn connect() -> Result<Self> {
        let (client, kubeconfig, control_plane) =
            if let Some(file) = std::env::var_os("DEMO_KUBECONFIG") {
                let file = PathBuf::from(file);
                let config = aep_control_plane::config(&file).await?;
                (Client::try_from(config)?, file, None)
            } else {
                let own = ControlPlane::start(Options::default()).await?;
                (own.client(), own.kubeconfig().to_owned(), Some(own))
            };
        install_crds(&client).await?;
        let namespace = generate_namespace(&client, "aep-demo-").await?;
        Ok(Self {
            client,
            namespace,
            kubeconfig,
            control_plane,
        })
    }

    /// Any of our kinds, or Secrets.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        aep_test_kit::cluster::api(&self.client, &self.namespace, kind)
    }

    /// Applies a folder of samples, with the simulator's credentials in the place of `REPLACE_ME`.
    pub async fn apply(&self, folder: &str) -> Result<()> {
        let params = PatchParams::apply("demo").force();
        for object in sample(folder) {
            let ((kind, name), patch) = (name(&object), Patch::Apply(&object));
            let applied = self.api(kind).patch(name, &params, &patch).await;
            applied.with_context(|| format!("cannot apply {kind}/{name}"))?;
        }
        Ok(())
    }

    /// The command that shows the demo's objects.
    pub fn hint(&self) -> String {
        let folder = self
            .control_plane
            .as_ref()
            .map(|c| format!("{}/", c.assets().display()))
            .unwrap_or_default();
        format!(
            "{folder}kubectl --kubeconfig {} --namespace {} get aep",
            self.kubeconfig.display(),
            self.namespace
        )
    }

    /// Deletes everything at once, and waits until it is gone.
    pub async fn clean_up(&self, patience: Duration) -> Result<()> {
        for kind in api::Kind::ALL {
            self.api(kind.name())
                .delete_collection(&DeleteParams::default(), &ListParams::default())
                .await?;
        }
        let deadline = Instant::now() + patience;
        for kind in api::Kind::ALL {
            while !self
                .api(kind.name())
                .list(&ListParams::default())
                .await?
                .items
                .is_empty()
            {
                ensure!(Instant::now() < deadline, "{kind} objects are still there");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .delete(&self.namespace, &DeleteParams::default())
            .await?;
        Ok(())
    }
}
