//! Where the demo runs: a control plane of its own, or the one that `DEMO_KUBECONFIG` names.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aep_control_plane::{ControlPlane, Options};
use aep_operator::api;
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams,
    PostParams,
};
use kube::core::GroupVersionKind;
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

const MANAGER: &str = "demo";

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
        install(&client).await?;
        let namespace = namespace(&client).await?;
        Ok(Self {
            client,
            namespace,
            kubeconfig,
            control_plane,
        })
    }

    /// Any kind, by name.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        let gvk = match kind {
            "Secret" => GroupVersionKind::gvk("", "v1", kind),
            _ => GroupVersionKind::gvk(api::GROUP, api::VERSION, kind),
        };
        Api::namespaced_with(
            self.client.clone(),
            &self.namespace,
            &ApiResource::from_gvk(&gvk),
        )
    }

    /// Applies a folder of samples, with the simulator's credentials in the place of `REPLACE_ME`.
    pub async fn apply(&self, folder: &str) -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/samples")
            .join(folder);
        for entry in fs::read_dir(folder)? {
            let file = entry?.path();
            if file.extension().is_none_or(|it| it != "yaml") {
                continue;
            }
            for mut object in serde_saphyr::from_multiple::<Value>(&fs::read_to_string(&file)?)? {
                if object["metadata"]["name"] == "adobe-io" {
                    object["stringData"] =
                        json!({ "clientId": "aep-operator-demo", "clientSecret": "demo-secret" });
                }
                let (kind, name) = (
                    object["kind"].as_str().unwrap_or_default(),
                    object["metadata"]["name"].as_str().unwrap_or_default(),
                );
                let params = PatchParams::apply(MANAGER).force();
                let applied = self
                    .api(kind)
                    .patch(name, &params, &Patch::Apply(&object))
                    .await;
                applied.with_context(|| format!("cannot apply {}", file.display()))?;
            }
        }
        Ok(())
    }

    /// The command that looks at the demo's objects.
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

async fn install(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        let name = crd.name_any();
        definitions
            .patch(
                &name,
                &PatchParams::apply(MANAGER).force(),
                &Patch::Apply(&crd),
            )
            .await?;
        await_condition(definitions.clone(), &name, conditions::is_crd_established()).await?;
    }
    Ok(())
}

async fn namespace(client: &Client) -> Result<String> {
    let metadata = ObjectMeta {
        generate_name: Some("aep-demo-".into()),
        ..ObjectMeta::default()
    };
    let namespace = Namespace {
        metadata,
        ..Namespace::default()
    };
    let namespaces: Api<Namespace> = Api::all(client.clone());
    Ok(namespaces
        .create(&PostParams::default(), &namespace)
        .await?
        .name_any())
}
