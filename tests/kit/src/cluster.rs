//! Clusters that know our CRDs.

use aep_control_plane::{ControlPlane, Options};
use aep_operator::api;
use anyhow::Result;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, ResourceExt};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::PATIENCE;

/// A client of this test's own runtime, for the cluster that all tests of a process share. It has our CRDs.
pub async fn client() -> Client {
    static CRDS: OnceCell<()> = OnceCell::const_new();
    use_tls_provider();
    let client = ControlPlane::shared().await.client();
    CRDS.get_or_init(|| async { install_crds(&client).await.unwrap() })
        .await;
    client
}

/// A cluster of one's own, without CRDs.
pub async fn start(options: Options) -> ControlPlane {
    use_tls_provider();
    ControlPlane::start(options).await.unwrap()
}

/// Chooses the TLS provider of this process.
pub fn use_tls_provider() {
    // An error only says that another test was faster.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Installs our CRDs, and waits until the API server serves them.
///
/// # Errors
/// What the API server answers.
pub async fn install_crds(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let params = PatchParams::apply("aep-test-kit").force();
    for crd in api::crds() {
        let name = crd.name_any();
        definitions
            .patch(&name, &params, &Patch::Apply(&crd))
            .await?;
        let established = conditions::is_crd_established();
        let established = await_condition(definitions.clone(), &name, established);
        timeout(PATIENCE, established).await??;
    }
    Ok(())
}

/// Creates a namespace of that name.
///
/// # Errors
/// What the API server answers.
pub async fn create_namespace(client: &Client, name: &str) -> Result<String> {
    let name = Some(name.to_owned());
    create(
        client,
        ObjectMeta {
            name,
            ..ObjectMeta::default()
        },
    )
    .await
}

/// Creates a namespace whose generated name begins like that; gives the name.
///
/// # Errors
/// What the API server answers.
pub async fn generate_namespace(client: &Client, beginning: &str) -> Result<String> {
    let generate_name = Some(beginning.to_owned());
    create(
        client,
        ObjectMeta {
            generate_name,
            ..ObjectMeta::default()
        },
    )
    .await
}

async fn create(client: &Client, metadata: ObjectMeta) -> Result<String> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = Namespace {
        metadata,
        ..Namespace::default()
    };
    let created = namespaces
        .create(&PostParams::default(), &namespace)
        .await?;
    Ok(created.name_any())
}

/// Any of our kinds, or Secrets.
pub fn api(client: &Client, namespace: &str, kind: &str) -> Api<DynamicObject> {
    let gvk = match kind {
        "Secret" => GroupVersionKind::gvk("", "v1", kind),
        _ => GroupVersionKind::gvk(api::GROUP, api::VERSION, kind),
    };
    Api::namespaced_with(client.clone(), namespace, &ApiResource::from_gvk(&gvk))
}
