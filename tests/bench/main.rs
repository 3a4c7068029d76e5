//! How fast, how many calls, how much CPU and memory: pipelines from apply to Ready, against what latency and rate allow.
//!
//! Prints a table and writes `target/bench/pipelines.json`. Each row runs the operator's own binary in a fresh namespace
//! with a fresh simulator, so that rows do not help each other.

mod process;
mod subject;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use subject::Subject;

const LATENCY: Duration = Duration::from_millis(200);
const SIZES: [usize; 3] = [1, 10, 100];

/// Calls that must follow each other before one pipeline is Ready: token, sandbox, field group, schema, data set, target
/// connection, flow.
const CRITICAL_PATH: u32 = 7;

/// What one size took.
struct Row {
    pipelines: usize,
    seconds: f64,
    floor: f64,
    calls: BTreeMap<String, usize>,
    cpu_seconds: f64,
    peak_mebibytes: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    println!(
        "latency {LATENCY:?}, {} requests per second",
        subject::REQUESTS_PER_SECOND
    );
    println!(
        "{:>9} {:>9} {:>9} {:>7} {:>7} {:>9} {:>9}",
        "pipelines", "ready s", "floor s", "ratio", "calls", "CPU s", "peak MiB"
    );
    let mut rows = Vec::new();
    for pipelines in SIZES {
        let row = measure(pipelines).await?;
        let calls: usize = row.calls.values().sum();
        println!(
            "{:>9} {:>9.2} {:>9.2} {:>7.2} {:>7} {:>9.2} {:>9.1}",
            row.pipelines,
            row.seconds,
            row.floor,
            row.seconds / row.floor,
            calls,
            row.cpu_seconds,
            row.peak_mebibytes
        );
        rows.push(row);
    }
    for row in &rows {
        println!("\ncalls for {} pipelines:", row.pipelines);
        for (route, count) in &row.calls {
            println!("{count:>7}  {route}");
        }
    }
    write(&rows)
}

async fn measure(pipelines: usize) -> Result<Row> {
    let subject = Subject::start(LATENCY).await?;
    let seconds = subject.build(pipelines).await?.as_secs_f64();
    let calls = subject.calls();
    let total: usize = calls.values().sum();
    let (cpu_seconds, peak_mebibytes) = subject.cost()?;
    let path = LATENCY.as_secs_f64() * f64::from(CRITICAL_PATH);
    let burst = f64::from(subject::BURST);
    #[allow(
        clippy::cast_precision_loss,
        reason = "counts of calls are far below 2^52"
    )]
    let rate = (total as f64 - burst) / f64::from(subject::REQUESTS_PER_SECOND);
    Ok(Row {
        pipelines,
        seconds,
        floor: path.max(rate),
        calls,
        cpu_seconds,
        peak_mebibytes,
    })
}

fn write(rows: &[Row]) -> Result<()> {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "pipelines": row.pipelines, "readySeconds": row.seconds, "floorSeconds": row.floor,
                "ratio": row.seconds / row.floor, "callsByRoute": row.calls,
                "cpuSeconds": row.cpu_seconds, "peakMebibytes": row.peak_mebibytes,
            })
        })
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/bench");
    fs::create_dir_all(folder)?;
    fs::write(
        format!("{folder}/pipelines.json"),
        serde_json::to_string_pretty(&rows)?,
    )?;
    println!("\nwritten to target/bench/pipelines.json");
    Ok(())
}
