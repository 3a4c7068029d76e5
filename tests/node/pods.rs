//! The operator's chart, its Pods, and the samples that become ready through them.

use std::fs;
use std::path::Path;

use aep_control_plane::{Cluster, Options};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::cluster::{done, eventually, ours, start};

/// A release called `aep` of two replicas, in a namespace that lets nothing but restricted Pods in.
struct Release<'a> {
    cluster: &'a Cluster,
    namespace: &'static str,
}

impl<'a> Release<'a> {
    fn install(cluster: &'a Cluster, namespace: &'static str) -> Self {
        let release = Self { cluster, namespace };
        done(
            cluster
                .kubectl()
                .unwrap()
                .args(["create", "namespace", namespace]),
        );
        release.kubectl(&format!(
            "label namespace {namespace} pod-security.kubernetes.io/enforce=restricted"
        ));
        release.helm("install --set replicaCount=2");
        release
    }

    /// Runs `helm install` or `upgrade` and waits until the Pods are ready.
    fn helm(&self, arguments: &str) {
        let mut helm = self.cluster.helm().unwrap();
        helm.args(arguments.split(' '))
            .args(["aep", "--wait", "--timeout=3m"]);
        helm.args(["--namespace", self.namespace]);
        helm.arg("--values").arg(ours("tests/node/values.yaml"));
        done(helm.arg(ours("charts/aep-operator")));
    }

    fn kubectl(&self, arguments: &str) -> String {
        let mut kubectl = self.cluster.kubectl().unwrap();
        done(
            kubectl
                .args(["--namespace", self.namespace])
                .args(arguments.split(' ')),
        )
    }

    fn get(&self, what: &str) -> Value {
        serde_json::from_str(&self.kubectl(&format!("get {what} -o json"))).unwrap()
    }

    fn pods(&self) -> Vec<Value> {
        let pods = self.get("pods -l app.kubernetes.io/name=aep-operator");
        pods["items"].as_array().unwrap().clone()
    }

    fn names(&self) -> Vec<String> {
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.pods().iter().map(name).collect()
    }

    /// The Pod that holds the lease.
    fn leader(&self) -> Option<String> {
        let leases = self.get("leases");
        let holder = leases["items"][0]["spec"]["holderIdentity"]
            .as_str()?
            .to_owned();
        self.names()
            .into_iter()
            .find(|it| holder.starts_with(it.as_str()))
    }

    fn apply_payments(&self) {
        let folder = ours("deploy/samples/payments");
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replacen("clientId: REPLACE_ME", "clientId: aep-operator-demo", 1);
            let text = text.replacen("clientSecret: REPLACE_ME", "clientSecret: demo-secret", 1);
            fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
        }
        fs::remove_file(copy.path().join("Kustomization")).ok();
        self.kubectl(&format!("apply -f {}", copy.path().display()));
    }

    fn wait_until_all_are_ready(&self) {
        self.kubectl("wait aep --all --for=condition=Ready --timeout=3m");
    }
}

/// The folders in `/proc` of the operator's processes in a Pod.
fn processes(pod: &Value) -> Vec<std::path::PathBuf> {
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let of_pod = |path: &Path| {
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
        read("comm").trim() == "aep-operator" && read("cgroup").contains(uid)
    };
    let all = fs::read_dir("/proc").unwrap().flatten().map(|it| it.path());
    all.filter(|it| of_pod(it)).collect()
}

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|it| it.starts_with(start)).unwrap()
}

pub fn a_release_reconciles_the_sample_while_its_pods_come_and_go() {
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    let cluster = start(Options::default());
    live(&Release::install(&cluster, "payments"));
}

fn live(release: &Release) {
    pods_have_no_more_than_they_need(release);
    release.apply_payments();
    release.wait_until_all_are_ready();
    leader_writes_a_log(release);
    a_killed_process_is_started_again(release);
    a_deleted_leader_is_replaced(release);
    an_upgrade_rolls(release);
    release.kubectl("delete aep --all --timeout=3m");
}

fn pods_have_no_more_than_they_need(release: &Release) {
    let pods = release.pods();
    assert_eq!(pods.len(), 2);
    for pod in pods {
        let sources = pod["spec"]["volumes"].to_string();
        assert!(sources.contains("serviceAccountToken"), "{sources}");
        let [process] = &processes(&pod)[..] else {
            panic!("not one process of {pod}");
        };
        let status = fs::read_to_string(process.join("status")).unwrap();
        assert_eq!(line(&status, "Uid:"), "Uid:\t65532\t65532\t65532\t65532");
        assert_eq!(line(&status, "CapBnd:"), "CapBnd:\t0000000000000000");
        assert_eq!(line(&status, "NoNewPrivs:"), "NoNewPrivs:\t1");
        // A filter of system calls.
        assert_eq!(line(&status, "Seccomp:"), "Seccomp:\t2");
        let mounts = fs::read_to_string(process.join("mounts")).unwrap();
        let root = mounts
            .lines()
            .find(|it| it.split(' ').nth(1) == Some("/"))
            .unwrap();
        assert!(root.split(' ').nth(3).unwrap().starts_with("ro,"), "{root}");
    }
}

fn leader_writes_a_log(release: &Release) {
    let leader = release.leader().unwrap();
    let log = release.kubectl(&format!("logs {leader}"));
    assert!(!log.is_empty());
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

fn a_killed_process_is_started_again(release: &Release) {
    let pod = &release.pods()[0];
    let name = pod["metadata"]["name"].as_str().unwrap();
    let process = processes(pod)[0].file_name().unwrap().to_owned();
    done(std::process::Command::new("kill").arg("-9").arg(process));
    eventually("a restart", || {
        let status = release.get(&format!("pod {name}"))["status"]["containerStatuses"][0].clone();
        (status["restartCount"] == 1 && status["ready"] == true).then_some(())
    });
}

fn a_deleted_leader_is_replaced(release: &Release) {
    let leader = eventually("a leader", || release.leader());
    release.kubectl(&format!("delete pod {leader} --wait=false"));
    eventually("another leader", || {
        release.leader().filter(|it| *it != leader)
    });
    release.kubectl("rollout status deployment --timeout=2m");
    assert_eq!(
        release.names().iter().filter(|it| **it != leader).count(),
        2
    );
    release.kubectl(
        "annotate --overwrite dataflows.aep-operator.io --all aep-operator.io/requested-at=again",
    );
    eventually("the new leader's look", || {
        let flows = release.get("dataflows.aep-operator.io");
        flows["items"]
            .as_array()?
            .iter()
            .all(|it| it["status"]["lastHandledRequest"] == "again")
            .then_some(())
    });
}

fn an_upgrade_rolls(release: &Release) {
    let before = release.names();
    release.helm("upgrade --set replicaCount=2,log.level=debug");
    let after = eventually("only new Pods", || {
        let names = release.names();
        names.iter().all(|it| !before.contains(it)).then_some(names)
    });
    assert_eq!(after.len(), 2);
    eventually("a new leader", || {
        release.leader().filter(|it| after.contains(it))
    });
    release.wait_until_all_are_ready();
    let mut helm = release.cluster.helm().unwrap();
    done(helm.args([
        "test",
        "aep",
        "--namespace",
        release.namespace,
        "--timeout=2m",
    ]));
}
