//! Runs the simulator until it is told to stop.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aep_simulator::{Connector, Options, Simulator, profile::Profile, world::Organisation};
use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

/// Adobe Experience Platform's ingestion APIs in a box.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address and port to listen on.
    #[arg(long, env = "AEP_SIMULATOR_LISTEN", default_value = "127.0.0.1:8400")]
    listen: SocketAddr,
    /// How faithful to the letter of Adobe's documents.
    #[arg(
        long,
        env = "AEP_SIMULATOR_PROFILE",
        value_enum,
        default_value = "lenient"
    )]
    profile: Letter,
    /// Milliseconds that every call takes.
    #[arg(long, env = "AEP_SIMULATOR_LATENCY_MS", default_value_t = 0)]
    latency_ms: u64,
    /// Milliseconds that listings lag behind.
    #[arg(long, env = "AEP_SIMULATOR_LIST_LAG_MS", default_value_t = 0)]
    list_lag_ms: u64,
    /// Milliseconds that asynchronous operations take.
    #[arg(long, env = "AEP_SIMULATOR_TRANSITION_MS", default_value_t = 500)]
    transition_ms: u64,
    /// Calls per second and sandbox above which the gateway answers 429.
    #[arg(long, env = "AEP_SIMULATOR_RATE_LIMIT")]
    rate_limit: Option<u32>,
    /// Seconds that tokens live.
    #[arg(long, env = "AEP_SIMULATOR_TOKEN_LIFETIME_S", default_value_t = 86_399)]
    token_lifetime_s: u64,
    /// Start of all randomness; the same number gives the same ids. Taken from the clock by default.
    #[arg(long, env = "AEP_SIMULATOR_SEED")]
    seed: Option<u64>,
    /// Give the errors of Flow Service and Schema Registry their older, shorter form.
    #[arg(long, env = "AEP_SIMULATOR_OLD_STYLE_ERRORS")]
    old_style_errors: bool,
    /// File with a list of connectors in JSON, besides those that are known.
    #[arg(long, env = "AEP_SIMULATOR_CONNECTORS", value_name = "FILE")]
    connectors: Option<PathBuf>,
    /// How many calls are kept to be looked at; counts are kept for all.
    #[arg(long, env = "AEP_SIMULATOR_KEEP_CALLS", default_value_t = 1000)]
    keep_calls: usize,
    /// File that takes every exchange as a line of JSON.
    #[arg(long, env = "AEP_SIMULATOR_RECORD", value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Letter {
    Lenient,
    Strict,
}

impl From<Letter> for Profile {
    fn from(letter: Letter) -> Self {
        match letter {
            Letter::Lenient => Self::Lenient,
            Letter::Strict => Self::Strict,
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt::init();
    let options = options(Arguments::parse())?;
    let organisations = options.organisations.clone();
    let simulator = Simulator::start(options).await?;
    println!("listening on {}", simulator.url());
    organisations.iter().for_each(introduce);
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}

fn options(arguments: Arguments) -> Result<Options> {
    let Arguments {
        listen,
        profile,
        latency_ms,
        list_lag_ms,
        transition_ms,
        rate_limit,
        token_lifetime_s,
        seed,
        old_style_errors,
        connectors,
        keep_calls,
        record,
    } = arguments;
    Ok(Options {
        address: listen.ip(),
        port: Some(listen.port()),
        profile: profile.into(),
        latency: Duration::from_millis(latency_ms),
        list_lag: Duration::from_millis(list_lag_ms),
        transition: Duration::from_millis(transition_ms),
        rate_limit,
        token_lifetime: Duration::from_secs(token_lifetime_s),
        seed: seed.unwrap_or_else(from_clock),
        old_style_errors,
        connectors: connectors.map_or(Ok(Vec::new()), |file| told(&file))?,
        keep_calls,
        record,
        ..Options::default()
    })
}

fn told(file: &Path) -> Result<Vec<Connector>> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let wrong = || format!("{} is not a list of connectors", file.display());
    serde_json::from_slice(&text).with_context(wrong)
}

fn from_clock() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.as_secs() ^ u64::from(now.subsec_nanos())
}

fn introduce(organisation: &Organisation) {
    for (client, secrets) in &organisation.clients {
        let sandboxes: Vec<&str> = organisation.sandboxes.keys().map(String::as_str).collect();
        println!(
            "organisation {}, tenant {}, client {client}, secret {}, sandboxes {}",
            organisation.ims_org,
            organisation.tenant,
            secrets.join(" or "),
            sandboxes.join(", ")
        );
    }
}
