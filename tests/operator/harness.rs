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
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
    WatchParams,
};
use kube::core::{GroupVersionKind, WatchEvent};
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, ResourceExt};
use prometheus_client::registry::Registry;
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
    /// What the operator is started with; change it before a restart.
    pub settings: Settings,
    operator: Option<(CancellationToken, JoinHandle<()>)>,
}

impl World {
    /// A namespace, a simulator and a running operator.
    pub async fn new() -> Self {
        Self::with(aep_simulator::Options::default()).await
    }

    /// The same, with a simulator of one's own making.
    pub async fn with(options: aep_simulator::Options) -> Self {
        Self::tuned(options, |_| {}).await
    }

    /// The same, with an operator of one's own making, too.
    pub async fn tuned(options: aep_simulator::Options, tune: impl Fn(&mut Settings)) -> Self {
        let mut world = Self::unattended(options).await;
        tune(&mut world.settings);
        world.start_operator();
        world
    }

    /// The same without an operator.
    pub async fn unattended(options: aep_simulator::Options) -> Self {
        Self::on(client().await, options).await
    }

    /// A namespace on a cluster that has our CRDs, and a simulator; no operator yet.
    pub async fn on(client: Client, options: aep_simulator::Options) -> Self {
        let namespace = new_namespace(&client, None).await;
        let simulator = Simulator::start(options).await.unwrap();
        let url = simulator.url().to_owned();
        let settings = Settings {
            namespaces: vec![namespace.clone()],
            // The simulator's listings do not lag behind unless told to.
            list_lag: Duration::from_secs(1),
            request_timeout: Duration::from_secs(5),
            endpoints: aep_operator::adobe::Endpoints {
                ims: url.clone(),
                platform: url,
            },
            ..Settings::default()
        };
        Self {
            client,
            namespace,
            simulator,
            settings,
            operator: None,
        }
    }

    /// Starts the operator.
    pub fn start_operator(&mut self) {
        let stop = CancellationToken::new();
        let task = tokio::spawn(operator::operate(
            self.client.clone(),
            self.settings.clone(),
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

    /// The same, for sweeps as often as the operator was told instead of as often as the sample says.
    pub async fn apply_swept(&self, folder: &str) -> Vec<Value> {
        let mut objects = sample(folder);
        for object in &mut objects {
            if let Some(Value::Object(spec)) = object.get_mut("spec") {
                spec.remove("resyncPeriodSeconds");
            }
            self.apply(object).await.unwrap();
        }
        objects
    }

    /// Takes all of an object's status away, as a restore from a backup does.
    pub async fn wipe_status(&self, kind: &str, name: &str) {
        let (api, params) = (self.api(kind), PatchParams::default());
        let patch = Patch::Merge(json!({ "status": null }));
        api.patch_status(name, &params, &patch).await.unwrap();
    }

    /// Makes an object look as if its conditions had been as they are for long.
    pub async fn age(&self, kind: &str, name: &str) {
        let mut status = self.get(kind, name).await["status"].take();
        for condition in status["conditions"].as_array_mut().unwrap() {
            condition["lastTransitionTime"] = json!("2026-01-01T00:00:00Z");
        }
        let (api, params) = (self.api(kind), PatchParams::default());
        let patch = Patch::Merge(json!({ "status": status }));
        api.patch_status(name, &params, &patch).await.unwrap();
    }

    /// Makes a second object at Adobe of the same content, as a lost answer would; gives its id.
    pub async fn post_copy(&self, collection: &str, held: &Value) -> String {
        let mut body = held.clone();
        let members = body.as_object_mut().unwrap();
        for member in ["id", "etag", "state", "inheritedAttributes"] {
            members.remove(member);
        }
        let path = format!("/flowservice/{collection}");
        let made = self.at_adobe("POST", &path, &body).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Calls Adobe as somebody else would; the path is below `/data/foundation`.
    pub async fn at_adobe(&self, method: &str, path: &str, body: &Value) -> Value {
        let http = reqwest::Client::new();
        let url = self.simulator.url();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "aep-operator-demo"),
            ("client_secret", "demo-secret"),
        ];
        let token = http.post(format!("{url}/ims/token/v3")).form(&form);
        let token: Value = token.send().await.unwrap().json().await.unwrap();
        let request = http
            .request(
                method.parse().unwrap(),
                format!("{url}/data/foundation{path}"),
            )
            .bearer_auth(token["access_token"].as_str().unwrap())
            .header("x-api-key", "aep-operator-demo")
            .header("x-gw-ims-org-id", "0123456789ABCDEF@AdobeOrg")
            .header("x-sandbox-name", "prod");
        let answer = request.json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
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

    /// Every state that an object has had since the one given, until now.
    pub async fn history(&self, kind: &str, since: &DynamicObject) -> Vec<Value> {
        let api = self.api(kind);
        let last = api.get(&since.name_any()).await.unwrap().resource_version();
        let params = WatchParams::default().fields(&format!("metadata.name={}", since.name_any()));
        let from = since.resource_version().unwrap();
        let mut changes = api.watch(&params, &from).await.unwrap().boxed();
        let mut states = vec![since.clone()];
        while states.last().and_then(ResourceExt::resource_version) != last {
            match changes.try_next().await.unwrap() {
                Some(WatchEvent::Added(state) | WatchEvent::Modified(state)) => states.push(state),
                other => panic!("no change: {other:?}"),
            }
        }
        let states = states.into_iter();
        states.map(|it| serde_json::to_value(it).unwrap()).collect()
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

    /// Waits for an event about an object.
    pub async fn event(&self, kind: &str, name: &str, reason: &str) -> Event {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let what = format!("the event {reason} of {kind}/{name}");
        self.eventually(&what, || async {
            let all = events.list(&ListParams::default()).await.unwrap().items;
            let regards = |event: &Event| {
                event.regarding.as_ref().is_some_and(|it| {
                    it.kind.as_deref() == Some(kind) && it.name.as_deref() == Some(name)
                })
            };
            let (told, other): (Vec<_>, Vec<_>) = all
                .into_iter()
                .filter(regards)
                .partition(|event| event.reason.as_deref() == Some(reason));
            let others = other.iter().filter_map(|event| event.reason.clone());
            let others: Vec<_> = others.collect();
            told.into_iter().next().ok_or_else(|| format!("{others:?}"))
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

    /// What the operator would tell Prometheus.
    pub fn figures(&self) -> String {
        let mut registry = Registry::default();
        self.settings.metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
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

/// A new namespace; its name is generated unless one is given.
pub async fn new_namespace(client: &Client, name: Option<&str>) -> String {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = Namespace {
        metadata: kube::api::ObjectMeta {
            name: name.map(ToOwned::to_owned),
            generate_name: Some("test-".into()),
            ..Default::default()
        },
        ..Default::default()
    };
    let created = namespaces.create(&PostParams::default(), &namespace).await;
    created.unwrap().name_any()
}

/// A client of this test's own runtime, for a cluster that has our CRDs.
pub async fn client() -> Client {
    static CRDS: OnceCell<()> = OnceCell::const_new();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let control_plane = ControlPlane::shared().await;
    let client = control_plane.client();
    CRDS.get_or_init(|| install(client.clone())).await;
    client
}

/// Installs our CRDs.
pub async fn install(client: Client) {
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
        // The scopes stay as they are.
        secret["stringData"]["clientId"] = json!("aep-operator-demo");
        secret["stringData"]["clientSecret"] = json!("demo-secret");
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
