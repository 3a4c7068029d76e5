//! One world per test: a namespace of its own on the shared control plane, a simulator of its own, an operator of its own.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aep_control_plane::ControlPlane;
use aep_operator::api;
use aep_operator::engine::Settings;
use aep_operator::operator;
use aep_simulator::Simulator;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
};
use kube::core::GroupVersionKind;
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Long enough for a machine that is busy with other things; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One test's world.
pub struct World {
    pub client: Client,
    pub namespace: String,
    pub simulator: Simulator,
    operator: Option<(CancellationToken, JoinHandle<()>)>,
}

impl World {
    /// A namespace, a simulator and a running operator.
    pub async fn new() -> Self {
        Self::with(aep_simulator::Options::default()).await
    }

    /// The same, with a simulator of one's own making.
    pub async fn with(options: aep_simulator::Options) -> Self {
        let client = client().await;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let namespace = Namespace {
            metadata: kube::api::ObjectMeta {
                generate_name: Some("test-".into()),
                ..Default::default()
            },
            ..Default::default()
        };
        let namespace = namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap()
            .name_any();
        let simulator = Simulator::start(options).await.unwrap();
        let mut world = Self {
            client,
            namespace,
            simulator,
            operator: None,
        };
        world.start_operator();
        world
    }

    /// Starts the operator.
    pub fn start_operator(&mut self) {
        let url = self.simulator.url().to_owned();
        let settings = Settings {
            namespace: Some(self.namespace.clone()),
            endpoints: aep_operator::adobe::Endpoints {
                ims: url.clone(),
                platform: url,
            },
            ..Settings::default()
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(operator::operate(
            self.client.clone(),
            settings,
            stop.clone(),
        ));
        self.operator = Some((stop, task));
    }

    /// Ends the operator as a kill would: nothing is finished.
    pub async fn kill_operator(&mut self) {
        if let Some((_, task)) = self.operator.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Client-side apply's equal: create, or replace what is there with server-side apply.
    pub async fn apply(&self, object: &Value) -> Result<DynamicObject, kube::Error> {
        let api = self.api(object["kind"].as_str().unwrap());
        let name = object["metadata"]["name"].as_str().unwrap();
        api.patch(
            name,
            &PatchParams::apply("test").force(),
            &Patch::Apply(object),
        )
        .await
    }

    /// Applies a folder of samples with the simulator's credentials.
    pub async fn apply_sample(&self, folder: &str) -> Vec<Value> {
        let objects = sample(folder);
        for object in &objects {
            self.apply(object).await.unwrap();
        }
        objects
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

    /// One object.
    pub async fn get(&self, kind: &str, name: &str) -> Value {
        serde_json::to_value(self.api(kind).get(name).await.unwrap()).unwrap()
    }

    /// Merges a patch into an object.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) {
        self.api(kind)
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// Asks for the deletion of an object.
    pub async fn delete(&self, kind: &str, name: &str) {
        self.api(kind)
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }

    /// Waits until every object of ours in these samples is Ready.
    pub async fn all_ready(&self, objects: &[Value]) {
        for object in ours(objects) {
            let (kind, name) = (
                object["kind"].as_str().unwrap(),
                object["metadata"]["name"].as_str().unwrap(),
            );
            self.reason(kind, name, "Succeeded").await;
        }
    }

    /// Waits until the `Ready` condition of an object has this reason for its present generation; gives the object.
    pub async fn reason(&self, kind: &str, name: &str, reason: &str) -> Value {
        let what = format!("{kind}/{name} to say {reason}");
        self.eventually(&what, || async {
            let object = self.get(kind, name).await;
            let ready = condition(&object, "Ready");
            let current =
                object["status"]["observedGeneration"] == object["metadata"]["generation"];
            if ready["reason"] == reason
                && (current || object["metadata"]["deletionTimestamp"].is_string())
            {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            }
        })
        .await
    }

    /// Waits until the message of an object's `Ready` condition contains these words; gives the object.
    pub async fn says(&self, kind: &str, name: &str, words: &str) -> Value {
        let what = format!("{kind}/{name} to say {words}");
        self.eventually(&what, || async {
            let object = self.get(kind, name).await;
            let message = condition(&object, "Ready")["message"].to_string();
            if message.contains(words) {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            }
        })
        .await
    }

    /// Waits until an object is gone.
    pub async fn gone(&self, kind: &str, name: &str) {
        self.eventually(&format!("{kind}/{name} to go"), || async {
            match self.api(kind).get_opt(name).await.unwrap() {
                None => Ok(()),
                Some(object) => Err(format!("{:?}", object.data["status"])),
            }
        })
        .await;
    }

    /// Polls until the check is content.
    pub async fn eventually<T, F>(&self, what: &str, check: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, String>>,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match check().await {
                Ok(found) => return found,
                Err(seen) => assert!(
                    Instant::now() < deadline,
                    "waited in vain for {what}; last seen: {seen}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every resource version of our kinds in the namespace: what a write to Kubernetes would change.
    pub async fn versions(&self) -> Vec<(String, String, Option<String>)> {
        let mut versions = Vec::new();
        for kind in api::Kind::ALL {
            for object in self
                .api(kind.name())
                .list(&ListParams::default())
                .await
                .unwrap()
            {
                versions.push((
                    kind.name().to_owned(),
                    object.name_any(),
                    object.resource_version(),
                ));
            }
        }
        versions
    }

    /// How many calls changed something at Adobe.
    pub fn writes(&self) -> usize {
        let calls = self.simulator.calls();
        calls
            .iter()
            .filter(|call| {
                call.method != "GET" && call.service != "ims" && !call.path.ends_with("/validate")
            })
            .count()
    }
}

/// A client of this test's own runtime.
async fn client() -> Client {
    static CRDS: OnceCell<()> = OnceCell::const_new();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let control_plane = ControlPlane::shared().await;
    let client = control_plane.client();
    CRDS.get_or_init(|| install(client.clone())).await;
    client
}

async fn install(client: Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    for crd in api::crds() {
        let name = crd.name_any();
        definitions
            .patch(
                &name,
                &PatchParams::apply("test").force(),
                &Patch::Apply(&crd),
            )
            .await
            .unwrap();
        tokio::time::timeout(
            PATIENCE,
            await_condition(definitions.clone(), &name, conditions::is_crd_established()),
        )
        .await
        .unwrap()
        .unwrap();
    }
}

/// The objects of a sample folder, with credentials that the simulator accepts.
pub fn sample(folder: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy/samples")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let yaml = files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "yaml"));
    let mut objects: Vec<Value> = yaml
        .flat_map(|file| {
            serde_saphyr::from_multiple::<Value>(&fs::read_to_string(file).unwrap()).unwrap()
        })
        .filter(|o| !o.is_null())
        .collect();
    for secret in objects
        .iter_mut()
        .filter(|o| o["kind"] == "Secret" && o["metadata"]["name"] == "adobe-io")
    {
        secret["stringData"] =
            json!({ "clientId": "aep-operator-demo", "clientSecret": "demo-secret" });
    }
    objects
}

/// Those of our own kinds.
pub fn ours(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|o| o["kind"] != "Secret")
}

/// A condition of an object, or null.
pub fn condition(object: &Value, type_: &str) -> Value {
    let conditions = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    conditions
        .into_iter()
        .find(|c| c["type"] == type_)
        .unwrap_or(Value::Null)
}
