//! What a process has cost so far, as Linux counts it.

use std::fs;

use anyhow::{Context, Result};

/// Linux counts CPU time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds (user and system) and peak resident memory in MiB.
pub fn cost(pid: u32) -> Result<(f64, f64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .context("CPU and memory are read from /proc: run this on Linux")?;
    // The process's name, in parentheses, may hold spaces: count fields after it.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no peak memory in /proc")?;
    let kibibytes: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    Ok((ticks / TICKS_PER_SECOND, kibibytes / 1024.0))
}
