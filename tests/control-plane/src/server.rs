use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

const LAST_LINES: usize = 20;

/// A server that runs under the script `keep`: it ends with this value, or with this process,
/// however that ends.
pub(crate) struct Server {
    name: String,
    keeper: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a binary. Whatever it prints goes to a log in `folder`.
    pub(crate) fn start(folder: &Path, binary: &Path, arguments: &[String]) -> Result<Self> {
        Self::start_with(folder, binary, arguments, &[])
    }

    /// The same, with more variables in its environment.
    pub(crate) fn start_with(
        folder: &Path,
        binary: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let name = binary
            .file_name()
            .context("a binary has a name")?
            .to_string_lossy()
            .into_owned();
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let keeper = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/keep"))
            .arg(folder)
            .arg(binary)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C and a test runner's signals go to the whole group; the keeper has to outlive
            // them to clean up.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        Ok(Self { name, keeper, log })
    }

    /// Kills it. Does nothing where it has ended already.
    pub(crate) fn stop(&mut self) {
        // A line, not just the end of input: we are still here, so the folder is ours to remove. An
        // error only says that the server has ended already.
        if let Some(mut input) = self.keeper.stdin.take() {
            let _ = input.write_all(b"\n");
        }
        let _ = self.keeper.wait();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.keeper.try_wait(), Ok(None))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What to tell somebody who asks why it does not work.
    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        format!("the log of {} ends with\n{last}", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
