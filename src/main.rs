//! The operator's entry: install the one TLS provider, do what the command line says, exit with its outcome.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider is installed already"))?;
    aep_operator::cli::main().await
}
