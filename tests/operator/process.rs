//! The process: which namespaces it serves, when it calls itself ready, and what it says of a cluster that lacks something.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use aep_control_plane::{ControlPlane, Options as Cluster};
use aep_simulator::Options;
use aep_test_kit::{PATIENCE, World, cluster, sample};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::api::{Api, ObjectMeta, PostParams};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Far less than anybody waits before a kill, and long for a machine that is busy with other things.
const A_MOMENT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_watched_namespace_is_served_and_no_other() {
    let mut world = World::unattended(Options::default()).await;
    let second = World::unattended(Options::default()).await;
    let other = World::unattended(Options::default()).await;
    let objects = sample("payments");
    // Titles are unique in a sandbox, so each namespace has its own.
    let sandboxes = [(&world, "prod"), (&second, "stage"), (&other, "dev")];
    for (world, sandbox) in sandboxes {
        for mut object in objects.clone() {
            if object["kind"] == "Sandbox" {
                object["spec"]["sandboxName"] = json!(sandbox);
            }
            world.apply(&object).await.unwrap();
        }
    }
    world.settings.namespaces.push(second.namespace.clone());
    world.start_operator();
    world.all_ready(&objects).await;
    second.all_ready(&objects).await;
    let flow = other.get("Dataflow", "payments").await;
    assert!(flow["status"]["conditions"].is_null(), "{flow}");
    second.delete("Dataflow", "payments").await;
    second.gone("Dataflow", "payments").await;
}

#[tokio::test]
async fn a_replica_without_crds_says_so_and_is_ready_once_they_are_there() {
    let cluster = cluster::start(Cluster::default()).await;
    let client = cluster.client();
    let world = World::on(client.clone(), Options::default()).await;
    let health = free_address();
    let operator = || {
        let mut operator = Command::new(env!("CARGO_BIN_EXE_aep-operator"));
        operator
            .arg("run")
            .env("WATCH_NAMESPACES", &world.namespace)
            .env("HEALTH_ADDRESS", health.to_string())
            .env("IMS_ENDPOINT", world.simulator.url())
            .env("PLATFORM_ENDPOINT", world.simulator.url())
            .env("KUBECONFIG", cluster.kubeconfig())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let mut first = operator();
    let says = |path: &'static str| async move {
        let answer = reqwest::get(format!("http://{health}/{path}")).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        Ok::<_, String>((status, answer.text().await.unwrap()))
    };
    let (_, why) = world
        .eventually("a word about the CRDs", || async {
            let (status, text) = says("readyz").await?;
            let missing = status == 503 && text.contains("CRDs of Sandbox, BaseConnection");
            missing.then_some((status, text.clone())).ok_or(text)
        })
        .await;
    assert!(why.ends_with("are not installed"), "{why}");
    assert_eq!(says("livez").await.unwrap().0, 200);

    // Whoever gives up on it does not have to kill it.
    let id = first.id().unwrap().to_string();
    let asked = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(asked.await.unwrap().success());
    let ended = timeout(PATIENCE, first.wait()).await;
    assert!(ended.unwrap().unwrap().success());

    let _second = operator();
    cluster::install_crds(&client).await.unwrap();
    world
        .eventually("the replica to be ready", || async {
            let (status, text) = says("readyz").await?;
            (status == 200).then_some(()).ok_or(text)
        })
        .await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
}

/// A replica that acts as a service account, and where it answers.
async fn replica_of(world: &World, account: &str, (what, address): (&str, SocketAddr)) -> Child {
    let cluster = ControlPlane::shared().await;
    let kubeconfig = cluster.service_account_kubeconfig(&world.namespace, account);
    Command::new(env!("CARGO_BIN_EXE_aep-operator"))
        .arg("run")
        .env("WATCH_NAMESPACES", &world.namespace)
        .env(what, address.to_string())
        .env("KUBECONFIG", kubeconfig.await.unwrap())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn watches_that_fail_are_counted_by_kind() {
    let world = World::unattended(Options::default()).await;
    account(&world, "reader", &["secrets"]).await;
    let metrics = free_address();
    let _replica = replica_of(&world, "reader", ("METRICS_ADDRESS", metrics)).await;
    world
        .eventually("the metric", || async {
            let answer = reqwest::get(format!("http://{metrics}/metrics")).await;
            let text = answer.map_err(|it| it.to_string())?.text().await;
            let text = text.map_err(|it| it.to_string())?;
            let count = |kind: &str| {
                let series = format!("aep_watch_errors_total{{kind=\"{kind}\"}} ");
                let mut lines = text.lines();
                let value = lines.find_map(|it| it.strip_prefix(&series))?;
                value.parse::<u64>().ok()
            };
            let counts = (count("Secret"), count("Dataflow"));
            let told = counts.0 == Some(0) && counts.1 > Some(0);
            told.then_some(()).ok_or(format!("{counts:?}"))
        })
        .await;
}

#[tokio::test]
async fn a_replica_that_waits_for_what_it_may_not_list_ends_at_once_when_told() {
    let world = World::unattended(Options::default()).await;
    // Whether CRDs are missing or may not be listed, the wait for them is one. Secrets are waited for before.
    account(&world, "nobody", &[]).await;
    account(&world, "somebody", &["secrets"]).await;
    for name in ["nobody", "somebody"] {
        let health = free_address();
        let mut replica = replica_of(&world, name, ("HEALTH_ADDRESS", health)).await;
        world
            .eventually("the replica to say that it is not ready", || async {
                let answer = reqwest::get(format!("http://{health}/readyz")).await;
                let status = answer.map_err(|error| error.to_string())?.status();
                (status == 503).then_some(()).ok_or(status.to_string())
            })
            .await;
        let id = replica.id().unwrap().to_string();
        let told = Command::new("kill").arg(id).status().await.unwrap();
        assert!(told.success());
        let ended = timeout(A_MOMENT, replica.wait()).await;
        let ended = ended
            .unwrap_or_else(|_| panic!("{name} does not end"))
            .unwrap();
        assert_eq!(ended.code(), Some(0), "{name}");
    }
}

/// A service account that may list and watch these resources of the core group.
async fn account(world: &World, name: &str, resources: &[&str]) {
    let metadata = || ObjectMeta {
        name: Some(name.into()),
        ..ObjectMeta::default()
    };
    let (client, namespace) = (world.client.clone(), &world.namespace);
    let account = ServiceAccount {
        metadata: metadata(),
        ..ServiceAccount::default()
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let made = accounts.create(&PostParams::default(), &account).await;
    made.unwrap();
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let listing = PolicyRule {
        api_groups: Some(words(&[""])),
        resources: Some(words(resources)),
        verbs: words(&["get", "list", "watch"]),
        ..PolicyRule::default()
    };
    let role = Role {
        metadata: metadata(),
        rules: Some(vec![listing]).filter(|_| !resources.is_empty()),
    };
    let roles: Api<Role> = Api::namespaced(client.clone(), namespace);
    roles.create(&PostParams::default(), &role).await.unwrap();
    let binding = RoleBinding {
        metadata: metadata(),
        role_ref: RoleRef {
            api_group: Some("rbac.authorization.k8s.io".into()),
            kind: "Role".into(),
            name: name.into(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".into(),
            name: name.into(),
            namespace: Some(namespace.clone()),
            ..Subject::default()
        }]),
    };
    let bindings: Api<RoleBinding> = Api::namespaced(client, namespace);
    let made = bindings.create(&PostParams::default(), &binding).await;
    made.unwrap();
}

#[tokio::test]
async fn numbers_with_which_nothing_would_ever_happen_are_refused() {
    for flag in ["--workers", "--resync-period-seconds"] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_aep-operator"));
        run.args(["run", flag, "0"]).env("KUBECONFIG", "/dev/null");
        let answer = run.kill_on_drop(true).output();
        let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
        assert_eq!(answer.status.code(), Some(2), "{flag}");
        let told = String::from_utf8(answer.stderr).unwrap();
        let words = format!("invalid value '0' for '{flag} <");
        assert!(
            told.contains(&words) && told.contains("is not in 1.."),
            "{told}"
        );
    }
    let mut run = Command::new(env!("CARGO_BIN_EXE_aep-operator"));
    run.arg("run")
        .env("WORKERS", "0")
        .env("KUBECONFIG", "/dev/null");
    let answer = timeout(PATIENCE, run.kill_on_drop(true).output()).await;
    let answer = answer.unwrap().unwrap();
    let told = String::from_utf8(answer.stderr).unwrap();
    assert!(
        !answer.status.success() && told.contains("--workers"),
        "{told}"
    );
}

#[tokio::test]
async fn check_tells_what_an_account_lacks() {
    let world = World::unattended(Options::default()).await;
    let cluster = ControlPlane::shared().await;
    account(&world, "nobody", &[]).await;
    let nobody = cluster.service_account_kubeconfig(&world.namespace, "nobody");
    let nobody = nobody.await.unwrap();
    let check = |kubeconfig| {
        let mut check = Command::new(env!("CARGO_BIN_EXE_aep-operator"));
        check.args(["check", "--lease", "operator"]);
        check.args(["--watch-namespaces", &world.namespace]);
        check.env("KUBECONFIG", kubeconfig).output()
    };
    let answer = check(nobody.as_path()).await.unwrap();
    assert!(!answer.status.success());
    let told = String::from_utf8(answer.stdout).unwrap();
    for line in [
        "ok    all CRDs are installed".to_owned(),
        format!("FAIL  may watch secrets in {}", world.namespace),
        format!("FAIL  may patch dataflows/status in {}", world.namespace),
        format!("FAIL  may update leases in {}", world.namespace),
    ] {
        assert!(told.lines().any(|it| it == line), "{line}: {told}");
    }
    let answer = check(cluster.kubeconfig()).await.unwrap();
    let told = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.status.success() && !told.contains("FAIL"), "{told}");
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
