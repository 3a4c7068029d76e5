//! A real kube-apiserver and etcd on loopback, for tests, demo and benchmarks.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use aep_control_plane::{ControlPlane, Options};
//!
//! let control_plane = ControlPlane::start(Options::default()).await?;
//! let version = control_plane.client().apiserver_version().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Any number of them run side by side. They end when the [`ControlPlane`] is dropped or its
//! process ends, even by SIGKILL, and leave nothing behind.

mod argocd;
mod arguments;
mod certificates;
mod cluster;
mod server;
pub mod trials;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, GetParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::Request;
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

pub use argocd::ArgoCd;
use arguments::files;
use certificates::{Authority, Identity, account_keys};
pub use cluster::Cluster;
use server::Server;

/// Long enough for a machine that is busy with other things; a start takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const PORT_ATTEMPTS: usize = 5;

const NAME: &str = "control-plane";
const APISERVER: &str = "kube-apiserver";

/// What a control plane is to have beyond etcd and kube-apiserver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Record who requests what, without the bodies. [`ControlPlane::audit_log`] says where.
    pub audit_log: bool,
    /// Run kube-controller-manager for garbage collection, namespaces, service accounts,
    /// Deployments and `ReplicaSets`. Without it nothing follows owner references and namespaces
    /// stay `Terminating`.
    pub controllers: bool,
}

/// A running control plane. It ends when this value is dropped.
pub struct ControlPlane {
    // Fields drop in this order: the folder goes when nobody writes to it any more.
    _controllers: Option<Server>,
    apiserver: Server,
    _etcd: Server,
    folder: TempDir,
    assets: PathBuf,
    options: Options,
    network: Network,
    kubeconfig: PathBuf,
    config: Config,
}

/// Where the API server listens.
#[derive(Clone, Copy)]
enum Network {
    /// On the loopback of this machine, at whichever port is free.
    Shared,
    /// At every address and the port that clusters use, for nobody else is there.
    Own,
}

impl Network {
    fn address(self) -> Ipv4Addr {
        match self {
            Self::Shared => Ipv4Addr::LOCALHOST,
            Self::Own => Ipv4Addr::UNSPECIFIED,
        }
    }

    fn port(self) -> Result<u16> {
        match self {
            Self::Shared => free_port(),
            Self::Own => Ok(443),
        }
    }
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready. Builds its binaries first where they are
    /// missing, which takes minutes and shows progress on standard error.
    pub async fn start(options: Options) -> Result<Self> {
        let names: &[_] = if options.controllers {
            &["etcd", APISERVER, "kube-controller-manager"]
        } else {
            &["etcd", APISERVER]
        };
        let assets = provide(names).await?;
        Self::start_in(Network::Shared, assets, options).await
    }

    async fn start_in(network: Network, assets: PathBuf, options: Options) -> Result<Self> {
        let private = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new()
            .prefix("control-plane-")
            .permissions(private)
            .tempdir()?;
        let mut etcd = Server::start(
            folder.path(),
            &assets.join("etcd"),
            &arguments::etcd(folder.path()),
        )?;
        let admin = write_credentials(folder.path())?;
        let (apiserver, config) =
            match start_apiserver(&assets, folder.path(), network, options, &admin).await {
                Err(error) if etcd.has_ended() => return Err(error.context(etcd.last_words())),
                started => started?,
            };
        let controllers = if options.controllers {
            Some(start_controllers(&assets, folder.path(), &config).await?)
        } else {
            None
        };
        Ok(Self {
            _controllers: controllers,
            apiserver,
            _etcd: etcd,
            kubeconfig: folder.path().join(files::KUBECONFIG),
            folder,
            assets,
            options,
            network,
            config,
        })
    }

    /// The one control plane that the tests of a process share, with the default [`Options`].
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        let start = || Self::start(Options::default());
        SHARED
            .get_or_try_init(start)
            .await
            .unwrap_or_else(|error| panic!("the control plane does not start: {error:#}"))
    }

    /// A self-contained kubeconfig of the administrator, who is in `system:masters`.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// What [`ControlPlane::kubeconfig`] says, for kube.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// A new client of the administrator, without a rate limit. It belongs to the runtime it is
    /// made in, so it is not for tests to share.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::try_from(self.config()).expect("our own configuration is valid")
    }

    /// Writes a kubeconfig with a token of a service account, which has to exist, and returns its
    /// path.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client(), namespace);
        let response = accounts
            .create_token_request(name, &PostParams::default(), &TokenRequest::default())
            .await?;
        let token = response
            .status
            .context("the API server answers without a token")?
            .token;
        let path = self
            .folder
            .path()
            .join(format!("{namespace}-{name}.kubeconfig"));
        let authority = fs::read_to_string(self.folder.path().join(files::AUTHORITY))?;
        let server = self.config.cluster_url.to_string();
        write_kubeconfig(&path, &server, &authority, &json!({ "token": token }))?;
        Ok(path)
    }

    /// The folder that holds the binaries.
    #[must_use]
    pub fn assets(&self) -> &Path {
        &self.assets
    }

    /// The audit log, one JSON object per line, where [`Options::audit_log`] asks for it.
    #[must_use]
    pub fn audit_log(&self) -> Option<PathBuf> {
        self.options
            .audit_log
            .then(|| self.folder.path().join(files::AUDIT_LOG))
    }

    /// A command that runs kubectl as the administrator. Blocks for as long as it takes to get
    /// kubectl.
    pub fn kubectl(&self) -> Result<Command> {
        self.tool("kubectl")
    }

    /// A command that runs Helm as the administrator. Blocks for as long as it takes to get Helm.
    pub fn helm(&self) -> Result<Command> {
        self.tool("helm")
    }

    /// The same with Helm 3, which many still use.
    pub fn helm3(&self) -> Result<Command> {
        self.tool("helm3")
    }

    fn tool(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(assets(&[name])?.join(name));
        command.env("KUBECONFIG", self.kubeconfig());
        // kubectl remembers what each address serves; the next control plane there may differ.
        command.env("KUBECACHEDIR", self.folder.path().join("cache"));
        Ok(command)
    }

    /// Kills kube-apiserver and starts it again at the same address. Returns when it is ready. What
    /// it stored is there; watches and connections are not.
    pub async fn restart_apiserver(&mut self) -> Result<()> {
        self.apiserver.stop();
        let port = self
            .config
            .cluster_url
            .port_u16()
            .context("the address of the API server has no port")?;
        let address = (self.network.address(), port).into();
        let arguments = arguments::apiserver(self.folder.path(), self.options, address);
        self.apiserver =
            Server::start(self.folder.path(), &self.assets.join(APISERVER), &arguments)?;
        wait_until_ready(&self.config, &mut self.apiserver).await
    }

    /// Ends the control plane, as dropping it does, without blocking the runtime.
    pub async fn stop(self) {
        // The only error is a panic in `drop`, which has been reported by then.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// Makes sure that binaries exist and returns the folder that holds them. The script `assets` says
/// which there are and where they come from.
pub fn assets(names: &[&str]) -> Result<PathBuf> {
    let output = run_script(concat!(env!("CARGO_MANIFEST_DIR"), "/assets"), names)?;
    ensure!(
        output.status.success(),
        "there are no binaries for {}, see the message above",
        names.join(", ")
    );
    let answer = String::from_utf8(output.stdout)?;
    Ok(answer
        .lines()
        .last()
        .context("tests/control-plane/assets names no folder")?
        .into())
}

/// What this machine lacks for any of `image`, `node` and `argocd`, as the script `missing` finds
/// out. Empty where it has everything.
pub fn missing(parts: &[&str]) -> Result<String> {
    let output = run_script(concat!(env!("CARGO_MANIFEST_DIR"), "/missing"), parts)?;
    let lacking = String::from_utf8(output.stdout)?;
    let lacking: Vec<_> = lacking.lines().collect();
    ensure!(
        output.status.success() || !lacking.is_empty(),
        "tests/control-plane/missing fails"
    );
    Ok(lacking.join(", "))
}

fn run_script(script: &str, arguments: &[&str]) -> Result<Output> {
    Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{script} does not run"))
}

/// The same as [`assets`], without blocking the runtime.
async fn provide(names: &'static [&'static str]) -> Result<PathBuf> {
    tokio::task::spawn_blocking(move || assets(names)).await?
}

/// A configuration for kube from a kubeconfig.
pub async fn config(kubeconfig: &Path) -> Result<Config> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}

/// Writes what the servers need to know of each other and returns the certificate of the
/// administrator.
fn write_credentials(folder: &Path) -> Result<Identity> {
    let authority = Authority::new()?;
    let server = authority.server(&[
        "127.0.0.1",
        "localhost",
        "kubernetes.default.svc",
        "10.0.0.1",
    ])?;
    let (private, public) = account_keys()?;
    fs::write(folder.join(files::AUTHORITY), authority.certificate())?;
    fs::write(folder.join(files::SERVER_CERTIFICATE), server.certificate)?;
    fs::write(folder.join(files::SERVER_KEY), server.key)?;
    fs::write(folder.join(files::ACCOUNT_KEY), private)?;
    fs::write(folder.join(files::ACCOUNT_PUBLIC_KEY), public)?;
    fs::write(
        folder.join(files::AUDIT_POLICY),
        include_str!("audit-policy.yaml"),
    )?;
    let admin = authority.client("admin", "system:masters")?;
    fs::write(folder.join(files::ADMIN_CERTIFICATE), &admin.certificate)?;
    fs::write(folder.join(files::ADMIN_KEY), &admin.key)?;
    Ok(admin)
}

/// Writes a kubeconfig in JSON, which every reader of YAML understands.
fn write_kubeconfig(path: &Path, server: &str, authority: &str, user: &Value) -> Result<()> {
    let authority = ByteString(authority.into());
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NAME, "cluster": { "server": server, "certificate-authority-data": authority } }],
        "users": [{ "name": NAME, "user": user }],
        "contexts": [{ "name": NAME, "context": { "cluster": NAME, "user": NAME, "namespace": "default" } }],
        "current-context": NAME,
    });
    Ok(fs::write(path, serde_json::to_string_pretty(&kubeconfig)?)?)
}

async fn start_apiserver(
    assets: &Path,
    folder: &Path,
    network: Network,
    options: Options,
    admin: &Identity,
) -> Result<(Server, Config)> {
    let kubeconfig = folder.join(files::KUBECONFIG);
    let authority = fs::read_to_string(folder.join(files::AUTHORITY))?;
    let user = json!({
        "client-certificate-data": ByteString(admin.certificate.clone().into()),
        "client-key-data": ByteString(admin.key.clone().into()),
    });
    let mut attempt = 1;
    loop {
        let address = SocketAddr::from((network.address(), network.port()?));
        let port = address.port();
        write_kubeconfig(
            &kubeconfig,
            &format!("https://127.0.0.1:{port}"),
            &authority,
            &user,
        )?;
        let config = config(&kubeconfig).await?;
        let arguments = arguments::apiserver(folder, options, address);
        let mut server = Server::start(folder, &assets.join(APISERVER), &arguments)?;
        match wait_until_ready(&config, &mut server).await {
            // Between our look and the server's somebody else took the port.
            Err(_)
                if attempt < PORT_ATTEMPTS && server.log().contains("address already in use") =>
            {
                attempt += 1;
            }
            ready => return ready.map(|()| (server, config)),
        }
    }
}

async fn start_controllers(assets: &Path, folder: &Path, config: &Config) -> Result<Server> {
    let mut server = Server::start(
        folder,
        &assets.join("kube-controller-manager"),
        &arguments::controllers(folder),
    )?;
    let accounts: Api<ServiceAccount> =
        Api::namespaced(Client::try_from(config.clone())?, "default");
    wait_until(&mut server, async || {
        matches!(accounts.get_opt("default").await, Ok(Some(_)))
    })
    .await?;
    Ok(server)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

async fn wait_until_ready(config: &Config, server: &mut Server) -> Result<()> {
    let client = Client::try_from(config.clone())?;
    let ready = Request::new("").get("readyz", &GetParams::default())?;
    wait_until(server, async || {
        client.request_text(ready.clone()).await.is_ok()
    })
    .await
}

/// Waits for a condition that a server is to bring about, for as long as it runs.
async fn wait_until(server: &mut Server, condition: impl AsyncFn() -> bool) -> Result<()> {
    let poll = async {
        while !condition().await {
            if server.has_ended() {
                return false;
            }
            sleep(POLL_INTERVAL).await;
        }
        true
    };
    match timeout(PATIENCE, poll).await {
        Ok(true) => Ok(()),
        Ok(false) => bail!("a server ended: {}", server.last_words()),
        Err(_) => bail!(
            "not ready after {} s: {}",
            PATIENCE.as_secs(),
            server.last_words()
        ),
    }
}
