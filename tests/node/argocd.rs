//! A real Argo CD rolls out definitions, operator and pipeline from Git, knows how they fare, and takes them away in order.

use std::fs;

use aep_control_plane::{ArgoCd, Cluster, Options, assets};
use kube::api::PostParams;
use kube::core::Request;
use serde_json::{Value, json};
use tokio::runtime::{Handle, Runtime};

use crate::cluster::{done, eventually, ours, run, start_with_simulator};
use crate::repository::Repository;

struct World {
    _argocd: ArgoCd,
    cluster: Cluster,
    repository: Repository,
}

impl World {
    /// For a thread that has entered a runtime.
    fn new() -> Self {
        assets(&["argocd"]).unwrap();
        let options = Options {
            audit_log: true,
            ..Options::default()
        };
        let cluster = start_with_simulator(options);
        let argocd = Handle::current().block_on(ArgoCd::start(&cluster)).unwrap();
        let world = Self {
            _argocd: argocd,
            cluster,
            repository: Repository::new(),
        };
        // As deploy/argocd/README.md says.
        let scripts = ours("deploy/argocd/argocd-cm.yaml");
        world.kubectl(&format!(
            "patch configmap argocd-cm -n argocd --type=merge --patch-file {}",
            scripts.display()
        ));
        world
    }

    fn kubectl(&self, arguments: &str) -> String {
        done(self.cluster.kubectl().unwrap().args(arguments.split(' ')))
    }

    fn apply(&self, manifest: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), manifest).unwrap();
        self.kubectl(&format!("apply -n argocd -f {}", file.path().display()));
    }

    fn get(&self, what: &str) -> Value {
        serde_json::from_str(&self.kubectl(&format!("get {what} -o json"))).unwrap()
    }

    fn exists(&self, what: &str) -> bool {
        let arguments = format!("get {what}");
        let output = run(self.cluster.kubectl().unwrap().args(arguments.split(' ')));
        output.status.success()
    }

    fn application(&self, name: &str) -> Value {
        self.get(&format!("application {name} -n argocd"))
    }

    fn audit_log(&self) -> String {
        fs::read_to_string(self.cluster.audit_log().unwrap()).unwrap()
    }

    /// Which waves were asked to go, in the order in which they were, from this line of the audit log on.
    fn waves_deleted_since(&self, line: usize) -> Vec<usize> {
        let log = self.audit_log();
        let events = log.lines().skip(line);
        let events = events.map(|it| serde_json::from_str::<Value>(it).unwrap());
        let deleted =
            events.filter(|it| it["verb"] == "delete" && it["responseStatus"]["code"] == 200);
        let wave = |event: Value| {
            let resource = event["objectRef"]["resource"].as_str()?.to_owned();
            ORDER.iter().position(|it| it.contains(&resource.as_str()))
        };
        let mut waves: Vec<_> = deleted.filter_map(wave).collect();
        waves.dedup();
        waves
    }

    /// What the simulator tells of itself.
    fn at_adobe(&self, path: &str) -> Value {
        let answer = self.kubectl(&format!("get --raw {}", self.simulator(path)));
        serde_json::from_str(&answer).unwrap()
    }

    /// Has the simulator do something. It wants to know that this is JSON, which kubectl does not say.
    fn meddle(&self, path: &str, body: &Value) {
        let request = Request::new(self.simulator(path));
        let request = request.create(&PostParams::default(), body.to_string().into());
        let client = self.cluster.client();
        Handle::current()
            .block_on(client.request_text(request.unwrap()))
            .unwrap();
    }

    /// Where the simulator is for who can reach the API server only.
    fn simulator(&self, path: &str) -> String {
        let pod = self.kubectl("get pods -n adobe -o name");
        let pod = pod.trim().trim_start_matches("pod/");
        format!("/api/v1/namespaces/adobe/pods/{pod}:8400/proxy/_sim/{path}")
    }

    /// Has Argo CD look at Git and at the cluster anew, and waits until it has.
    fn refresh(&self, name: &str) {
        self.kubectl(&format!(
            "annotate application {name} -n argocd --overwrite argocd.argoproj.io/refresh=hard"
        ));
        eventually("a refresh", || {
            let annotations = &self.application(name)["metadata"]["annotations"];
            annotations["argocd.argoproj.io/refresh"]
                .is_null()
                .then_some(())
        });
    }

    /// Waits until the newest commit is in the cluster and fares like this.
    fn settles(&self, name: &str, health: &str) {
        let head = self.repository.head();
        self.refresh(name);
        self.becomes(name, health, |sync| sync.to_string().contains(&head));
    }

    /// Waits until an Application is Synced, fares like this, and is in sync with what it ought to be. On the way it tells
    /// how it goes, for whoever has to find out why it did not.
    fn becomes(&self, name: &str, health: &str, with: impl Fn(&Value) -> bool) {
        let mut seen = Value::Null;
        eventually(&format!("{name} to be Synced and {health}"), || {
            let status = self.application(name)["status"].take();
            let now = json!({ "sync": status["sync"]["status"], "health": status["health"]["status"],
                "phase": status["operationState"]["phase"], "message": status["operationState"]["message"] });
            if now != seen {
                eprintln!("{name}: {now}");
                seen = now;
            }
            let settled = seen["sync"] == "Synced" && seen["health"] == health;
            (settled && with(&status["sync"])).then_some(())
        });
    }
}

pub fn argocd_rolls_out_and_takes_away_what_git_says() {
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    let world = World::new();
    let untouched = world.at_adobe("sandboxes/prod");
    one_application_holds_all_of_a_sandbox(&world);
    it_stays_in_sync(&world);
    a_broken_mapping_is_degraded_until_it_is_mended(&world);
    a_suspended_flow_is_suspended(&world);
    what_git_loses_is_pruned_though_the_operator_is_killed(&world);
    everything_goes_in_order_with_the_application(&world);
    assert_eq!(world.at_adobe("sandboxes/prod"), untouched);
    an_applicationset_makes_two_sandboxes(&world);
}

fn one_application_holds_all_of_a_sandbox(world: &World) {
    world.apply(&world.repository.example("tests/node/application.yaml"));
    world.settles("payments", "Healthy");
    let flow = world.get("dataflow payments -n payments");
    assert_eq!(flow["status"]["conditions"][0]["status"], "True", "{flow}");
}

fn it_stays_in_sync(world: &World) {
    let versions = || {
        let all = world.get("aep -n payments");
        let all = all["items"].as_array().unwrap().iter();
        all.map(|it| it["metadata"]["resourceVersion"].to_string())
            .collect::<Vec<_>>()
    };
    let before = (
        versions(),
        world.application("payments")["status"]["history"].clone(),
    );
    for _ in 0..3 {
        world.refresh("payments");
        let status = &world.application("payments")["status"];
        assert_eq!(status["sync"]["status"], "Synced", "{status}");
        assert_eq!(status["health"]["status"], "Healthy", "{status}");
    }
    let after = (
        versions(),
        world.application("payments")["status"]["history"].clone(),
    );
    assert_eq!(before, after);
}

fn a_broken_mapping_is_degraded_until_it_is_mended(world: &World) {
    let mapping = "pipeline/mapping-set.yaml";
    world
        .repository
        .change(mapping, "_tenant.product.type", "_tenant.product.nowhere");
    world.settles("payments", "Degraded");
    world.repository.revert();
    world.settles("payments", "Healthy");
}

fn a_suspended_flow_is_suspended(world: &World) {
    world.repository.change(
        "pipeline/dataflow.yaml",
        "\nspec:\n",
        "\nspec:\n  suspend: true\n",
    );
    world.settles("payments", "Suspended");
    world.repository.revert();
    world.settles("payments", "Healthy");
}

/// The answer to the operator's most important request is lost, and the operator with it.
fn what_git_loses_is_pruned_though_the_operator_is_killed(world: &World) {
    let lost =
        json!({ "method": "DELETE", "service": "flow", "path": "/flows", "effect": "hangAfter" });
    world.meddle("faults", &lost);
    let old = world.audit_log().lines().count();
    let gone = ["dataflow", "mapping-set", "target-connection", "dataset"];
    let files = gone.map(|it| format!("pipeline/{it}.yaml"));
    world.repository.remove(&files);
    world.refresh("payments");
    eventually("no flow at Adobe", || {
        let flows = world.at_adobe("sandboxes/prod/flows");
        flows.as_array().unwrap().is_empty().then_some(())
    });
    assert!(world.exists("dataflow payments -n payments"));
    world.kubectl(
        "delete pods -n payments -l app.kubernetes.io/name=aep-operator --force --grace-period=0",
    );
    world.settles("payments", "Healthy");
    assert_eq!(world.waves_deleted_since(old), [0, 1, 2]);
    for kind in gone.map(|it| it.replace('-', "")) {
        assert!(
            !world.exists(&format!("{kind} payments -n payments")),
            "{kind}"
        );
    }
    world.repository.revert();
    world.settles("payments", "Healthy");
}

/// Waves backwards: who uses something goes before it, and the operator, without which nothing of ours goes, near the end.
const ORDER: [&[&str]; 7] = [
    &["dataflows"],
    &["targetconnections", "mappingsets"],
    &["datasets", "sourceconnections"],
    &["platformschemas", "baseconnections"],
    &["sandboxes"],
    &["deployments"],
    &["secrets"],
];

fn everything_goes_in_order_with_the_application(world: &World) {
    let old = world.audit_log().lines().count();
    world.kubectl("delete application payments -n argocd --timeout=3m");
    assert_eq!(world.waves_deleted_since(old), [0, 1, 2, 3, 4, 5, 6]);
    // Argo CD leaves definitions where they are.
    let left = world.get("aep --all-namespaces");
    assert!(left["items"].as_array().unwrap().is_empty(), "{left}");
    // No finalizer holds it.
    world.kubectl("delete namespace payments --timeout=1m");
}

fn an_applicationset_makes_two_sandboxes(world: &World) {
    let (dev, prod) = ("aep-dev", "aep-prod");
    let third = "      - sandbox: stage\n        revision: v0.1.0\n";
    let sets = world
        .repository
        .example("deploy/argocd/applicationset.yaml");
    assert!(sets.contains(third));
    world.apply(&world.repository.example("deploy/argocd/crds.yaml"));
    world.apply(&sets.replace(third, ""));
    for namespace in [dev, prod] {
        eventually("the namespace", || {
            world
                .exists(&format!("namespace {namespace}"))
                .then_some(())
        });
        let secrets = world
            .repository
            .path("deploy/samples/payments/secrets.yaml");
        world.kubectl(&format!("apply -n {namespace} -f {}", secrets.display()));
    }
    for name in ["aep-operator-crds", dev, prod] {
        world.becomes(name, "Healthy", |_| true);
    }
    let state = |namespace: &str| {
        let flow = world.get(&format!("dataflow payments -n {namespace}"));
        flow["status"]["state"].clone()
    };
    assert_eq!([state(dev), state(prod)], ["disabled", "enabled"]);
}
