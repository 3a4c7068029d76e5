//! One world per test: a namespace of its own on the shared control plane, a simulator of its own, an operator of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aep_operator::adobe::Endpoints;
use aep_operator::api::Kind;
use aep_operator::engine::Settings;
use aep_operator::operator;
use aep_simulator::{Call, Options, Simulator};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, WatchParams};
use kube::core::WatchEvent;
use kube::{Client, ResourceExt};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cluster::{self, client, generate_namespace};
use crate::{PATIENCE, condition, name, ours, sample, use_default_resync_period};

/// One test's world.
pub struct World {
    /// A client of the cluster, as its administrator.
    pub client: Client,
    /// The namespace.
    pub namespace: String,
    /// Adobe.
    pub simulator: Simulator,
    /// What the operator is started with; change it before a restart.
    pub settings: Settings,
    operator: Option<(CancellationToken, JoinHandle<()>)>,
}

impl World {
    /// A namespace, a simulator and a running operator.
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// The same, with a simulator of one's own making.
    pub async fn with(options: Options) -> Self {
        Self::tuned(options, |_| {}).await
    }

    /// The same, with an operator of one's own making, too.
    pub async fn tuned(options: Options, tune: impl Fn(&mut Settings)) -> Self {
        let mut world = Self::unattended(options).await;
        tune(&mut world.settings);
        world.start_operator();
        world
    }

    /// The same without an operator.
    pub async fn unattended(options: Options) -> Self {
        Self::on(client().await, options).await
    }

    /// A namespace on a cluster that has our CRDs, and a simulator; no operator yet.
    pub async fn on(client: Client, options: Options) -> Self {
        let namespace = generate_namespace(&client, "test-").await.unwrap();
        let simulator = Simulator::start(options).await.unwrap();
        let url = simulator.url().to_owned();
        let settings = Settings {
            namespaces: vec![namespace.clone()],
            // The simulator's listings do not lag behind unless told to.
            list_lag: Duration::from_secs(1),
            request_timeout: Duration::from_secs(5),
            endpoints: Endpoints {
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

    /// Starts an operator within this process.
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

    /// Creates an object, or takes over what is there, with server-side apply.
    ///
    /// # Errors
    /// What the API server answers.
    pub async fn apply(&self, object: &Value) -> Result<DynamicObject, kube::Error> {
        let (kind, name) = name(object);
        let params = PatchParams::apply("test").force();
        let api = self.api(kind);
        api.patch(name, &params, &Patch::Apply(object)).await
    }

    /// Applies a folder of samples with the simulator's credentials.
    pub async fn apply_sample(&self, folder: &str) -> Vec<Value> {
        let objects = sample(folder);
        for object in &objects {
            self.apply(object).await.unwrap();
        }
        objects
    }

    /// The same, resynced as often as the operator's settings say instead of as often as the sample does.
    pub async fn apply_sample_with_default_resync(&self, folder: &str) -> Vec<Value> {
        let mut objects = sample(folder);
        use_default_resync_period(&mut objects);
        for object in &objects {
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

    /// Dates the conditions of an object back, as if they had held for long.
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

    /// Any of our kinds, or Secrets.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        cluster::api(&self.client, &self.namespace, kind)
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

    /// Asks for the deletion of every object, and waits until those of our kinds are gone.
    pub async fn delete_all(&self, objects: &[Value]) {
        for (kind, name) in objects.iter().map(name) {
            self.delete(kind, name).await;
        }
        for (kind, name) in ours(objects).map(name) {
            self.gone(kind, name).await;
        }
    }

    /// Waits until every object of our kinds is Ready.
    pub async fn all_ready(&self, objects: &[Value]) {
        for (kind, name) in ours(objects).map(name) {
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
            let (wanted, other): (Vec<_>, Vec<_>) = all
                .into_iter()
                .filter(regards)
                .partition(|event| event.reason.as_deref() == Some(reason));
            let others = other.iter().filter_map(|event| event.reason.clone());
            let others: Vec<_> = others.collect();
            wanted
                .into_iter()
                .next()
                .ok_or_else(|| format!("{others:?}"))
        })
        .await
    }

    /// The notes of all events of one reason about an object.
    pub async fn notes(&self, kind: &str, name: &str, reason: &str) -> Vec<String> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let all = events.list(&ListParams::default()).await.unwrap().items;
        let of = all.into_iter().filter(|event| {
            event.reason.as_deref() == Some(reason)
                && event.regarding.as_ref().is_some_and(|it| {
                    it.kind.as_deref() == Some(kind) && it.name.as_deref() == Some(name)
                })
        });
        of.filter_map(|event| event.note).collect()
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
        for kind in Kind::ALL {
            let (api, kind) = (self.api(kind.name()), kind.name().to_owned());
            for object in api.list(&ListParams::default()).await.unwrap() {
                let version = object.resource_version();
                versions.push((kind.clone(), object.name_any(), version));
            }
        }
        versions
    }

    /// What the operator exports to Prometheus.
    pub fn metrics(&self) -> String {
        let mut registry = Registry::default();
        self.settings.metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    /// How many calls changed something at Adobe.
    pub fn writes(&self) -> usize {
        let calls = self.simulator.calls();
        calls.iter().filter(|call| is_write(call)).count()
    }

    /// How many calls made an object at Adobe.
    pub fn creates(&self) -> usize {
        let calls = self.simulator.calls();
        let is_create = |call: &&Arc<Call>| {
            call.method == "POST" && is_write(call) && !call.path.ends_with("/action")
        };
        calls.iter().filter(is_create).count()
    }
}

fn is_write(call: &Call) -> bool {
    call.method != "GET" && call.service != "ims" && !call.path.ends_with("/validate")
}
