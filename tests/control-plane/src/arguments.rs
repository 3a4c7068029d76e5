//! What the servers are told.

use std::net::SocketAddr;
use std::path::Path;

use crate::Options;

const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
    root-ca-certificate-publisher-controller,deployment-controller,replicaset-controller,disruption-controller,\
    node-lifecycle-controller";

/// Files in the folder of a control plane.
pub(crate) mod files {
    pub(crate) const KUBECONFIG: &str = "kubeconfig";
    pub(crate) const OUTER_KUBECONFIG: &str = "outer-kubeconfig";
    pub(crate) const AUTHORITY: &str = "ca.crt";
    pub(crate) const SERVER_CERTIFICATE: &str = "server.crt";
    pub(crate) const SERVER_KEY: &str = "server.key";
    pub(crate) const ADMIN_CERTIFICATE: &str = "admin.crt";
    pub(crate) const ADMIN_KEY: &str = "admin.key";
    pub(crate) const ACCOUNT_KEY: &str = "service-account.key";
    pub(crate) const ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
    pub(crate) const AUDIT_POLICY: &str = "audit-policy.yaml";
    pub(crate) const AUDIT_LOG: &str = "audit.log";
}

pub(crate) fn etcd(folder: &Path) -> Vec<String> {
    // A socket needs no port, so no two quarrel about one. Nobody talks to the peer address.
    let socket = etcd_socket(folder);
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={socket}"),
        format!("--advertise-client-urls={socket}"),
        "--listen-peer-urls=http://127.0.0.1:0".into(),
        "--unsafe-no-fsync=true".into(),
    ]
}

fn etcd_socket(folder: &Path) -> String {
    format!("unix://{}", folder.join("etcd.sock").display())
}

pub(crate) fn apiserver(folder: &Path, options: Options, address: SocketAddr) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut arguments = vec![
        format!("--etcd-servers={}", etcd_socket(folder)),
        format!("--bind-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        format!("--cert-dir={}", folder.display()),
        format!("--tls-cert-file={}", file(files::SERVER_CERTIFICATE)),
        format!("--tls-private-key-file={}", file(files::SERVER_KEY)),
        format!("--client-ca-file={}", file(files::AUTHORITY)),
        // For logs and exec, where there is a kubelet.
        format!(
            "--kubelet-client-certificate={}",
            file(files::ADMIN_CERTIFICATE)
        ),
        format!("--kubelet-client-key={}", file(files::ADMIN_KEY)),
        "--kubelet-preferred-address-types=InternalIP".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!(
            "--service-account-key-file={}",
            file(files::ACCOUNT_PUBLIC_KEY)
        ),
        format!(
            "--service-account-signing-key-file={}",
            file(files::ACCOUNT_KEY)
        ),
        "--authorization-mode=RBAC".into(),
        "--service-cluster-ip-range=10.0.0.0/24".into(),
        "--allow-privileged=true".into(),
        // It must not look for an address of the machine: there may be none but loopback, which it
        // refuses.
        "--advertise-address=192.0.2.1".into(),
        "--endpoint-reconciler-type=none".into(),
    ];
    if !options.controllers {
        // It would wait for default service accounts, which nobody makes.
        arguments.push("--disable-admission-plugins=ServiceAccount".into());
    }
    if options.audit_log {
        arguments.push(format!("--audit-policy-file={}", file(files::AUDIT_POLICY)));
        arguments.push(format!("--audit-log-path={}", file(files::AUDIT_LOG)));
        // One file however long, so that readers need not know of rotation. In megabytes.
        arguments.push("--audit-log-maxsize=100000".into());
    }
    arguments
}

pub(crate) fn controllers(folder: &Path) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        format!("--kubeconfig={}", file(files::KUBECONFIG)),
        "--leader-elect=false".into(),
        "--secure-port=0".into(),
        format!("--root-ca-file={}", file(files::AUTHORITY)),
        format!(
            "--service-account-private-key-file={}",
            file(files::ACCOUNT_KEY)
        ),
        format!("--controllers={CONTROLLERS}"),
    ]
}

pub(crate) fn scheduler(folder: &Path) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", folder.join(files::KUBECONFIG).display()),
        "--leader-elect=false".into(),
        "--secure-port=0".into(),
    ]
}
